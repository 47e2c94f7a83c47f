// SPDX-License-Identifier: MIT
// Malformed pytorch_model.bin files: pickles that do more or other than hold tensors, tensors
// outside their storage, broken zip archives.
#pragma once

#include "robustness/malformed/malformed.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace nystromformer::testing {

inline const std::string float_storage = pickled::storage("FloatStorage", "0", 6);
inline const std::string good_tensor = pickled::tensor(float_storage, 0, {2, 3}, {3, 1});

inline std::string state_of(const std::string& tensor) {
    return pickled::whole(pickled::dict(pickled::string("w") + tensor));
}

inline MalformedFile malformed_torch(const std::string& title, const std::string& archive,
                                     const std::vector<std::string>& parts,
                                     const char* kind = "FormatError") {
    return {title, "pytorch_model.bin", archive, kind, parts, {"model.safetensors"}};
}

/// Globals that a reader which calls them would run.
inline std::vector<MalformedFile> malformed_calls() {
    using namespace pickled;
    std::vector<MalformedFile> files;
    for (const auto& [module, name] :
         {std::pair("os", "system"), std::pair("builtins", "eval"), std::pair("posix", "system"),
          std::pair("torch", "load"), std::pair("torch._utils", "_rebuild_sparse_tensor"),
          std::pair("collections", "OrderedDict.update"), std::pair("", ""),
          std::pair("torch", "QInt8Storage"), std::pair("Torch", "FloatStorage")}) {
        const std::string full = "\"" + std::string(module) + "." + name + "\"";
        const std::string call = whole(global(module, name) + "(" + pickled::string("id") + "tR");
        const std::string stacked =
            whole(pickled::string(module) + pickled::string(name) + "\x93)R");
        files.push_back(malformed_torch("a call of " + full, torch_archive(call),
                                        {"data.pkl byte", full}, "UnsupportedError"));
        files.push_back(malformed_torch("a call from the stack of " + full, torch_archive(stacked),
                                        {"data.pkl byte", full}, "UnsupportedError"));
    }
    return files;
}

inline std::vector<MalformedFile> malformed_pickles() {
    using namespace pickled;
    const std::string dict_global = global("collections", "OrderedDict"),
                      rebuild = global("torch._utils", "_rebuild_tensor_v2");
    const std::string sixty_five(65, '('), hooks = dict_global + ")R";
    std::string long_run = "\x80\x02";
    for (int i = 0; i < 1'000'001; ++i) long_run += 'N';
    std::vector<MalformedFile> files;
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
              "the word storage, found \"module\""},
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
             {"a million operations", long_run, "500000 operations"},
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
        files.push_back(
            malformed_torch("a pickle: " + title, torch_archive(pickle), {"data.pkl", part}));
    }
    return files;
}

inline std::vector<MalformedFile> malformed_views() {
    using namespace pickled;
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    std::vector<MalformedFile> files;
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
        files.push_back(malformed_torch("a tensor: " + title, torch_archive(state_of(tensor)), {}));
    }
    const std::string two_types =
        pickled::whole(dict(pickled::string("a") + good_tensor + pickled::string("b") +
                            pickled::tensor(pickled::storage("IntStorage", "0", 6), 0, {6}, {1})));
    files.push_back(malformed_torch("a tensor: a storage of two types", torch_archive(two_types),
                                    {"\"b\"", "one type"}));
    return files;
}

inline std::vector<MalformedFile> malformed_zips() {
    const std::string good = torch_archive(state_of(good_tensor));
    const std::size_t local = 0, directory = good.find("PK\x01\x02"),
                      end = good.rfind("PK\x05\x06");
    const auto put = [&](std::size_t at, std::uint64_t value, std::size_t size) {
        std::string bytes = good;
        return bytes.replace(at, size, little(value, size));
    };
    const std::size_t second = good.find("PK\x01\x02", directory + 4);
    std::vector<MalformedFile> files;
    for (const auto& [title, bytes, part] :
         std::vector<std::tuple<std::string, std::string, std::string>>{
             {"a byte after the end", good + "x", "end record"},
             {"a byte less", good.substr(0, good.size() - 1), "end record"},
             {"another archive after it", good + good, "a directory that ends"},
             {"four bytes", "PK\x03\x04", "4 bytes"},
             {"a Git LFS pointer", "version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
              "never downloaded"},
             {"a comment", put(end + 20, 1, 2) + "x", "end record"},
             {"a comment beyond the file", put(end + 20, 1, 2), "without a comment"},
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
        files.push_back(malformed_torch("a zip: " + title, bytes, {part}));
    }
    std::string larger = put(directory + 24, 1000, 4);  // than what is stored, in both headers
    larger.replace(local + 22, 4, little(1000, 4));
    files.push_back(
        malformed_torch("a zip: a stored entry of two sizes", larger, {"data.pkl", "1000 stored"}));
    std::string encrypted = put(directory + 8, 1, 2);
    encrypted.replace(local + 6, 2, little(1, 2));
    files.push_back(malformed_torch("a zip: an encrypted entry", encrypted,
                                    {"data.pkl", "encrypted"}, "UnsupportedError"));
    return files;
}

}  // namespace nystromformer::testing
