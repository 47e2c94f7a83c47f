// SPDX-License-Identifier: MIT
// Malformed safetensors files: the length of the header, the header, the data.
#pragma once

#include "robustness/malformed/malformed.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

namespace nystromformer::testing {

inline std::string entry(const std::string& shape, const std::string& offsets,
                         const std::string& dtype = "\"F32\"") {
    return R"({"a":{"dtype":)" + dtype + R"(,"shape":)" + shape + R"(,"data_offsets":)" + offsets +
           "}}";
}
inline std::string two(const std::string& offsets_a, const std::string& offsets_b) {
    return R"({"a":{"dtype":"U8","shape":[4],"data_offsets":)" + offsets_a +
           R"(},"b":{"dtype":"U8","shape":[4],"data_offsets":)" + offsets_b + "}}";
}

inline std::vector<MalformedFile> malformed_lengths() {
    const std::string good = safetensors("{}");
    const std::uint64_t huge = std::uint64_t{1} << 63;
    std::vector<MalformedFile> files;
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
        files.push_back({title, "model.safetensors", bytes, "FormatError", parts});
    }
    return files;
}

inline std::vector<MalformedFile> malformed_headers() {
    struct HeaderCase {
        const char* title;
        std::string header;
        std::size_t data_size;
        std::vector<std::string> parts;
    };
    const std::vector<HeaderCase> cases{
        // Not JSON, or not an object of objects.
        {"not JSON", "xx", 0, {"header: byte 1", "JSON"}},
        {"cut short", R"({"a":{"dtype")", 0, {"JSON"}},
        {"an array at the root", "[]", 0, {"an object", "an array"}},
        {"a number at the root", "12", 0, {"an object", "12"}},
        {"null at the root", "null", 0, {"an object", "null"}},
        {"text after the end", "{} {}", 0, {"byte 4", "JSON"}},
        {"a NUL after the end", std::string("{}\0\0", 4), 0, {"byte 2", "a zero byte"}},
        {"a NUL and a second header", std::string("{}\0{\"a\":1}", 10), 0, {"a zero byte"}},
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
         {"byte 1", "393216 bytes", "nnn..."}},
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
        {"one array too deep in a field unknown",
         R"({"a":{"more":[[[]]],"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
         4,
         {"/a", "depth of at most 4"}},
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
        {"null in the metadata",
         R"({"__metadata__":{"k":null}})",
         0,
         {"/__metadata__", "strings", "null for \"k\""}},
        {"metadata null twice",
         R"({"__metadata__":null,"__metadata__":null})",
         0,
         {"__metadata__ twice"}},
        {"a tensor null", R"({"a":null})", 0, {"/a", "null"}},
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
        {"false as a dimension", entry("[false]", "[0,4]"), 4, {"/a/shape", "false"}},
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
    std::vector<MalformedFile> files;
    for (const HeaderCase& wrong : cases) {
        files.push_back({wrong.title, "model.safetensors",
                         safetensors(wrong.header, wrong.data_size), "FormatError", wrong.parts});
    }
    return files;
}

}  // namespace nystromformer::testing
