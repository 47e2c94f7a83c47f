// SPDX-License-Identifier: MIT
// Torch archives made here: zip records, pickles and views at their bounds, right and wrong ones.
#include "checkpoint/bytes.hpp"
#include "robustness/malformed/torch_cases.hpp"
#include "support/catch.hpp"
#include "support/library.hpp"

#include <nystromformer/checkpoint/torch_archive.hpp>
#include <nystromformer/tensor.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace torch_archive_test {

using namespace nystromformer;
using namespace nystromformer::testing;

namespace {

TorchArchive parse_torch(std::string_view bytes) {
    return TorchArchive::parse(as_bytes(bytes), "a.bin");
}

/// `bytes` is refused with a message that holds `part`.
void check_refused(const std::string& title, const std::string& bytes, const std::string& part) {
    INFO(title);
    try {
        parse_torch(bytes);
        FAIL_CHECK(title + ": read");
    } catch (const Error& error) {
        const std::string message = error.what();
        INFO(message << "\nlacks: " << part);
        CHECK(message.find(part) != std::string::npos);
    }
}

std::string put(std::string bytes, std::size_t at, std::uint64_t value, std::size_t size) {
    return bytes.replace(at, size, little(value, size));
}

constexpr std::uint64_t all_ones = ~std::uint64_t{0};

/// An archive of one tensor "w", with another value of the state dict's attributes, which are of no
/// use.
std::string with_attribute(const std::string& value) {
    using namespace pickled;
    const std::string dict_of_w = dict(pickled::string("w") + good_tensor);
    return torch_archive(whole(dict_of_w + "}(" + pickled::string("k") + value + "ub"));
}

std::string of_shape(const std::string& shape, const std::string& strides) {
    return torch_archive(state_of(pickled::global("torch._utils", "_rebuild_tensor_v2") + '(' +
                                  float_storage + pickled::integer(0) + shape + strides + '\x89' +
                                  pickled::global("collections", "OrderedDict") + ")RtR"));
}

}  // namespace

TEST_CASE("a list that holds itself and a memo used a hundred thousand times cost nothing") {
    using namespace pickled;
    const std::string itself = "]q" + std::string(1, '\0') + "h" + std::string(1, '\0') + "a";
    std::string wide = "]q" + std::string(1, '\0') + "(";
    for (int i = 0; i < 100'000; ++i) wide += "h" + std::string(1, '\0');
    for (const std::string& value : {itself, wide + "e"}) {
        check_refused("a list", torch_archive(state_of(value)), "a tensor, found a list");
    }
}

TEST_CASE("zip64 archives are read, and their records must agree in every field") {
    const std::string bytes =
        zip({{"a/data.pkl", state_of(good_tensor)}, {"a/data/0", std::string(24, '\0')}}, true);
    const std::size_t record = bytes.rfind("PK\x06\x06"), locator = bytes.rfind("PK\x06\x07"),
                      end = bytes.rfind("PK\x05\x06"), directory = bytes.find("PK\x01\x02");
    CHECK(parse_torch(bytes).tensors().size() == 1);
    CHECK(parse_torch(put(bytes, end + 8, 0xFFFFFFFFu, 4)).tensors().size() == 1);
    CHECK(parse_torch(put(bytes, end + 12, 0xFFFFFFFFu, 4)).tensors().size() == 1);
    CHECK(parse_torch(put(bytes, end + 16, 0xFFFFFFFFu, 4)).tensors().size() == 1);
    const auto refuse = [&](const char* title, std::size_t at, std::uint64_t value,
                            std::size_t size, const char* part) {
        check_refused(title, put(bytes, at, value, size), part);
    };
    refuse("a locator for another disk", locator + 4, 1, 4, "a locator of the zip64 end record");
    refuse("two disks", locator + 16, 2, 4, "a locator of the zip64 end record");
    refuse("no disk", locator + 16, 0, 4, "a locator of the zip64 end record");
    refuse("a byte further", locator + 8, record + 1, 8, "a locator of the zip64 end record");
    refuse("the locator itself", locator + 8, locator, 8, "zip");
    refuse("beyond the file", locator + 8, ~std::uint64_t{0}, 8, "a place inside");
    refuse("no record", record, 0, 4, "a locator of the zip64 end record");
    refuse("a shorter record", record + 4, 43, 8, "a locator of the zip64 end record");
    refuse("a longer record", record + 4, 45, 8, "a locator of the zip64 end record");
    refuse("a record of another disk", record + 16, 1, 4, "the same directory");
    refuse("a directory on another disk", record + 20, 1, 4, "the same directory");
    refuse("fewer entries on this disk", record + 24, 1, 8, "the same directory");
    refuse("another number of entries", record + 32, 3, 8, "the same directory");
    refuse("another size", record + 40, 1, 8, "the same directory");
    refuse("another beginning", record + 48, 1, 8, "the same directory");
    refuse("another number in the end record", end + 8, 0x30003, 4, "the same directory");
    refuse("another size in the end record", end + 12, 1, 4, "the same directory");
    refuse("another beginning in the end record", end + 16, 1, 4, "the same directory");
    refuse("a field of another kind", directory + 46 + 10, 2, 2, "a zip64 extra field");
    refuse("a field that is too short", directory + 46 + 10 + 2, 16, 2, "more bytes");
    check_refused("a size that wraps",
                  put(put(bytes, record + 40, all_ones, 8), end + 12, all_ones, 4),
                  "a directory that ends");
    // A record behind its locator: the end record's own fields, from the second count on.
    std::string behind = put(put(bytes, end + 8, 0x4B504B50, 4), end + 12, 0x0606, 4);
    check_refused("a record behind the locator", put(behind, locator + 8, end + 10, 8),
                  "a locator of the zip64 end record");
    const std::string open = put(bytes, end + 8, 0xFFFFFFFFu, 4);  // the zip64 record alone tells
    const auto with_entries = [&](std::uint64_t count) {
        return put(put(open, record + 24, count, 8), record + 32, count, 8);
    };
    check_refused("a million entries", with_entries(1'000'000), "more bytes");
    check_refused("more than a million", with_entries(1'000'001), "1000000 entries");
}

TEST_CASE("a zip has room for its end record") {
    const std::string smallest = "PK\x03\x04" + std::string(18, '\0');
    check_refused("22 bytes", smallest, "expected the end record of a zip archive");
    check_refused("21 bytes", smallest.substr(0, 21), "expected a zip archive, found 21 bytes");
}

TEST_CASE("what a zip says twice must agree") {
    const std::string bytes = torch_archive(state_of(good_tensor));
    const std::size_t directory = bytes.find("PK\x01\x02"), end = bytes.rfind("PK\x05\x06"),
                      last = bytes.rfind("PK\x01\x02");
    const std::string like = "a local header like";
    check_refused("other flags", put(bytes, 6, 2, 2), like);
    check_refused("no CRC", put(bytes, 14, 0, 4), like);
    check_refused("no packed size", put(bytes, 18, 0, 4), like);
    check_refused("no size", put(bytes, 22, 0, 4), like);
    check_refused("a longer name", put(bytes, 26, 17, 2), like);
    // Flag 8: what is 0 in the local header follows the bytes, and the directory has it.
    const std::string later = put(put(bytes, 6, 8, 2), directory + 8, 8, 2);
    CHECK(parse_torch(later).tensors().size() == 1);
    for (const std::size_t at : {std::size_t{14}, std::size_t{18}, std::size_t{22}}) {
        CHECK(parse_torch(put(later, at, 0, 4)).tensors().size() == 1);
        check_refused("another value", put(later, at, 1, 4), like);
    }
    check_refused("two numbers of entries", put(bytes, end + 10, 4, 2), "one disk");
    check_refused("a directory of another disk", put(bytes, end + 6, 1, 2), "one disk");
    // The last entry grows into the directory, in both headers.
    const std::size_t local = bytes.rfind("PK\x03\x04");
    std::string grown = bytes;
    for (const std::size_t at : {local + 18, local + 22, last + 20, last + 24})
        grown = put(grown, at, 3, 4);
    check_refused("bytes of the directory", grown, "bytes inside it");
    CHECK(parse_torch(zip({{"a/data.pkl", pickled::whole("}")}})).tensors().empty());
    check_refused("the last storage is missing", zip({{"a/data.pkl", state_of(good_tensor)}}),
                  "entry \"a/data/0\" of 6 F32, found nothing");
    check_refused(
        "only a signature and an end record",
        "PK\x03\x04" + std::string("PK\x05\x06") + little(0, 12) + little(4, 4) + little(0, 2),
        "<name>/data.pkl");
    check_refused("no data.pkl in a folder", zip({{"a/b/data.pkl", "x"}}), "<name>/data.pkl");
    check_refused("constants", zip({{"a/constants.pkl", "x"}}), "TorchScript");
    check_refused("code", zip({{"a/code/x", "x"}}), "TorchScript");
    check_refused("code alone", zip({{"a/code", "x"}}), "<name>/data.pkl");
}

TEST_CASE("entries may have comments and fields of any kind") {
    const std::string pickle = pickled::whole("}"), name = "a/data.pkl";
    const std::string sizes = little(detail::crc32(as_bytes(pickle)), 4) +
                              little(pickle.size(), 4) + little(pickle.size(), 4) +
                              little(name.size(), 2) + little(6, 2);
    const std::string extra = little(7, 2) + little(2, 2) + "xy";
    const std::string local =
        "PK\x03\x04" + little(45, 2) + little(0, 8) + sizes + name + extra + pickle;
    const std::string entry = "PK\x01\x02" + little(45, 2) + little(45, 2) + little(0, 8) + sizes +
                              little(3, 2) + little(0, 2) + little(0, 6) + little(0, 4) + name +
                              extra + "abc";
    const std::string end = "PK\x05\x06" + little(0, 4) + little(1, 2) + little(1, 2) +
                            little(entry.size(), 4) + little(local.size(), 4) + little(0, 2);
    CHECK(parse_torch(local + entry + end).tensors().empty());
}

TEST_CASE("a pickle may hold every value of the protocols beside its tensors") {
    const std::string zero(1, '\0'), other = pickled::string("other");  // another key
    for (const std::string& value : std::vector<std::string>{
             std::string("N"),
             std::string("\x88"),
             std::string("\x89"),
             "K" + std::string("\xFF"),
             "M" + little(65535, 2),
             "J" + little(0xFFFFFFFF, 4),
             "\x8A" + zero,
             "\x8A\x01\x80",
             pickled::integer(-1),
             "G" + little(0, 8),
             std::string("U\3abc"),
             "U" + zero,
             std::string("\x8C\3abc"),
             "\x8D" + little(3, 8) + "abc",
             pickled::string("abc"),
             std::string(")"),
             std::string("N\x85"),
             std::string("NN\x86"),
             std::string("NNN\x87"),
             std::string("(t"),
             std::string("(NNNNt"),
             std::string("]"),
             std::string("]Na"),
             std::string("](NNe"),
             std::string("}"),
             std::string("}NNs"),
             std::string("}(NNNNu"),
             "Nq" + zero + other + "h" + zero,
             "Nr" + little(0, 4) + other + "j" + little(0, 4),
             "N\x94" + other + "h" + zero,
             "Nq" + zero + "q\1" + other + "h\1",
             "\x95" + little(1, 8) + "N",
             std::string(64 - 1, '(') + "N" + std::string(63, 't'),
             std::string("\x80\2N"),
             pickled::string("torch") + pickled::string("FloatStorage") + "\x93",
             pickled::global("torch._utils", "_rebuild_parameter")}) {
        INFO(value);
        const auto archive = parse_torch(with_attribute(value));
        CHECK(archive.tensors().size() == 1);
        CHECK(archive.find("w")->shape == std::vector<Index>{2, 3});
    }
    check_refused("a memo of nothing", with_attribute("h" + zero), "a memo below 0");
    check_refused("a memo behind the last", with_attribute("N\x94h\1"), "a memo below 1");
    check_refused("a memo beyond the next", with_attribute("Nq\1"), "a memo of at most 0");
    check_refused("a memo two ahead", with_attribute("N\x94q\2"), "a memo of at most 1");
    check_refused("64 marks more", with_attribute(std::string(64, '(')), "a depth of at most 64");
    check_refused("a frame of one too many", torch_archive("\x80\x02\x95" + little(3, 8) + "}."),
                  "a frame");
    CHECK(parse_torch(torch_archive("\x80\x02\x95" + little(2, 8) + "}.")).tensors().empty());
    // The last value under a number of the memo is the one that counts.
    const std::string keep = "q" + zero + good_tensor;
    check_refused(
        "a number of the memo twice",
        torch_archive(pickled::whole(pickled::dict(
            pickled::string("a") + keep + pickled::string("b") + keep + "h" + zero + good_tensor))),
        "\"b\" twice");
}

TEST_CASE("the numbers of a view may have every width, and no other form") {
    using namespace pickled;
    const std::string two_and_three = integers({2, 3}), strides = integers({3, 1});
    for (const std::string& shape : std::vector<std::string>{
             std::string("(K\2K\3t"), std::string("K\2K\3\x86"), "M" + little(2, 2) + "K\3\x86",
             "J" + little(2, 4) + "J" + little(3, 4) + "\x86", std::string("\x8A\1\2\x8A\1\3\x86"),
             "\x8A\2" + little(2, 2) + "\x8A\3" + little(3, 3) + "\x86", two_and_three}) {
        const auto archive = parse_torch(of_shape(shape, strides));
        CHECK(archive.find("w")->shape == std::vector<Index>{2, 3});
        CHECK(archive.find("w")->strides.empty());
    }
    CHECK(parse_torch(of_shape("(M" + little(0x102, 2) + "t", "(\x8A" + std::string(1, '\0') + "t"))
              .find("w")
              ->shape == std::vector<Index>{0x102});
    check_refused("a shape that is a list", of_shape("](K\2K\3e", strides),
                  "a tuple, found a list");
    check_refused("strides that are a list", of_shape(two_and_three, "]"), "a tuple, found a list");
    check_refused("a shape of strings", of_shape("(" + pickled::string("2") + "K\3t", strides),
                  "an integer, found a string");
    check_refused("strides of None", of_shape(two_and_three, "(NNt"), "an integer, found None");
    const std::string nine = integers(std::vector<std::int64_t>(9, 1));
    check_refused("a shape of nine", of_shape(nine, strides), "at most 8 dimensions, found 9");
    check_refused("strides of nine", of_shape(two_and_three, nine), "at most 8 dimensions");
    const std::string eight = integers(std::vector<std::int64_t>(8, 1));
    CHECK(parse_torch(of_shape(eight, eight)).find("w")->shape.size() == 8);
    check_refused("minus one",
                  of_shape("(\x8A\1\xFF"
                           "K\3t",
                           strides),
                  "shape [-1, 3]");
    check_refused("minus 2^15", of_shape("(\x8A\2" + little(0x8000, 2) + "K\3t", strides),
                  "shape [-32768, 3]");
    CHECK(parse_torch(torch_archive(state_of(pickled::tensor(float_storage, 1, {2}, {3}))))
              .find("w")
              ->bytes.size() == 16);
}

TEST_CASE("a view repeats no more elements than the file has bytes") {
    const auto repeated = [](std::int64_t count) {
        return torch_archive(state_of(pickled::tensor(float_storage, 0, {count}, {0})));
    };
    const auto size = static_cast<std::int64_t>(repeated(1).size());
    CHECK(parse_torch(repeated(size)).find("w")->size() == size);
    check_refused("one more", repeated(size + 1), "no more elements than the file has bytes");
}

TEST_CASE("a storage has its five parts and a call its arguments, each of its kind") {
    using namespace pickled;
    const std::string word = pickled::string("storage"), type = global("torch", "FloatStorage"),
                      key = pickled::string("0"), device = pickled::string("cpu"),
                      count = integer(6), dict_global = global("collections", "OrderedDict"),
                      hooks = dict_global + ")R", sizes = integers({6}), steps = integers({1});
    const auto refuse_storage = [&](const char* title, const std::string& parts, const char* part) {
        check_refused(title, torch_archive(state_of('(' + parts + "tQ")), part);
    };
    refuse_storage("seven parts", word + type + key + device + count + "NN", "five parts");
    refuse_storage("a view", word + type + key + device + count + key, "None, found a string");
    refuse_storage("no key", word + type + "N" + device + count, "a string, found None");
    refuse_storage("no device", word + type + key + "N" + count, "a string, found None");
    refuse_storage("no size", word + type + key + device + "N", "an integer, found None");
    refuse_storage("a word that is a number", "K\1" + type + key + device + count,
                   "a string, found an integer");
    const auto call = [&](const std::string& name, const std::string& arguments) {
        return torch_archive(state_of(global("torch._utils", name) + '(' + arguments + "tR"));
    };
    const std::string six = float_storage + integer(0) + sizes + steps + '\x89' + hooks;
    CHECK(parse_torch(call("_rebuild_tensor_v2", six)).tensors().size() == 1);
    CHECK(parse_torch(call("_rebuild_tensor_v2", six + "N")).tensors().size() == 1);
    check_refused("eight arguments", call("_rebuild_tensor_v2", six + "NN"), "found 8 arguments");
    check_refused("five arguments",
                  call("_rebuild_tensor_v2", float_storage + integer(0) + sizes + steps + '\x89'),
                  "found 5 arguments");
    check_refused("an offset that is none",
                  call("_rebuild_tensor_v2", float_storage + "N" + sizes + steps + '\x89' + hooks),
                  "an integer, found None");
    const std::string three = float_storage + integer(0) + sizes;
    CHECK(parse_torch(call("_rebuild_tensor", three + steps)).tensors().size() == 1);
    check_refused("three arguments", call("_rebuild_tensor", three), "found 3 arguments");
    check_refused("five arguments of old", call("_rebuild_tensor", three + steps + '\x89'),
                  "found 5 arguments");
    CHECK(parse_torch(call("_rebuild_parameter", good_tensor + '\x89' + hooks)).tensors().size() ==
          1);
    check_refused("two arguments", call("_rebuild_parameter", good_tensor + '\x89'),
                  "found 2 arguments");
    check_refused("four arguments", call("_rebuild_parameter", good_tensor + '\x89' + hooks + "N"),
                  "found 4 arguments");
    check_refused("a global of one name", torch_archive(whole("]" + pickled::string("x") + "\x93")),
                  "a string, found a list");
    check_refused("a module of no name", torch_archive(whole(pickled::string("x") + "]\x93")),
                  "a string, found a list");
}

TEST_CASE("a pickle has at most half a million operations and 64 MiB") {
    const auto operations = [](int count) {
        // Attributes, a list of None and what surrounds it, in all `count` operations.
        return "\x80\x02}}(]](" + std::string(static_cast<std::size_t>(count) - 10, 'N') + "eub.";
    };
    CHECK_NOTHROW(detail::Pickle::parse(as_bytes(operations(500'000)), "f"));
    CHECK_THROWS_AS(detail::Pickle::parse(as_bytes(operations(500'001)), "f"), FormatError);
    const auto bytes = [](std::size_t size) {  // a string as an attribute
        const std::string after = "Nsb.", before = "\x80\x02}}X";
        const std::size_t text = size - before.size() - 4 - after.size();
        return before + little(text, 4) + std::string(text, 'x') + after;
    };
    CHECK_NOTHROW(detail::Pickle::parse(as_bytes(bytes(std::size_t{64} << 20)), "f"));
    CHECK_THROWS_AS(detail::Pickle::parse(as_bytes(bytes((std::size_t{64} << 20) + 1)), "f"),
                    FormatError);
}

TEST_CASE("a changed torch archive is read in bounds or refused, never anything else") {
    const std::string good = detail::read_file(
        std::filesystem::path(NYSTROMFORMER_TEST_DATA) / "checkpoint/data/module.bin", 1 << 20);
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

namespace {

const std::string magic("\x80\x02\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19.", 15);

/// A file of torch before 1.6 that holds the dict `state`, with storage "0" of six floats.
std::string torch_stream(const std::string& state, const std::string& keys = "",
                         const std::string& data = little(6, 8) + std::string(24, '\0')) {
    using namespace pickled;
    const std::string system = dict(pickled::string("protocol_version") + "M\xE9\x03" +
                                    pickled::string("little_endian") + '\x88');
    const std::string list = keys.empty() ? "](" + pickled::string("0") + "e" : keys;
    return magic + whole("M\xE9\x03") + whole(system) + whole(state) + whole(list) + data;
}

}  // namespace

TEST_CASE("the file of torch before 1.6 is five pickles and its storages, and nothing else") {
    using namespace pickled;
    const std::string state = dict(pickled::string("w") + good_tensor);
    const auto archive = parse_torch(torch_stream(state));
    REQUIRE(archive.tensors().size() == 1);
    CHECK(archive.find("w")->bytes.size() == 24);
    const std::string good = torch_stream(state);
    for (std::size_t size = magic.size(); size < good.size(); ++size) {
        INFO(size);
        CHECK_THROWS_AS(parse_torch(good.substr(0, size)), Error);
    }
    check_refused("more bytes", good + "x", "the end of the file");
    check_refused("another protocol", magic + whole("M\xEA\x03") + good, "protocol 1001");
    check_refused("no system", magic + whole("M\xE9\x03") + whole("N") + good,
                  "a dict of the system");
    check_refused("no dict", torch_stream("N", "]", ""), "a dict of tensors");
    check_refused("no tensors", torch_stream(dict(pickled::string("w") + "N"), "]", ""),
                  "a tensor");
    check_refused("keys that are no list", torch_stream(state, "}"), "a list of storages");
    check_refused("a key that is no text", torch_stream(state, "](K\1e"), "the key of a storage");
    check_refused("a key of no tensor", torch_stream(state, "](" + pickled::string("1") + "e"),
                  "the key of a tensor's storage");
    const std::string floats = little(6, 8) + std::string(24, '\0');
    check_refused("a key twice",
                  torch_stream(state, "](" + pickled::string("0") + pickled::string("0") + "e",
                               floats + floats),
                  "no key twice");
    check_refused("no storage", torch_stream(state, "]", ""),
                  "storage \"0\" of 6 F32, found nothing");
    check_refused("a storage too short",
                  torch_stream(state, "", little(5, 8) + std::string(20, '\0')), "found 20 bytes");
    check_refused("a number of elements without end",
                  torch_stream(state, "", little(all_ones, 8) + std::string(24, '\0')), "64 bits");
    check_refused("more elements than bytes",
                  torch_stream(state, "", little(1 << 20, 8) + std::string(24, '\0')),
                  "more bytes");
}

}  // namespace torch_archive_test
