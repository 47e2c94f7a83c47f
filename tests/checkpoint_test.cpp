// SPDX-License-Identifier: MIT
// The checkpoint step: conversions, safetensors, shards, torch archives, scopes; right files and
// wrong ones.
#include <nystromformer/checkpoint/state_dict.hpp>

#include "catch.hpp"
#include "checkpoint/bytes.hpp"

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

TEST_CASE("what cannot be written is told and leaves nothing behind") {
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
    CHECK(fs::is_empty(folder.path()));
    check_refused<IoError>("no folder",
                           [&] { save_safetensors(folder / "no/a.safetensors", {good}); },
                           {"no/a.safetensors", "writable", "No such file"});
    fs::create_directory(folder / "a.safetensors");
    check_refused<IoError>("a folder in the way", save({good}), {"a.safetensors", "writable"});
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
             R"({"a":{"more":-1.5,"dtype":"F32","shape":[2],"data_offsets":[0,8],"and":"s"}})"),
         "{" + entry + R"(,"b":{"dtype":"I64","shape":[0,3],"data_offsets":[8,8]}})",
         R"({"b":{"dtype":"I64","shape":[0],"data_offsets":[0,0]},)" + entry + "}"}) {
        INFO(header);
        const std::string bytes = safetensors(header, 8);
        const auto file = parse(bytes);
        REQUIRE(file.find("a") != nullptr);
        CHECK(file.find("a")->bytes.size() == 8);
    }
    CHECK(parse(safetensors("{}")).tensors().empty());
    CHECK(parse(safetensors(R"({"a":{"dtype":"F4","shape":[2,3],"data_offsets":[0,3]}})", 3))
              .find("a")
              ->size() == 6);
    CHECK(parse(safetensors(R"({"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}})", 4))
              .find("a")
              ->size() == 1);
}

TEST_CASE("a wrong header length is told before anything is allocated") {
    const std::string good = safetensors("{}");
    const std::uint64_t huge = std::uint64_t{1} << 63;
    for (const auto& [title, bytes, parts] :
         std::vector<std::tuple<std::string, std::string, std::vector<std::string>>>{
             {"an empty file", "", {"8 bytes", "0 bytes"}},
             {"seven bytes", "1234567", {"8 bytes", "7 bytes"}},
             {"the length alone", good.substr(0, 8), {"from 2 to 0", "found 2"}},
             {"a length of 0", little(0, 8) + "{}", {"byte 0", "found 0"}},
             {"a length of 1", little(1, 8) + "{}", {"found 1"}},
             {"one more than the file has",
              little(3, 8) + "{}",
              {"from 2 to 2", "10 bytes", "found 3"}},
             {"2^63", little(huge, 8) + "{}", {"9223372036854775808"}},
             {"2^64 - 1", little(~std::uint64_t{0}, 8) + "{}", {"18446744073709551615"}},
             {"the sum with 8 wraps",
              little(~std::uint64_t{0} - 7, 8) + "{}",
              {"18446744073709551608"}},
             {"a Git LFS pointer",
              "version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
              {"Git LFS", "never downloaded"}},
         }) {
        auto all = parts;
        all.push_back("a.safetensors");
        check_refused<FormatError>(
            title, [&bytes = bytes] { parse(bytes); }, all);
    }
    // A header of 100,000,001 bytes in a file that has them.
    const std::string large = little(100'000'001, 8) + std::string(100'000'001, ' ');
    check_refused<FormatError>("beyond the limit", [&] { parse(large); },
                               {"from 2 to 100000000", "100000001"});
}

namespace {

struct HeaderCase {
    const char* title;
    std::string header;
    std::size_t data_size;
    std::vector<std::string> parts;
};

std::string entry(const std::string& shape, const std::string& offsets,
                  const std::string& dtype = "\"F32\"") {
    return R"({"a":{"dtype":)" + dtype + R"(,"shape":)" + shape + R"(,"data_offsets":)" + offsets +
           "}}";
}
std::string two(const std::string& offsets_a, const std::string& offsets_b) {
    return R"({"a":{"dtype":"U8","shape":[4],"data_offsets":)" + offsets_a +
           R"(},"b":{"dtype":"U8","shape":[4],"data_offsets":)" + offsets_b + "}}";
}

const std::vector<HeaderCase>& malformed_headers() {
    static const std::vector<HeaderCase> cases{
        // Not JSON, or not an object of objects.
        {"not JSON", "xx", 0, {"header: byte 1", "JSON"}},
        {"cut short", R"({"a":{"dtype")", 0, {"JSON"}},
        {"an array at the root", "[]", 0, {"an object", "an array"}},
        {"a number at the root", "12", 0, {"an object", "12"}},
        {"null at the root", "null", 0, {"an object", "null"}},
        {"text after the end", "{} {}", 0, {"byte 4", "JSON"}},
        {"a NUL after the end", std::string("{}\0\0", 4), 0, {"byte 2", "NUL"}},
        {"a NUL and a second header", std::string("{}\0{\"a\":1}", 10), 0, {"NUL"}},
        {"a byte order mark", "\xEF\xBB\xBF{}", 0, {"byte order mark"}},
        {"a comment", "{/**/}", 0, {"JSON"}},
        {"a comma too many", R"({"__metadata__":{},})", 0, {"JSON"}},
        {"single quotes", "{'a':1}", 0, {"JSON"}},
        {"invalid UTF-8", "{\"\xFF\":{}}", 0, {"byte 3", "JSON", "\\xff"}},
        {"an overlong UTF-8 sequence", "{\"\xC0\x80\":{}}", 0, {"JSON"}},
        {"a lone surrogate", R"({"\ud800":{}})", 0, {"JSON"}},
        {"a raw control character", "{\"\x01\":{}}", 0, {"JSON"}},
        {"a NUL in a name", R"({"a\u0000":{}})", 0, {"NUL", "\"a\\x00\""}},
        {"a name of a megabyte",
         "{\"" + std::string(1 << 20, 'n') + "\":{}}",
         0,
         {"byte 2", "393216 bytes", "nnn..."}},
        {"a name of 100,000 bytes",
         "{\"" + std::string(100'000, 'n') + "\":{}}",
         0,
         {"65536 bytes", "100000", "nnn..."}},
        {"a number of a megabyte",
         entry("[" + std::string(1 << 20, '1') + "]", "[0,4]"),
         4,
         {"393216 bytes", "111..."}},
        {"deep arrays", std::string(100'000, '['), 0, {"an object", "an array"}},
        {"deep arrays in a tensor",
         R"({"a":)" + std::string(100'000, '['),
         0,
         {"/a", "an object", "an array"}},
        {"deep arrays in an unknown field",
         R"({"a":{"x":)" + std::string(100'000, '['),
         0,
         {"/a", "depth"}},
        {"a tensor that is null", R"({"a":null})", 0, {"/a", "an object", "null"}},
        {"a tensor that is a number", R"({"a":1})", 0, {"/a", "an object", "1"}},
        {"a tensor that is an array",
         R"({"a":["F32",[1],[0,4]]})",
         4,
         {"/a", "an object", "an array"}},
        // Duplicates.
        {"a tensor twice",
         R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"b":{"dtype":"U8","shape":[0],)"
         R"("data_offsets":[0,0]},"\u0061":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})",
         0,
         {"duplicate", "\"a\" twice"}},
        {"dtype twice",
         R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4],"dtype":"F32"}})",
         4,
         {"/a", "dtype twice"}},
        {"shape twice",
         R"({"a":{"dtype":"U8","shape":[4],"shape":[4],"data_offsets":[0,4]}})",
         4,
         {"/a", "shape twice"}},
        {"data_offsets twice",
         R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4],"data_offsets":[0,4]}})",
         4,
         {"data_offsets twice"}},
        {"metadata twice", R"({"__metadata__":{},"__metadata__":{}})", 0, {"__metadata__ twice"}},
        {"a key of the metadata twice",
         R"({"__metadata__":{"k":"1","k":"2"}})",
         0,
         {"/__metadata__", "\"k\" twice"}},
        // Missing fields.
        {"no dtype", R"({"a":{"shape":[4],"data_offsets":[0,4]}})", 4, {"/a", "field dtype"}},
        {"no shape", R"({"a":{"dtype":"U8","data_offsets":[0,4]}})", 4, {"/a", "field shape"}},
        {"no data_offsets", R"({"a":{"dtype":"U8","shape":[4]}})", 4, {"/a", "field data_offsets"}},
        {"nothing", R"({"a":{}})", 0, {"/a", "field dtype"}},
        // Metadata.
        {"metadata null", R"({"__metadata__":null})", 0, {"/__metadata__", "null"}},
        {"metadata an array", R"({"__metadata__":[]})", 0, {"/__metadata__", "an array"}},
        {"a number in the metadata",
         R"({"__metadata__":{"k":1}})",
         0,
         {"/__metadata__", "strings", "1 for \"k\""}},
        {"an object in the metadata",
         R"({"__metadata__":{"k":{}}})",
         0,
         {"/__metadata__", "strings", "an object"}},
        {"a tensor in the metadata's place",
         R"({"__metadata__":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})",
         4,
         {"strings"}},
        // dtype.
        {"an unknown dtype",
         entry("[1]", "[0,4]", "\"F128\""),
         4,
         {"/a/dtype", "F32", "BF16", "\"F128\""}},
        {"a dtype in lower case", entry("[1]", "[0,4]", "\"f32\""), 4, {"/a/dtype", "\"f32\""}},
        {"a dtype that is a number",
         entry("[1]", "[0,4]", "32"),
         4,
         {"/a/dtype", "a string", "32"}},
        {"a dtype that is null",
         entry("[1]", "[0,4]", "null"),
         4,
         {"/a/dtype", "a string", "null"}},
        {"a dtype that is an object", entry("[1]", "[0,4]", "{}"), 4, {"/a/dtype", "a string"}},
        // shape.
        {"a negative dimension", entry("[-1]", "[0,4]"), 4, {"/a/shape", "whole", "-1"}},
        {"minus zero", entry("[-0]", "[0,0]"), 0, {"/a/shape", "whole"}},
        {"half a dimension", entry("[1.5]", "[0,4]"), 4, {"/a/shape", "1.5"}},
        {"a whole float", entry("[1.0]", "[0,4]"), 4, {"/a/shape", "1.0"}},
        {"an exponent", entry("[1e3]", "[0,4]"), 4, {"/a/shape", "1e3"}},
        {"true as a dimension", entry("[true]", "[0,4]"), 4, {"/a/shape", "true"}},
        {"a dimension in quotes", entry("[\"1\"]", "[0,4]"), 4, {"/a/shape", "\"1\""}},
        {"an array as a dimension", entry("[[1]]", "[0,4]"), 4, {"/a/shape", "an array"}},
        {"a dimension of 2^63", entry("[0,9223372036854775808]", "[0,0]"), 0, {"/a/shape", "2^63"}},
        {"a dimension of 2^64",
         entry("[18446744073709551616]", "[0,4]"),
         4,
         {"/a/shape", "18446744073709551616"}},
        {"a dimension beyond double", entry("[1e400]", "[0,4]"), 4, {"out of range", "1e400"}},
        {"nine dimensions", entry("[1,1,1,1,1,1,1,1,1]", "[0,4]"), 4, {"/a/shape", "at most 8"}},
        {"a shape that is a number", entry("4", "[0,4]"), 4, {"/a/shape", "an array", "4"}},
        {"an overflow of the elements",
         entry("[2,9223372036854775807]", "[0,4]"),
         4,
         {"\"a\"", "2^63"}},
        {"an overflow to 4 elements",
         entry("[4294967298,4294967298]", "[0,16]"),
         16,
         {"\"a\"", "2^63"}},
        {"an overflow beside a zero",
         entry("[0,4294967296,4294967296]", "[0,0]"),
         0,
         {"\"a\"", "2^63"}},
        {"an overflow of the bits",
         entry("[4611686018427387904]", "[0,0]"),
         0,
         {"\"a\"", "whole bytes"}},
        {"half a byte", entry("[3]", "[0,2]", "\"F4\""), 2, {"\"a\"", "whole bytes", "F4 [3]"}},
        // Offsets.
        {"a negative offset", entry("[1]", "[-4,0]"), 4, {"/a/data_offsets", "-4"}},
        {"half an offset", entry("[1]", "[0,4.0]"), 4, {"/a/data_offsets", "4.0"}},
        {"one offset", entry("[1]", "[0]"), 4, {"/a/data_offsets", "two offsets", "found 1"}},
        {"three offsets", entry("[1]", "[0,4,4]"), 4, {"/a/data_offsets", "two offsets", "more"}},
        {"no offsets", entry("[1]", "[]"), 4, {"/a/data_offsets", "two offsets", "found 0"}},
        {"offsets that are null", entry("[1]", "null"), 4, {"/a/data_offsets", "an array"}},
        {"offsets the wrong way round", entry("[1]", "[4,0]"), 4, {"\"a\"", "in order", "[4, 0)"}},
        {"an end beyond the file",
         entry("[2]", "[0,8]"),
         4,
         {"\"a\"", "inside the 4 bytes", "[0, 8)"}},
        {"an end of 2^64 - 1", entry("[1]", "[0,18446744073709551615]"), 4, {"\"a\"", "inside"}},
        {"fewer bytes than the shape has",
         entry("[2]", "[0,4]"),
         4,
         {"\"a\"", "8 bytes", "found 4"}},
        {"more bytes than the shape has",
         entry("[1]", "[0,8]"),
         8,
         {"\"a\"", "4 bytes", "found 8"}},
        {"bytes for no elements", entry("[0]", "[0,4]"), 4, {"\"a\"", "0 bytes", "found 4"}},
        {"not from 0", entry("[1]", "[4,8]"), 8, {"\"a\"", "from byte 0", "a hole"}},
        {"a hole", two("[0,4]", "[5,9]"), 9, {"\"b\"", "from byte 4", "\"a\" ends", "a hole"}},
        {"an overlap", two("[0,4]", "[3,7]"), 7, {"\"b\"", "\"a\" ends", "an overlap"}},
        {"one range for two", two("[0,4]", "[0,4]"), 4, {"\"b\"", "\"a\" ends", "an overlap"}},
        {"an empty tensor inside another",
         R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
         R"("b":{"dtype":"U8","shape":[0],"data_offsets":[2,2]}})",
         4,
         {"\"b\"", "an overlap"}},
        {"bytes after the last tensor", entry("[1]", "[0,4]"), 5, {"data", "4 bytes", "found 5"}},
        {"bytes and no tensor", "{}", 1, {"data", "0 bytes", "found 1"}},
        {"a missing byte", entry("[1]", "[0,4]"), 3, {"\"a\"", "inside the 3 bytes"}},
    };
    return cases;
}

}  // namespace

TEST_CASE("a malformed safetensors file is told with its file and place") {
    for (const HeaderCase& wrong : malformed_headers()) {
        auto parts = wrong.parts;
        parts.push_back("a.safetensors: ");
        const std::string bytes = safetensors(wrong.header, wrong.data_size);
        check_refused<FormatError>(
            wrong.title, [&] { parse(bytes); }, parts);
    }
    CHECK(malformed_headers().size() >= 80);
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
    CHECK(parse(header(100'000)).tensors().size() == 100'000);
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
    check_refused<IoError>("an empty folder", [&] { Checkpoint::open(folder.path()); },
                           {folder.path().string(),
                            "model.safetensors, model.safetensors.index.json, "
                            "pytorch_model.bin, pytorch_model.bin.index.json",
                            "none of them"});
    check_refused<IoError>("no folder", [&] { Checkpoint::open(folder / "no"); },
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
                           [&] { Checkpoint::open(folder.path()); },
                           {"model.safetensors", "No such file"});
}

TEST_CASE("a file name in an index that is not plain is refused before anything is opened") {
    for (const std::string& name :
         std::vector<std::string>{"../x.safetensors",
                                  "/etc/x.safetensors",
                                  "a/../../x.safetensors",
                                  "a/x.safetensors",
                                  "a\\\\x.safetensors",
                                  "C:x.safetensors",
                                  "\\\\\\\\srv\\\\x.safetensors",
                                  ".",
                                  "..",
                                  "",
                                  ".safetensors",
                                  "x\\u0000.safetensors",
                                  "x.safetensors ",
                                  "x.safetensors.",
                                  "CON",
                                  "x:s.safetensors",
                                  "~/x.safetensors",
                                  "x.bin",
                                  "x.SAFETENSORS",
                                  "x.safetensors/",
                                  "..safetensors",
                                  "x y.safetensors",
                                  "\xC3\xA9.safetensors",
                                  "%2e%2e%2fx.safetensors",
                                  "x\\n.safetensors",
                                  "-\\u202e.safetensors",
                                  std::string(300, 'x') + ".safetensors"}) {
        check_refused<UnsafePathError>(
            name,
            [&] {
                detail::ShardIndex::parse("{\"weight_map\":{\"t\":\"" + name + "\"}}", "index.json",
                                          ".safetensors");
            },
            {"index.json", "/weight_map/t", "plain file name ending in .safetensors"});
    }
    for (const char* name :
         {"x.safetensors", "model-00001-of-00002.safetensors", "A_b.c-1.safetensors"}) {
        CHECK(detail::ShardIndex::parse("{\"weight_map\":{\"t\":\"" + std::string(name) + "\"}}",
                                        "i", ".safetensors")
                  .shards.contains(name));
    }
}

TEST_CASE("a malformed index is told with its file and place") {
    std::string many = "{\"weight_map\":{";
    for (int i = 0; i < 5000; ++i)
        many +=
            (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":\"" + std::to_string(i) + ".bin\"";
    for (const auto& [text, part] : std::vector<std::pair<std::string, std::string>>{
             {"", "JSON"},
             {"[]", "an object"},
             {"{}", "names tensors"},
             {"null", "an object"},
             {R"({"weight_map":{}})", "names tensors"},
             {R"({"weight_map":[]})", "/weight_map"},
             {R"({"weight_map":null})", "/weight_map"},
             {R"({"weight_map":"x.bin"})", "/weight_map"},
             {R"({"weight_map":{"a":1}})", "/weight_map/a"},
             {R"({"weight_map":{"a":null}})", "/weight_map/a"},
             {R"({"weight_map":{"a":{}}})", "/weight_map/a"},
             {R"({"weight_map":{"a":["x.bin"]}})", "/weight_map/a"},
             {R"({"weight_map":{"a":"x.bin","a":"x.bin"}})", "\"a\" twice"},
             {R"({"weight_map":{"a":"x.bin"},"weight_map":{"a":"x.bin"}})", "weight_map twice"},
             {R"({"weight_map":{"a\u0000":"x.bin"}})", "NUL"},
             {R"({"weight_map":{"a":"x.bin"}}x)", "JSON"},
             {R"({"x":)" + std::string(100'000, '['), "depth"},
             {many + "}}", "4096 files"}}) {
        check_refused<FormatError>(
            text.substr(0, 60),
            [&text = text] { detail::ShardIndex::parse(text, "index.json", ".bin"); },
            {"index.json: ", part});
    }
}

TEST_CASE("an index and its shards must agree") {
    const TemporaryFolder folder;
    const auto save = [&](const std::string& shard, const std::vector<std::string>& names) {
        std::vector<TensorView> tensors;
        for (const auto& name : names) tensors.push_back({name, DType::u8, {1}, as_bytes("x"), {}});
        save_safetensors(folder / shard, tensors);
    };
    const auto open = [&](const std::string& map) {
        return [&folder, map] {
            detail::write_file(folder / "model.safetensors.index.json",
                               "{\"weight_map\":{" + map + "}}");
            Checkpoint::open(folder.path());
        };
    };
    save("1.safetensors", {"a", "b"});
    save("2.safetensors", {"c"});
    save("3.safetensors", {"b"});
    CHECK_NOTHROW(open(R"("a":"1.safetensors","b":"1.safetensors","c":"2.safetensors")")());
    check_refused<FormatError>(
        "listed, but in no shard",
        open(R"("a":"1.safetensors","b":"1.safetensors","d":"2.safetensors","c":"2.safetensors")"),
        {"index.json", "\"d\"", "2.safetensors", "nothing"});
    check_refused<FormatError>("in a shard, but not listed", open(R"("a":"1.safetensors")"),
                               {"index.json", "\"b\"", "1.safetensors", "nothing"});
    check_refused<FormatError>(
        "listed for another shard",
        open(R"("a":"1.safetensors","b":"2.safetensors","c":"2.safetensors")"),
        {"\"b\"", "1.safetensors", "found 2.safetensors"});
    check_refused<FormatError>("in two shards", open(R"("a":"1.safetensors","b":"3.safetensors")"),
                               {"\"b\"", "1.safetensors"});
    check_refused<IoError>("a shard that is missing", open(R"("a":"4.safetensors")"),
                           {"4.safetensors", "index.json", "nothing"});
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
                      {"ids", DType::i64, {3}, bytes, {}},
                      {"f8", DType::f8_e4m3, {24}, bytes, {}}});
    const StateDict state(Checkpoint::open(folder.path()));
    const StateDict layer = state["layer"][3];
    CHECK(layer.prefix() == "layer.3.");
    CHECK(layer.has("w"));
    CHECK_FALSE(state.has("w"));
    const auto matrix = layer.matrix<float>("w", 2, 3);
    CHECK(matrix(1, 0) == 3);
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
    for (const char* file : {"protocol2.bin", "protocol3.bin", "protocol4.bin", "protocol5.bin"}) {
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
    for (const char* file : {"module.bin", "repacked.bin", "without_crc.bin"}) {
        INFO(file);
        const auto archive = TorchArchive::open(data_folder / file);
        CHECK(archive.tensors().size() == 2);
        for (const auto& tensor : archive.tensors()) check_generated(tensor);
    }
}

TEST_CASE("what torch also saves but is no plain state dict is refused with advice") {
    for (const auto& [file, parts] : std::vector<std::pair<std::string, std::vector<std::string>>>{
             {"legacy.bin", {"torch 1.6", "save it again", "older torch"}},
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
}

namespace {

TorchArchive parse_torch(std::string_view bytes) {
    return TorchArchive::parse(as_bytes(bytes), "a.bin");
}

const std::string float_storage = pickled::storage("FloatStorage", "0", 6);
const std::string good_tensor = pickled::tensor(float_storage, 0, {2, 3}, {3, 1});

std::string state_of(const std::string& tensor) {
    return pickled::whole(pickled::dict(pickled::string("w") + tensor));
}

}  // namespace

TEST_CASE("a pickle that does more than hold tensors is refused and nothing is run") {
    using namespace pickled;
    CHECK(parse_torch(torch_archive(state_of(good_tensor))).find("w")->shape ==
          std::vector<Index>{2, 3});
    for (const auto& [module, name] :
         {std::pair("os", "system"), std::pair("builtins", "eval"), std::pair("posix", "system"),
          std::pair("torch", "load"), std::pair("torch._utils", "_rebuild_sparse_tensor"),
          std::pair("collections", "OrderedDict.update"), std::pair("", ""),
          std::pair("torch", "QInt8Storage"), std::pair("Torch", "FloatStorage")}) {
        const std::string full = "\"" + std::string(module) + "." + name + "\"";
        const std::string call = whole(global(module, name) + "(" + pickled::string("id") + "tR");
        check_refused<UnsupportedError>(full, [&] { parse_torch(torch_archive(call)); },
                                        {"a.bin", "data.pkl byte", full});
        const std::string stacked =
            whole(pickled::string(module) + pickled::string(name) + "\x93)R");
        check_refused<UnsupportedError>(full, [&] { parse_torch(torch_archive(stacked)); }, {full});
    }
}

TEST_CASE("a malformed pickle is told with its byte") {
    using namespace pickled;
    const std::string dict_global = global("collections", "OrderedDict"),
                      rebuild = global("torch._utils", "_rebuild_tensor_v2");
    const std::string sixty_five(65, '('), hooks = dict_global + ")R";
    std::string long_run = "\x80\x02";
    for (int i = 0; i < 1'000'001; ++i) long_run += 'N';
    for (const auto& [title, pickle, part] :
         std::vector<std::tuple<std::string, std::string, std::string>>{
             {"nothing", "", "1 more bytes"},
             {"the first byte alone", "\x80", "1 more bytes"},
             {"protocol 0", "(dp0\n.", "protocol 2 to 5"},
             {"protocol 1", "\x80\x01}.", "protocol 2 to 5"},
             {"protocol 6", "\x80\x06}.", "protocol 2 to 5"},
             {"no end", "\x80\x02}", "1 more bytes"},
             {"bytes after the end", "\x80\x02}..", "end of the pickle"},
             {"two values", "\x80\x02}}.", "one value"},
             {"an open mark", "\x80\x02(}.", "one value"},
             {"nothing on the stack", "\x80\x02.", "a value on the stack"},
             {"INST", "\x80\x02(ios\nsystem\n.", "opcode \"i\""},
             {"OBJ", "\x80\x02(o.", "opcode \"o\""},
             {"NEWOBJ", whole(dict_global + ")\x81"), "opcode \"\\x81\""},
             {"EXT1", whole("\x82\x01"), "opcode \"\\x82\""},
             {"NEXT_BUFFER", whole("\x97"), "opcode \"\\x97\""},
             {"PERSID", whole("P0\n"), "opcode \"P\""},
             {"a string beyond the end", whole("X\xFF\xFF\xFF\xFF"), "4294967295 more bytes"},
             {"a string of 2^64 - 1", whole("\x8D" + little(~std::uint64_t{0}, 8)),
              "18446744073709551615 more"},
             {"a frame beyond the end", whole("\x95" + little(1000, 8)), "a frame"},
             {"an integer of nine bytes", whole("\x8A\x09" + little(0, 9)), "64 bits"},
             {"a memo that is not there", whole("h\x05"), "a memo below 0"},
             {"a memo far ahead", whole("Nr" + little(1u << 31, 4)), "a memo of at most 0"},
             {"a tuple of what is not there", whole("N\x86"), "2 values"},
             {"a tuple across a mark", whole("N(\x85"), "1 values"},
             {"no mark", whole("t"), "a mark"},
             {"a key alone", whole("}(Nu"), "a key alone"},
             {"an item for a string", whole(pickled::string("x") + "NNs"),
              "a dict, found a string"},
             {"an element for a dict", whole("}Na"), "a list, found a dict"},
             {"a call of a string", whole(pickled::string("x") + ")R"),
              "a class or function, found a string"},
             {"a call with a list", whole(dict_global + "]R"), "a tuple, found a list"},
             {"a call of a storage class", whole(global("torch", "FloatStorage") + ")R"),
              "one of a storage class"},
             {"arguments for OrderedDict", whole(dict_global + "N\x85R"), "OrderedDict()"},
             {"too few arguments", whole(rebuild + ")R"), "_rebuild_tensor_v2(storage"},
             {"a storage that is none", whole(rebuild + "(NK\x01))\x89" + hooks + "tR"),
              "a storage, found None"},
             {"a parameter of a dict",
              whole(global("torch._utils", "_rebuild_parameter") + "(}\x88" + hooks + "tR"),
              "a tensor, found a dict"},
             {"a persistent id that is a string", whole(pickled::string("0") + "Q"),
              "a tuple, found a string"},
             {"four parts of a storage", whole("(NNNNtQ"), "five parts"},
             {"another word", whole("(" + pickled::string("module") + "NNNNtQ"),
              "the word storage"},
             {"a storage of no class", whole("(" + pickled::string("storage") + "NNNNtQ"),
              "a class or function, found None"},
             {"a storage of OrderedDict",
              whole("(" + pickled::string("storage") + dict_global + "NNNtQ"), "a storage class"},
             {"a storage of negative size", whole(pickled::storage("FloatStorage", "0", -1)),
              "at least 0"},
             {"a build of a tensor", state_of(good_tensor + "}b"), "a dict, found a tensor"},
             {"a build with a tuple", whole("})b"), "a dict, found a tuple"},
             {"a global without its lines",
              "\x80\x02"
              "cos",
              "a line"},
             {"deep marks", "\x80\x02" + sixty_five, "a depth of at most 64"},
             {"a million operations", long_run, "1000000 operations"},
             {"a bare integer at the end", whole("K\x01"), "a dict of tensors"},
             {"a key that is a number", whole(dict("K\x01" + good_tensor)), "names as keys"},
             {"a value that is a number", whole(dict(pickled::string("w") + "K\x01")),
              "a tensor, found an integer"},
             {"a key twice",
              whole(dict(pickled::string("w") + good_tensor + pickled::string("w") + good_tensor)),
              "\"w\" twice"},
             {"one string as two keys",
              whole(dict(pickled::string("w") + "q" + std::string(1, '\0') + good_tensor + "h" +
                         std::string(1, '\0') + good_tensor)),
              "\"w\" twice"}}) {
        check_refused<FormatError>(title,
                                   [&pickle = pickle] { parse_torch(torch_archive(pickle)); },
                                   {"a.bin: data.pkl", part});
    }
}

TEST_CASE("a list that holds itself and a memo used a hundred thousand times cost nothing") {
    using namespace pickled;
    const std::string itself = "]q" + std::string(1, '\0') + "h" + std::string(1, '\0') + "a";
    std::string wide = "]q" + std::string(1, '\0') + "(";
    for (int i = 0; i < 100'000; ++i) wide += "h" + std::string(1, '\0');
    for (const std::string& value : {itself, wide + "e"}) {
        check_refused<FormatError>("a list", [&] { parse_torch(torch_archive(state_of(value))); },
                                   {"a tensor, found a list"});
    }
}

TEST_CASE("a tensor that does not lie in its storage is refused") {
    using namespace pickled;
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    for (const auto& [title, tensor] : std::vector<std::pair<std::string, std::string>>{
             {"one row too many", pickled::tensor(float_storage, 0, {3, 3}, {3, 1})},
             {"an offset of one", pickled::tensor(float_storage, 1, {2, 3}, {3, 1})},
             {"an offset at the end", pickled::tensor(float_storage, 6, {1}, {1})},
             {"an offset of 2^63 - 1", pickled::tensor(float_storage, most, {2}, {1})},
             {"a negative offset", pickled::tensor(float_storage, -1, {2}, {1})},
             {"a negative dimension", pickled::tensor(float_storage, 0, {-2, -3}, {3, 1})},
             {"a negative stride", pickled::tensor(float_storage, 5, {2, 3}, {-3, -1})},
             {"a wide stride", pickled::tensor(float_storage, 0, {2, 3}, {4, 1})},
             {"a stride that wraps", pickled::tensor(float_storage, 0, {3, 3}, {most, most})},
             {"a shape that wraps",
              pickled::tensor(float_storage, 0, {std::int64_t{1} << 32, std::int64_t{1} << 32},
                              {0, 0})},
             {"a shape that repeats without end",
              pickled::tensor(float_storage, 0, {std::int64_t{1} << 40}, {0})},
             {"fewer strides", pickled::tensor(float_storage, 0, {2, 3}, {3})},
             {"more strides", pickled::tensor(float_storage, 0, {6}, {3, 1})},
             {"no shape but strides", pickled::tensor(float_storage, 0, {}, {1})},
             {"nine dimensions", pickled::tensor(float_storage, 0, std::vector<std::int64_t>(9, 1),
                                                 std::vector<std::int64_t>(9, 1))},
             {"a storage of more than the entry",
              pickled::tensor(pickled::storage("FloatStorage", "0", 7), 0, {6}, {1})},
             {"a storage of less",
              pickled::tensor(pickled::storage("FloatStorage", "0", 5), 0, {5}, {1})},
             {"a storage of another width",
              pickled::tensor(pickled::storage("DoubleStorage", "0", 6), 0, {6}, {1})},
             {"a size that wraps",
              pickled::tensor(pickled::storage("DoubleStorage", "0", (std::int64_t{1} << 61) + 3),
                              0, {6}, {1})},
             {"a storage that is not there",
              pickled::tensor(pickled::storage("FloatStorage", "1", 6), 0, {6}, {1})},
             {"a storage by a path",
              pickled::tensor(pickled::storage("FloatStorage", "../data/0", 6), 0, {6}, {1})}}) {
        check_refused<FormatError>(
            title, [&tensor = tensor] { parse_torch(torch_archive(state_of(tensor))); },
            {"a.bin: "});
    }
    const std::string two_types =
        pickled::whole(dict(pickled::string("a") + good_tensor + pickled::string("b") +
                            pickled::tensor(pickled::storage("IntStorage", "0", 6), 0, {6}, {1})));
    check_refused<FormatError>("a storage of two types",
                               [&] { parse_torch(torch_archive(two_types)); },
                               {"\"b\"", "one type"});
}

TEST_CASE("zip64 archives are read") {
    const std::string bytes =
        zip({{"a/data.pkl", state_of(good_tensor)}, {"a/data/0", std::string(24, '\0')}}, true);
    CHECK(parse_torch(bytes).tensors().size() == 1);
    std::string wrong = bytes;
    wrong.replace(wrong.rfind("PK\x06\x06") + 32, 8, little(3, 8));
    check_refused<FormatError>("another number of entries", [&] { parse_torch(wrong); }, {"zip64"});
    wrong = bytes;
    wrong.replace(wrong.rfind("PK\x06\x07") + 8, 8, little(~std::uint64_t{0}, 8));
    check_refused<FormatError>("a record beyond the file", [&] { parse_torch(wrong); }, {"zip"});
}

TEST_CASE("a malformed zip archive is told with its entry or byte") {
    const std::string good = torch_archive(state_of(good_tensor));
    const std::size_t local = 0, directory = good.find("PK\x01\x02"),
                      end = good.rfind("PK\x05\x06");
    const auto put = [&](std::size_t at, std::uint64_t value, std::size_t size) {
        std::string bytes = good;
        return bytes.replace(at, size, little(value, size));
    };
    const std::size_t second = good.find("PK\x01\x02", directory + 4);
    for (const auto& [title, bytes, part] :
         std::vector<std::tuple<std::string, std::string, std::string>>{
             {"a byte after the end", good + "x", "end record"},
             {"a byte less", good.substr(0, good.size() - 1), "end record"},
             {"another archive after it", good + good, "a directory that ends"},
             {"four bytes", "PK\x03\x04", "4 bytes"},
             {"a comment", put(end + 20, 1, 2) + "x", "end record"},
             {"two disks", put(end + 4, 1, 2), "one disk"},
             {"other numbers of entries", put(end + 8, 2, 2), "one disk"},
             {"fewer entries", put(end + 8, 2 | (2 << 16), 4), "the end of the directory"},
             {"more entries", put(end + 8, 4 | (4 << 16), 4), "more bytes"},
             {"a directory elsewhere", put(end + 16, directory - 1, 4), "a directory that ends"},
             {"a directory beyond the file", put(end + 16, 0xFFFFFFF0u, 4),
              "a directory that ends"},
             {"a longer directory", put(end + 12, 0xFFFFFFF0u, 4), "a directory that ends"},
             {"no signature in the directory", put(directory, 0, 4), "an entry of the directory"},
             {"a name beyond the directory", put(directory + 28, 0xFFFF, 2), "more bytes"},
             {"an entry on another disk", put(directory + 34, 1, 2), "one disk"},
             {"no local header", put(second + 42, 1, 4), "after the entry before it"},
             {"a local header beyond the directory", put(second + 42, directory, 4),
              "before the directory"},
             {"two entries in one place", put(second + 42, 0, 4), "after the entry before it"},
             {"an entry into the next", put(directory + 20, 500, 4), "a local header like"},
             {"a zip64 size without its field", put(directory + 20, 0xFFFFFFFFu, 4),
              "zip64 extra field"},
             {"no local signature", put(good.find("PK\x03\x04", 4), 0, 4), "a local header"},
             {"another local name", put(local + 30, 'b', 1), "a local header like"},
             {"another local size", put(local + 18, 1, 4), "a local header like"},
             {"another local CRC", put(local + 14, 1, 4), "a local header like"},
             {"another local method", put(local + 8, 8, 2), "a local header like"},
             {"a changed pickle", put(good.find("storage"), 'S', 1), "CRC-32"},
             {"no data.pkl", zip({{"a/data", "x"}}), "data.pkl"},
             {"no folder", zip({{"data.pkl", "x"}}), "<name>/data.pkl"},
             {"two data.pkl", zip({{"a/data.pkl", "x"}, {"b/data.pkl", "x"}}), "two"},
             {"an entry twice", zip({{"a/data.pkl", "x"}, {"a/data.pkl", "x"}}), "twice"}}) {
        check_refused<FormatError>(title, [&bytes = bytes] { parse_torch(bytes); },
                                   {"a.bin: ", part});
    }
    std::string larger = put(directory + 24, 1000, 4);  // than what is stored, in both headers
    larger.replace(local + 22, 4, little(1000, 4));
    check_refused<FormatError>("a stored entry of two sizes", [&] { parse_torch(larger); },
                               {"data.pkl", "1000 stored"});
    std::string encrypted = put(directory + 8, 1, 2);
    encrypted.replace(local + 6, 2, little(1, 2));
    check_refused<UnsupportedError>("an encrypted entry", [&] { parse_torch(encrypted); },
                                    {"data.pkl", "encrypted"});
}

TEST_CASE("a changed torch archive is read in bounds or refused, never anything else") {
    const std::string good = contents(data_folder / "module.bin");
    int accepted = 0;
    const auto attempt = [&](const std::string& bytes) {
        try {
            const std::vector<char> copy(bytes.begin(), bytes.end());
            const auto archive = parse_torch(std::string_view(copy.data(), copy.size()));
            for (const auto& tensor : archive.tensors()) {
                std::vector<double> values(static_cast<std::size_t>(tensor.size()));
                if (is_weight(tensor.dtype)) convert(tensor, values.data());
            }
            ++accepted;
        } catch (const FormatError&) {
        } catch (const UnsupportedError&) {
        }
    };
    attempt(good);
    REQUIRE(accepted == 1);
    for (std::size_t at = 0; at < good.size(); ++at) {
        for (int bit = 0; bit < 8; ++bit) {
            std::string bytes = good;
            bytes[at] = static_cast<char>(bytes[at] ^ (1 << bit));
            attempt(bytes);
        }
    }
    accepted = 0;
    for (std::size_t at = 0; at < good.size(); ++at) {
        attempt(good.substr(0, at));
        attempt(good.substr(0, at) + 'x' + good.substr(at));
    }
    CHECK(accepted == 0);
    // The same through the pickle alone, without a CRC in the way.
    const std::string pickle = state_of(good_tensor);
    for (std::size_t at = 0; at < pickle.size(); ++at) {
        for (int value = 0; value < 256; ++value) {
            std::string changed = pickle;
            changed[at] = static_cast<char>(value);
            attempt(torch_archive(changed));
        }
    }
    CHECK(accepted > 0);
}
