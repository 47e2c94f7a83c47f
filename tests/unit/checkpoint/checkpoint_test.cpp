// SPDX-License-Identifier: MIT
// The checkpoint step: conversions, safetensors, shards, torch archives, scopes; right files and
// wrong ones.
#include <nystromformer/checkpoint/fingerprint.hpp>
#include <nystromformer/checkpoint/folder_contents.hpp>
#include <nystromformer/state_dict.hpp>

#include "checkpoint/bytes.hpp"
#include "robustness/malformed/safetensors_cases.hpp"
#include "robustness/malformed/torch_cases.hpp"
#include "support/catch.hpp"
#include "support/library.hpp"

#include <nlohmann/json.hpp>

#include <bit>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#if __has_include(<sys/stat.h>)
#include <sys/stat.h>
#endif
#if __has_include(<sys/resource.h>)
#include <sys/resource.h>
#include <csignal>
#endif

namespace checkpoint_test {

using namespace nystromformer;
using namespace nystromformer::testing;
namespace fs = std::filesystem;

namespace {

const fs::path data_folder = fs::path(NYSTROMFORMER_TEST_DATA) / "checkpoint" / "data";

std::string contents(const fs::path& path) { return detail::read_file(path, 1 << 20); }

/// Runs `action`, which must throw an ErrorType whose message holds every one of `parts`.
template <typename ErrorType, typename Action>
void check_refused(const std::string& title, const Action& action,
                   const std::vector<std::string>& parts) {
    INFO(title);
    try {
        action();
    } catch (const ErrorType& error) {
        const std::string message = error.what();
        for (const std::string& part : parts) {
            INFO(message << "\nlacks: " << part);
            CHECK(message.find(part) != std::string::npos);
        }
        return;
    } catch (const std::exception& error) {
        FAIL_CHECK("another error: " << error.what());
        return;
    }
    FAIL_CHECK("nothing was thrown");
}

SafetensorsFile parse(std::string_view bytes) {
    return SafetensorsFile::parse(as_bytes(bytes), "a.safetensors");
}

/// The value that generate.py puts at place i of a tensor.
double generated(DType dtype, Index i) {
    const auto value = static_cast<double>(i);
    if (dtype == DType::boolean) return i == 0 ? 0 : 1;
    return is_weight(dtype) ? value / 4 - 1.5 : value;
}

void check_generated(const TensorView& tensor) {
    INFO(tensor.name);
    if (tensor.name == "scalar") {
        double value = 0;
        convert(tensor, &value);
        CHECK(tensor.shape.empty());
        CHECK(value == 1.25);
        return;
    }
    if (is_integer(tensor.dtype)) {
        const auto values = to_int64(tensor);
        REQUIRE(static_cast<Index>(values.size()) == tensor.size());
        for (Index i = 0; i < tensor.size(); ++i)
            CHECK(static_cast<double>(values[static_cast<std::size_t>(i)]) ==
                  generated(tensor.dtype, i));
        return;
    }
    std::vector<double> doubles(static_cast<std::size_t>(tensor.size()));
    std::vector<float> floats(doubles.size());
    convert(tensor, doubles.data());
    convert(tensor, floats.data());
    for (Index i = 0; i < tensor.size(); ++i) {
        const double expected = tensor.name == "expanded" ? -1.5 : generated(tensor.dtype, i);
        CHECK(doubles[static_cast<std::size_t>(i)] == expected);
        CHECK(floats[static_cast<std::size_t>(i)] == static_cast<float>(expected));
    }
}

const std::vector<std::string> plain_names{"bf16", "bool", "empty", "f16",    "f32", "f64",   "i16",
                                           "i32",  "i64",  "i8",    "scalar", "u8",  "vector"};

std::uint64_t fnv(std::uint64_t checksum, std::uint32_t bits) {
    for (int shift = 0; shift < 32; shift += 8)
        checksum = (checksum ^ ((bits >> shift) & 0xFF)) * 0x100000001B3u;
    return checksum;
}

/// A floating value from its fields, by the definition of IEEE 754.
double from_fields(std::uint32_t pattern, int exponent_bits, int fraction_bits) {
    const std::uint32_t fraction = pattern & ((1u << fraction_bits) - 1);
    const int largest = (1 << exponent_bits) - 1, bias = largest / 2;
    const int exponent = static_cast<int>(pattern >> fraction_bits) & largest;
    const double sign = (pattern >> (exponent_bits + fraction_bits)) != 0 ? -1 : 1;
    if (exponent == largest && fraction != 0) return std::numeric_limits<double>::quiet_NaN();
    if (exponent == largest) return sign * std::numeric_limits<double>::infinity();
    if (exponent == 0) return sign * std::ldexp(fraction, 1 - bias - fraction_bits);
    return sign * std::ldexp(fraction + (1u << fraction_bits), exponent - bias - fraction_bits);
}

struct HalfFormat {
    const char* name;
    DType dtype;
    int exponent_bits, fraction_bits;
};

}  // namespace

TEST_CASE("all patterns of F16 and BF16 convert to their exact values, as in torch") {
    const auto checksums = nlohmann::json::parse(contents(data_folder / "conversions.json"));
    for (const auto& format :
         {HalfFormat{"f16", DType::f16, 5, 10}, HalfFormat{"bf16", DType::bf16, 8, 7}}) {
        std::string bytes = "?";  // so that what follows is unaligned
        for (std::uint32_t pattern = 0; pattern < 65536; ++pattern) bytes += little(pattern, 2);
        const TensorView view{"x", format.dtype, {256, 256}, as_bytes(bytes).subspan(1), {}};
        std::vector<float> floats(65536);
        std::vector<double> doubles(65536);
        convert(view, floats.data());
        convert(view, doubles.data());
        std::uint64_t checksum = 0xCBF29CE484222325u;
        int wrong = 0;
        for (std::uint32_t pattern = 0; pattern < 65536; ++pattern) {
            const double expected =
                from_fields(pattern, format.exponent_bits, format.fraction_bits);
            const float value = floats[pattern];
            const auto bits = std::bit_cast<std::uint32_t>(value);
            checksum = fnv(checksum, std::isnan(value) ? 0x7FC00000u : bits);
            if (std::isnan(expected)) {
                const std::uint32_t fraction = pattern & ((1u << format.fraction_bits) - 1);
                const std::uint32_t payload = fraction << (23 - format.fraction_bits);
                const std::uint32_t sign = (pattern & 0x8000u) << 16;
                wrong += bits != (sign | 0x7FC00000u | payload) || !std::isnan(doubles[pattern]);
            } else {
                wrong += static_cast<double>(value) != expected || doubles[pattern] != expected ||
                         std::signbit(value) != (pattern >= 0x8000u) ||
                         std::signbit(doubles[pattern]) != (pattern >= 0x8000u);
            }
        }
        CHECK(wrong == 0);
        char text[17];
        std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(checksum));
        CHECK(std::string(text) == checksums[format.name].get<std::string>());
    }
}

TEST_CASE("F32 and F64 convert exactly where they can and to the nearest float where not") {
    const std::vector<double> values{0.0, -0.0, 0.1, 1e300, -1e300, 1e-300, 5e-324, 1.0 + 0x1p-30};
    std::string wide, narrow;
    for (const double value : values) {
        wide += little(std::bit_cast<std::uint64_t>(value), 8);
        narrow += little(std::bit_cast<std::uint32_t>(static_cast<float>(value)), 4);
    }
    const auto size = static_cast<Index>(values.size());
    for (const auto& [dtype, bytes] :
         {std::pair(DType::f64, wide), std::pair(DType::f32, narrow)}) {
        const TensorView view{"x", dtype, {size}, as_bytes(bytes), {}};
        std::vector<float> floats(values.size());
        std::vector<double> doubles(values.size());
        convert(view, floats.data());
        convert(view, doubles.data());
        for (std::size_t i = 0; i < values.size(); ++i) {
            const auto nearest = static_cast<float>(values[i]);
            CHECK(floats[i] == nearest);
            CHECK(std::signbit(floats[i]) == std::signbit(values[i]));
            CHECK(doubles[i] == (dtype == DType::f64 ? values[i] : static_cast<double>(nearest)));
        }
    }
}

TEST_CASE("every dtype of safetensors has its name and size, and no other spelling is one") {
    std::size_t weights = 0, integers = 0;
    for (std::size_t i = 0; i < detail::dtype_infos.size(); ++i) {
        const auto dtype = static_cast<DType>(i);
        CHECK(dtype_named(name(dtype)) == dtype);
        weights += is_weight(dtype);
        integers += is_integer(dtype);
        const TensorView view{"x", dtype, {0}, {}, {}};
        float none = 0;
        if (!is_weight(dtype)) CHECK_THROWS_AS(convert(view, &none), Error);
        if (!is_integer(dtype)) CHECK_THROWS_AS(to_int64(view), TensorError);
    }
    CHECK(weights == 4);
    CHECK(integers == 6);
    CHECK(bits(DType::f4) == 4);
    CHECK(bits(DType::f6_e2m3) == 6);
    CHECK(bits(DType::f8_e8m0) == 8);
    CHECK(bits(DType::bf16) == 16);
    CHECK(bits(DType::c64) == 64);
    for (const char* other : {"f32", "F32 ", "", "FLOAT", "F128"}) CHECK_FALSE(dtype_named(other));
}

TEST_CASE("a safetensors file of the Python library is read, all dtypes of it") {
    const auto file = SafetensorsFile::open(data_folder / "dtypes.safetensors");
    CHECK(file.metadata() == std::map<std::string, std::string>{{"format", "pt"}});
    for (const std::string& name : plain_names) {
        INFO(name);
        REQUIRE(file.find(name) != nullptr);
        check_generated(*file.find(name));
    }
    CHECK(file.tensors().size() == plain_names.size() + 2);
    float none[4];
    check_refused<UnsupportedError>("F8", [&] { convert(*file.find("f8"), none); },
                                    {"\"f8\"", "F16", "F8_E4M3"});
    check_refused<UnsupportedError>("C64", [&] { convert(*file.find("c64"), none); },
                                    {"\"c64\"", "C64"});
    check_refused<TensorError>("I32", [&] { convert(*file.find("i32"), none); },
                               {"\"i32\"", "I32"});
    CHECK(file.find("absent") == nullptr);
    CHECK(file.find("") == nullptr);
}

TEST_CASE("what is written has the bytes of the Python library") {
    const fs::path original = data_folder / "dtypes.safetensors";
    const auto file = SafetensorsFile::open(original);
    const TemporaryFolder folder;
    auto tensors = file.tensors();
    std::swap(tensors.front(), tensors.back());  // the order of the argument is of no matter
    save_safetensors(folder / "copy.safetensors", tensors, file.metadata());
    CHECK(contents(folder / "copy.safetensors") == contents(original));
    save_safetensors(folder / "copy.safetensors", {}, {});  // over a file that is there
    CHECK(contents(folder / "copy.safetensors") == safetensors("{}      "));
    CHECK(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()) == 1);
}

TEST_CASE("a strided tensor is written contiguous") {
    const auto archive = TorchArchive::open(data_folder / "protocol2.bin");
    const TemporaryFolder folder;
    save_safetensors(folder / "copy.safetensors", archive.tensors());
    const auto copy = SafetensorsFile::open(folder / "copy.safetensors");
    REQUIRE(copy.tensors().size() == archive.tensors().size());
    for (const auto& tensor : copy.tensors()) check_generated(tensor);
}

TEST_CASE("names and metadata survive a round trip, whatever is in them") {
    const TemporaryFolder folder;
    const std::string strange = "\"quoted\\\" \n\t/\xC3\xA9 \xE2\x82\xAC";
    save_safetensors(folder / "a.safetensors", {{strange, DType::u8, {1}, as_bytes("x"), {}}},
                     {{strange, strange}});
    const auto file = SafetensorsFile::open(folder / "a.safetensors");
    REQUIRE(file.find(strange) != nullptr);
    CHECK(to_int64(*file.find(strange)) == std::vector<std::int64_t>{'x'});
    CHECK(file.metadata().at(strange) == strange);
}

TEST_CASE("what cannot be written is an error and leaves nothing behind") {
    const TemporaryFolder folder;
    const auto save = [&](const std::vector<TensorView>& tensors) {
        return [&folder, tensors] { save_safetensors(folder / "a.safetensors", tensors); };
    };
    const TensorView good{"x", DType::u8, {1}, as_bytes("x"), {}};
    TensorView bad = good;
    check_refused<InputError>("twice", save({good, good}), {"a.safetensors", "\"x\"", "twice"});
    bad.shape = {2};
    check_refused<InputError>("too few bytes", save({bad}), {"\"x\"", "2 bytes", "[2]"});
    bad.shape = {std::numeric_limits<Index>::max(), 3};
    check_refused<InputError>("overflow", save({bad}), {"\"x\"", "2^63"});
    bad = good;
    bad.name = "__metadata__";
    check_refused<InputError>("the metadata's name", save({bad}), {"__metadata__"});
    bad.name = "\xFF";
    check_refused<InputError>("no UTF-8", save({bad}), {"UTF-8", "\\xff"});
    const auto strided = [](const char* name, DType dtype, Index size, std::vector<Index> strides) {
        return TensorView{name, dtype, {size}, as_bytes("x"), std::move(strides)};
    };
    check_refused<InputError>("strides of another rank", save({strided("x", DType::u8, 1, {1, 1})}),
                              {"\"x\"", "1 bytes for shape [1]"});
    check_refused<InputError>("strides of half bytes", save({strided("x", DType::f4, 2, {1})}),
                              {"\"x\"", "1 bytes for shape [2]"});
    std::vector<TensorView> many;  // of 2^61 - 1 bytes each
    for (const char* name : {"a", "b", "c", "d", "e", "f", "g", "h", "i"})
        many.push_back(strided(name, DType::u8, (Index{1} << 61) - 1, {0}));
    check_refused<InputError>("2^64 bytes", save(many), {"\"i\"", "less than 2^64 bytes"});
    check_refused<InputError>(
        "a header beyond the limit",
        [] {
            detail::safetensors_header({}, {{"a", "b"}, {"k", std::string(100'000'000, 'x')}});
        },
        {"header", "at most 100000000 bytes", "100000040"});
    CHECK(fs::is_empty(folder.path()));
    check_refused<IoError>("no folder",
                           [&] { save_safetensors(folder / "no/a.safetensors", {good}); },
                           {"no/a.safetensors", "writable", "No such file"});
    fs::create_directory(folder / "a.safetensors");
    check_refused<IoError>("a folder in the way", save({good}), {"a.safetensors", "writable"});
#if __has_include(<sys/stat.h>)
    // As root, a device would be replaced by a file.
    REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
    check_refused<IoError>("a pipe in the way", [&] { save_safetensors(folder / "pipe", {good}); },
                           {"pipe", "a folder, pipe or device"});
    CHECK(fs::is_fifo(folder / "pipe"));
    fs::remove(folder / "pipe");
#endif
    CHECK(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()) == 1);
    if (fs::exists("/dev/full")) {
        // The pending file stands beside its target, so a full device is met through the stream
        // itself.
        fs::create_symlink("/dev/full", folder / "full");
        std::ofstream stream(folder / "full", std::ios::binary);
        detail::write_elements(stream, good);
        stream.close();
        CHECK_FALSE(stream);
    }
}

#if __has_include(<sys/resource.h>)
TEST_CASE("a file that cannot be written whole is an error and leaves nothing behind") {
    const TemporaryFolder folder;
    const std::string bytes(1 << 20, 'x');
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
    rlimit small = before;
    small.rlim_cur = 1 << 16;
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);  // so that writing fails instead
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
    check_refused<IoError>("a limit of 64 KiB",
                           [&] {
                               save_safetensors(folder / "a.safetensors",
                                                {{"x", DType::u8, {1 << 20}, as_bytes(bytes), {}}});
                           },
                           {"a.safetensors", "a writable file", "File too large"});
    ::setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, handler);
    CHECK(fs::is_empty(folder.path()));
}
#endif

TEST_CASE("headers that the format allows are read") {
    const std::string entry = R"("a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
    for (
        const std::string& header :
        {"{" + entry + "}", " \n\t{" + entry + "} \n", "{" + entry + R"(,"__metadata__":{}})",
         R"({"__metadata__":{"a":"1","b":""},)" + entry + "}",
         std::string(R"({"a":{"data_offsets":[0,8],"shape":[2],"dtype":"F32"}})"),
         std::string(
             R"({"\u0061":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"more":{"x":[1,null]}}})"),
         std::string(
             R"({"a":{"more":7,"dtype":"F32","shape":[2],"data_offsets":[0,8],"and":false}})"),
         std::string(
             R"({"a":{"more":-1.5,"dtype":"F32","shape":[2],"data_offsets":[0,8],"and":"s"}})"),
         std::string(
             R"({"a":{"more":{"dtype":"I8"},"dtype":"F32","and":[3],"shape":[2],"data_offsets":[0,8]}})"),
         std::string(
             R"({"a":{"dtype":"F32","shape":[2],"more":[[],{"x":1},-1,"s"],"data_offsets":[0,8]}})"),
         "{" + entry + R"(,"b":{"dtype":"I64","shape":[0,3],"data_offsets":[8,8]}})",
         R"({"b":{"dtype":"I64","shape":[0],"data_offsets":[0,0]},)" + entry + "}"}) {
        INFO(header);
        const std::string bytes = safetensors(header, 8);
        const auto file = parse(bytes);
        REQUIRE(file.find("a") != nullptr);
        CHECK(file.find("a")->bytes.size() == 8);
    }
    const std::string no_tensor = safetensors("{}");
    const auto empty = parse(no_tensor);
    CHECK(empty.tensors().empty());
    const std::string of_half_bytes =
        safetensors(R"({"a":{"dtype":"F4","shape":[2,3],"data_offsets":[0,3]}})", 3);
    const auto half_bytes = parse(of_half_bytes);
    CHECK(half_bytes.find("a")->size() == 6);
    const std::string of_scalar =
        safetensors(R"({"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}})", 4);
    const auto scalar = parse(of_scalar);
    CHECK(scalar.find("a")->size() == 1);
}

TEST_CASE("a header beyond the limit of the format is refused") {
    // 100,000,001 bytes, in a file that has them.
    const std::string large = little(100'000'001, 8) + std::string(100'000'001, ' ');
    check_refused<FormatError>("beyond the limit", [&] { parse(large); },
                               {"from 2 to 100000000", "100000001"});
}

TEST_CASE("many empty tensors are read in little time, and more than a million are refused") {
    const auto header = [](int count) {
        std::string text = "{";
        for (int i = 0; i < count; ++i) {
            text += (i == 0 ? "\"" : ",\"") + std::to_string(i) +
                    R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
        }
        return safetensors(text + "}");
    };
    const std::string of_many = header(100'000);
    const auto many = parse(of_many);
    CHECK(many.tensors().size() == 100'000);
    check_refused<FormatError>("too many", [&] { parse(header(1'000'001)); }, {"1000000 tensors"});
    std::string metadata = R"({"__metadata__":{"x":"")";
    for (int i = 0; i < 100'000; ++i) metadata += ",\"" + std::to_string(i) + "\":\"\"";
    check_refused<FormatError>("too many strings", [&] { parse(safetensors(metadata + "}}")); },
                               {"100000 strings"});
}

TEST_CASE("a changed safetensors file is read in bounds or refused, never anything else") {
    const std::string good = contents(data_folder / "sharded" / "model-00001-of-00002.safetensors");
    const std::size_t header_end = good.size() - 54;
    int accepted = 0;
    const auto attempt = [&](const std::string& bytes) {
        try {
            // A copy of its own, so that a sanitizer sees a read past the end.
            const std::vector<char> copy(bytes.begin(), bytes.end());
            const auto file = parse(std::string_view(copy.data(), copy.size()));
            for (const auto& tensor : file.tensors()) {
                std::vector<double> values(static_cast<std::size_t>(tensor.size()));
                if (is_weight(tensor.dtype)) convert(tensor, values.data());
            }
            ++accepted;
        } catch (const FormatError&) {
        }
    };
    for (std::size_t at = 0; at < header_end; ++at) {
        for (int value = 0; value < 256; ++value) {
            std::string bytes = good;
            bytes[at] = static_cast<char>(value);
            attempt(bytes);
        }
    }
    CHECK(accepted > 0);  // the good one among them
    accepted = 0;
    for (std::size_t at = 0; at < good.size(); ++at) {
        attempt(good.substr(0, at));
        attempt(good.substr(0, at) + 'x' + good.substr(at));
        if (at != header_end - 1) attempt(good.substr(0, at) + good.substr(at + 1));
    }
    CHECK(accepted == 0);
}

TEST_CASE("what is no regular file is refused without waiting for it") {
    const TemporaryFolder folder;
    const auto open = [](const fs::path& path) { return [path] { MappedFile::open(path); }; };
    check_refused<IoError>("nothing", open(folder / "a"),
                           {(folder / "a").string(), "No such file"});
    check_refused<IoError>("a folder", open(folder.path()),
                           {folder.path().string(), "a regular file"});
    fs::create_symlink(folder / "nowhere", folder / "dangling");
    check_refused<IoError>("a dangling link", open(folder / "dangling"),
                           {"dangling", "No such file"});
#if __has_include(<sys/stat.h>)
    REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
    check_refused<IoError>("a pipe", open(folder / "pipe"), {"pipe", "a regular file"});
#endif
    if (fs::exists("/dev/zero"))
        check_refused<IoError>("a device", open("/dev/zero"), {"a regular file"});
    detail::write_file(folder / "empty", "");
    CHECK(MappedFile::open(folder / "empty").bytes().empty());
    detail::write_file(folder / "three", "abc");
    MappedFile first = MappedFile::open(folder / "three");
    MappedFile second = std::move(first);
    CHECK(detail::as_text(second.bytes()) == "abc");
    second = MappedFile::open(folder / "empty");
    CHECK(second.bytes().empty());
}

// Folders, shards and scopes.

TEST_CASE("both kinds of shards are read as one checkpoint") {
    for (const auto& [folder, index, shard] :
         {std::tuple("sharded", "model.safetensors.index.json", "model-00001-of-00002.safetensors"),
          std::tuple("torch_sharded", "pytorch_model.bin.index.json",
                     "pytorch_model-00001-of-00002.bin")}) {
        const auto checkpoint = Checkpoint::open(data_folder / folder);
        CHECK(checkpoint.source() == data_folder / folder / index);
        CHECK(checkpoint.names() == plain_names);
        for (const auto& tensor : checkpoint.tensors()) check_generated(tensor);
        CHECK(checkpoint.file_of("bf16") == (data_folder / folder / shard).string());
        CHECK(checkpoint.file_of("vector") != checkpoint.file_of("bf16"));
        CHECK(checkpoint.file_of("absent") == checkpoint.source().string());
        CHECK(checkpoint.find("absent") == nullptr);
    }
}

TEST_CASE("the files of a folder are looked for in the order of transformers") {
    const TemporaryFolder folder;
    check_refused<IoError>("an empty folder", [&] { (void)Checkpoint::open(folder.path()); },
                           {folder.path().string(),
                            "model.safetensors, model.safetensors.index.json, "
                            "pytorch_model.bin, pytorch_model.bin.index.json",
                            "an empty folder"});
    check_refused<IoError>("no folder", [&] { (void)Checkpoint::open(folder / "no"); },
                           {(folder / "no").string(), "pytorch_model.bin.index.json", "no folder"});
    const std::string index = R"({"weight_map":{"t":"t.bin"}})";
    detail::write_file(
        folder / "t.bin",
        torch_archive(pickled::whole(pickled::dict(
            pickled::string("t") +
            pickled::tensor(pickled::storage("FloatStorage", "0", 6), 0, {6}, {1})))));
    detail::write_file(folder / "pytorch_model.bin.index.json", index);
    CHECK(Checkpoint::open(folder.path()).names() == std::vector<std::string>{"t"});
    fs::copy_file(data_folder / "module.bin", folder / "pytorch_model.bin");
    CHECK(Checkpoint::open(folder.path()).names() == std::vector<std::string>{"bias", "weight"});
    detail::write_file(folder / "s.safetensors", safetensors(entry("[1]", "[0,4]"), 4));
    detail::write_file(folder / "model.safetensors.index.json",
                       R"({"weight_map":{"a":"s.safetensors"}})");
    CHECK(Checkpoint::open(folder.path()).names() == std::vector<std::string>{"a"});
    save_safetensors(folder / "model.safetensors", {{"b", DType::u8, {1}, as_bytes("x"), {}}});
    CHECK(Checkpoint::open(folder.path()).names() == std::vector<std::string>{"b"});
    fs::remove(folder / "model.safetensors");
    fs::create_symlink(folder / "nowhere", folder / "model.safetensors");
    check_refused<IoError>("a dangling link is no reason to take the next",
                           [&] { (void)Checkpoint::open(folder.path()); },
                           {"model.safetensors", "No such file"});
}

TEST_CASE("the error for a wrong folder says what is there and what to do") {
    const auto told = [](const std::vector<std::string>& names) {
        const TemporaryFolder folder;
        for (const std::string& name : names) {
            fs::create_directories((folder / name).parent_path());
            detail::write_file(folder / name, "{}");
        }
        try {
            (void)Checkpoint::open(folder.path());
        } catch (const IoError& error) {
            return error.found();
        }
        return std::string("opened");
    };
    CHECK(told({"x/y"}) == "other files (x, ...)");
    CHECK(told({"config.json", "adapter_config.json", "adapter_model.safetensors"})
              .starts_with("a PEFT adapter"));
    CHECK(told({"config.json", "onnx/model.onnx", "tokenizer.json"})
              .starts_with("ONNX weights (onnx): load it in Python"));
    CHECK(told({"config.json", "model_quantized.onnx"})
              .starts_with("ONNX weights (model_quantized.onnx)"));
    CHECK(told({"config.json", "tf_model.h5"}).starts_with("TensorFlow weights"));
    CHECK(told({"config.json", "flax_model.msgpack"}).starts_with("Flax weights"));
    CHECK(told({"model.Q4.gguf"}).starts_with("GGUF weights"));
    CHECK(told({"config.json", "bert.safetensors"}).ends_with("name the file model.safetensors"));
    CHECK(told({"config.json", "model-00001-of-00002.safetensors"}).starts_with("shards without"));
    CHECK(told({"config.json", "training_args.bin"}).starts_with("other files"));
    CHECK(told({"tokenizer.json", "vocab.txt"}) == "a tokenizer without a model: tokenize runs it");
    CHECK(told({"config.json", "vocab.txt"}) == "a config and a tokenizer without weights");
    CHECK(told({"checkpoint-500/config.json"}) ==
          "a folder around the model, which is in \"checkpoint-500\"");
    CHECK(told({"modules.json", "0_Transformer/config.json"})
              .ends_with("embed and search run it whole"));
    CHECK(told({"my-onnx/x"}) == "other files (my-onnx, ...)");
    CHECK(told({"refs/main", "snapshots/x/config.json"}).find("cache") != std::string::npos);
    const TemporaryFolder folder;
    detail::write_file(folder / "f", "");
    check_refused<IoError>("a file", [&] { (void)Checkpoint::open(folder / "f"); },
                           {"give the folder"});
    for (const char* weights : {"model.safetensors", "pytorch_model.bin"}) {
        const TemporaryFolder of_weights;
        detail::write_file(of_weights / weights, "");
        CHECK(detail::what_is_there(of_weights.path(), {}) == "weights without a config.json");
    }
}

TEST_CASE("the shards that an index names are read for what they hold, as transformers does") {
    const TemporaryFolder folder;
    const auto save = [&](const std::string& shard, const std::string& names, char value) {
        const std::string bytes(1, value);
        std::vector<TensorView> tensors;
        for (const char name : names)
            tensors.push_back({std::string(1, name), DType::u8, {1}, as_bytes(bytes), {}});
        save_safetensors(folder / shard, tensors);
    };
    std::vector<std::string> notices;
    const auto open = [&](const std::string& map) {
        notices.clear();
        detail::write_file(folder / "model.safetensors.index.json",
                           "{\"weight_map\":{" + map + "}}");
        FileOptions files;
        files.on_notice = [&](const Notice& notice) { notices.push_back(notice.text()); };
        return Checkpoint::open(folder.path(), files);
    };
    const auto is_noted = [&](const char* part) {
        return notices.size() == 1 && notices.front().find(part) != std::string::npos;
    };
    save("1.safetensors", "ab", '1');
    save("2.safetensors", "c", '2');
    save("3.safetensors", "b", '3');
    CHECK(open(R"("a":"1.safetensors","b":"1.safetensors","c":"2.safetensors")").names() ==
          std::vector<std::string>{"a", "b", "c"});
    CHECK(notices.empty());
    // Listed, but in no shard.
    const auto fewer = open(R"("a":"1.safetensors","b":"1.safetensors","d":"1.safetensors")");
    CHECK(fewer.names() == std::vector<std::string>{"a", "b"});
    CHECK(is_noted("tensor \"d\": in no shard"));
    // In a shard, but not listed; listed for another shard.
    const auto unlisted = open(R"("a":"1.safetensors")");
    CHECK(unlisted.find("b") != nullptr);
    CHECK(is_noted("tensor \"b\": in 1.safetensors, where the index does not have it"));
    const auto moved = open(R"("a":"1.safetensors","b":"2.safetensors","c":"2.safetensors")");
    CHECK(moved.file_of("b") == (folder / "1.safetensors").string());
    CHECK(is_noted("tensor \"b\""));
    // In two shards: the last one counts.
    const auto twice = open(R"("a":"1.safetensors","b":"3.safetensors")");
    CHECK(twice.file_of("b") == (folder / "3.safetensors").string());
    CHECK(twice.find("b")->bytes[0] == std::byte{'3'});
    CHECK(is_noted("not used"));
    check_refused<IoError>("a shard that is missing", [&] { open(R"("a":"4.safetensors")"); },
                           {"4.safetensors", "index.json", "nothing"});
}

TEST_CASE("an index of 32 MiB is read, a larger one is refused by its size") {
    const TemporaryFolder folder;
    const auto open = [&](std::size_t size) {
        return [&folder, size] {
            detail::write_file(folder / "model.safetensors.index.json", std::string(size, ' '));
            (void)Checkpoint::open(folder.path());
        };
    };
    check_refused<FormatError>("32 MiB of white space", open(33554432), {"index.json", "byte 0"});
    check_refused<FormatError>("one byte more", open(33554433),
                               {"index.json", "33554432", "33554433"});
}

TEST_CASE("a scope reads by its path, checks shapes and remembers what was read") {
    const TemporaryFolder folder;
    std::string floats;
    for (int i = 0; i < 6; ++i)
        floats += little(std::bit_cast<std::uint32_t>(static_cast<float>(i)), 4);
    const auto bytes = as_bytes(floats);
    save_safetensors(folder / "model.safetensors",
                     {{"layer.3.w", DType::f32, {2, 3}, bytes, {}},
                      {"layer.3.conv", DType::f32, {2, 1, 3, 1}, bytes, {}},
                      {"layer.3.b", DType::f32, {6}, bytes, {}},
                      {"layer.30.b", DType::f32, {6}, bytes, {}},
                      {"scalar", DType::f32, {}, bytes.first(4), {}},
                      {"none", DType::f32, {0, 3}, {}, {}},
                      {"ids", DType::i64, {3}, bytes, {}},
                      {"f8", DType::f8_e4m3, {24}, bytes, {}}});
    const StateDict state(Checkpoint::open(folder.path()));
    const StateDict layer = state["layer"][3];
    CHECK(layer.prefix() == "layer.3.");
    CHECK(layer.has("w"));
    CHECK_FALSE(state.has("w"));
    const auto matrix = layer.matrix<float>("w", 2, 3);
    CHECK(matrix(1, 0) == 3);
    CHECK(state.matrix<float>("scalar", {})(0, 0) == 0);
    CHECK(state.matrix<float>("none", {0, 3}).rows() == 0);
    const auto conv = layer.matrix<double>("conv", {2, 1, 3, 1});
    CHECK(conv.rows() == 2);
    CHECK(conv(1, 2) == 5);
    CHECK(layer.unused() == std::vector<std::string>{"layer.3.b"});
    CHECK(layer.vector<float>("b", 6)(5) == 5);
    CHECK(layer.unused().empty());
    state.ignore("ids");
    state.ignore("absent");
    CHECK(state.unused() == std::vector<std::string>{"f8", "layer.30.b"});
    const std::string file = (folder / "model.safetensors").string();
    check_refused<TensorError>("missing", [&] { layer.vector<float>("absent", 6); },
                               {file, "\"layer.3.absent\"", "shape [6]", "found nothing"});
    check_refused<TensorError>("transposed", [&] { layer.matrix<float>("w", 3, 2); },
                               {file, "\"layer.3.w\"", "[3, 2]", "found [2, 3]"});
    check_refused<TensorError>("another rank", [&] { layer.matrix<float>("b", 2, 3); },
                               {"[2, 3]", "found [6]"});
    check_refused<TensorError>("integers", [&] { state.vector<float>("ids", 3); },
                               {file, "\"ids\"", "F32", "I64"});
    check_refused<UnsupportedError>("8-bit floats", [&] { state.vector<float>("f8", 24); },
                                    {file, "\"f8\"", "F8_E4M3"});
    check_refused<TensorError>("a size beyond memory",
                               [&] { layer.vector<float>("b", Index{1} << 60); }, {"found [6]"});
}

TEST_CASE("what a StateWriter collects is what a StateDict reads, also where it is empty") {
    const TemporaryFolder folder;
    const StateWriter writer;
    Matrix<double> matrix(2, 3);
    matrix << 0, 1, 2, 3, 4, 0.1;
    writer["layer"][3].add("w", matrix);
    writer["layer"][3].add("conv", matrix, {2, 1, 3});
    writer.add("flat", matrix, {6});
    writer.add("none", RowVector<float>(Index{0}));
    writer.write(folder / "model.safetensors");
    const StateDict state(Checkpoint::open(folder.path()));
    CHECK(state.checkpoint().names() ==
          std::vector<std::string>{"flat", "layer.3.conv", "layer.3.w", "none"});
    CHECK(state.checkpoint().find("layer.3.conv")->shape == std::vector<Index>{2, 1, 3});
    CHECK((state["layer"][3].matrix<double>("w", 2, 3) == matrix));
    CHECK(state.vector<double>("flat", 6)(5) == 0.1);
    CHECK(state.vector<float>("none", 0).size() == 0);
    CHECK(state.checkpoint().find("none")->dtype == DType::f32);
}

TEST_CASE("a tensor whose pages were given back after reading is read again, neighbours too") {
    const TemporaryFolder folder;
    std::string floats;
    for (int i = 0; i < 5000; ++i)  // some pages, from anywhere in one to anywhere in another
        floats += little(std::bit_cast<std::uint32_t>(static_cast<float>(i)), 4);
    save_safetensors(folder / "model.safetensors",
                     {{"a", DType::f32, {5000}, as_bytes(floats), {}},
                      {"b", DType::f32, {2500, 2}, as_bytes(floats), {}}});
    const StateDict state(Checkpoint::open(folder.path()));
    for (int round = 0; round < 2; ++round) {
        const auto a = state.vector<float>("a", 5000);
        const auto b = state.matrix<double>("b", 2500, 2);
        for (Index i = 0; i < 5000; ++i) {
            REQUIRE(a(i) == static_cast<float>(i));
            REQUIRE(b(i / 2, i % 2) == static_cast<double>(i));
        }
    }
}

// Torch archives.

TEST_CASE(
    "state dicts that torch saved are read in every protocol: views, ties, parameters, all "
    "dtypes") {
    for (const char* file :
         {"protocol2.bin", "protocol3.bin", "protocol4.bin", "protocol5.bin", "legacy_views.bin"}) {
        INFO(file);
        const auto archive = TorchArchive::open(data_folder / file);
        for (const auto& tensor : archive.tensors()) check_generated(tensor);
        for (const std::string& name : plain_names) CHECK(archive.find(name) != nullptr);
        CHECK(archive.tensors().size() == plain_names.size() + 9);
        const auto* tied = archive.find("tied.a");
        REQUIRE(tied != nullptr);
        CHECK(tied->bytes.data() == archive.find("tied.b")->bytes.data());
        CHECK(tied->bytes.data() == archive.find("tied.c")->bytes.data());
        CHECK(archive.find("tied.c")->shape == std::vector<Index>{2, 4});
        CHECK(archive.find("transposed")->strides == std::vector<Index>{1, 3});
        CHECK(archive.find("slice")->strides.empty());
        CHECK(archive.find("columns")->strides == std::vector<Index>{3, 1});
        CHECK(archive.find("expanded")->strides == std::vector<Index>{0, 0});
        CHECK(archive.find("empty")->shape == std::vector<Index>{0, 3});
    }
    for (const char* file : {"module.bin", "repacked.bin", "without_crc.bin", "legacy.bin"}) {
        INFO(file);
        const auto archive = TorchArchive::open(data_folder / file);
        CHECK(archive.tensors().size() == 2);
        for (const auto& tensor : archive.tensors()) check_generated(tensor);
    }
}

TEST_CASE("what torch also saves but is no plain state dict is refused with advice") {
    for (const auto& [file, parts] : std::vector<std::pair<std::string, std::vector<std::string>>>{
             {"big_endian_legacy.bin", {"little-endian", "big-endian"}},
             {"deflated.bin", {"stored", "save it again", "method 8"}},
             {"scripted.bin", {"state dict", "TorchScript"}},
             {"big_endian.bin", {"byteorder", "little", "big"}},
             {"uint16.bin", {"data.pkl", "_rebuild_tensor_v3"}},
             {"object.bin", {"data.pkl", "pathlib"}}}) {
        check_refused<UnsupportedError>(
            file, [&file = file] { TorchArchive::open(data_folder / file); }, parts);
    }
    check_refused<FormatError>("a tensor",
                               [] { TorchArchive::open(data_folder / "bare_tensor.bin"); },
                               {"a dict", "a tensor"});
    check_refused<FormatError>("nested", [] { TorchArchive::open(data_folder / "nested.bin"); },
                               {"\"state_dict\"", "a tensor", "a dict"});
    check_refused<FormatError>(
        "no zip", [] { TorchArchive::parse(as_bytes("<html>not found</html>"), "a.bin"); },
        {"a.bin", "<html>"});
    check_refused<UnsupportedError>("a bare pickle",
                                    [] { TorchArchive::parse(as_bytes("\x80\x02}."), "a.bin"); },
                                    {"a.bin", "save it again", "a bare pickle"});
}

// Indices on disk hold it. The values are FNV-1a's, by ten lines of Python.
TEST_CASE("a fingerprint is the same in every version") {
    detail::Fingerprint fingerprint;
    fingerprint.add("foobar");
    CHECK(fingerprint.value() == 0x85944171F73967E8U);
    fingerprint.add(nystromformer::Index{7});
    CHECK(fingerprint.value() == 0x724ADE35D4927BCFU);
}

}  // namespace checkpoint_test
