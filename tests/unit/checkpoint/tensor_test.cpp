// SPDX-License-Identifier: MIT
// The arithmetic of tensors in files, at its bounds: sizes, views, slices, cursors, names of types.
#include "checkpoint/bytes.hpp"
#include "support/catch.hpp"
#include "support/library.hpp"

#include <nystromformer/checkpoint/byte_cursor.hpp>
#include <nystromformer/checkpoint/safetensors_header.hpp>
#include <nystromformer/checkpoint/shard_index.hpp>
#include <nystromformer/core/json_builder.hpp>
#include <nystromformer/core/memory_budget.hpp>
#include <nystromformer/tensor.hpp>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tensor_test {

using namespace nystromformer;
using namespace nystromformer::testing;

namespace {

constexpr Index most = std::numeric_limits<Index>::max();
constexpr auto all_ones = std::numeric_limits<std::uint64_t>::max();

TensorView bytes_view(std::vector<Index> shape, std::vector<Index> strides, const char* text) {
    return {"x", DType::u8, std::move(shape), as_bytes(text), std::move(strides)};
}

std::string read_as_text(const TensorView& view) {
    std::string text;
    for (const auto value : to_int64(view)) text += static_cast<char>(value);
    return text;
}

std::string message_of(const std::exception& error) { return error.what(); }

}  // namespace

TEST_CASE("sizes of shapes are exact up to 2^63 - 1, and nothing is beyond") {
    using detail::checked_bytes;
    using detail::checked_size;
    const Index half = Index{1} << 62;
    CHECK(checked_size({}) == 1U);
    CHECK(checked_size({2, 3}) == 6U);
    CHECK(checked_size({2, 0, 3}) == 0U);
    CHECK(checked_size({most}) == static_cast<std::uint64_t>(most));
    CHECK(checked_size({0, half}) == 0U);
    CHECK_FALSE(checked_size({half, 2}));
    CHECK_FALSE(checked_size({0, half, 2}));
    CHECK_FALSE(checked_size({half, 4, 0}));
    CHECK(checked_bytes(8, DType::f32) == 32U);
    CHECK(checked_bytes(2, DType::f4) == 1U);
    CHECK(checked_bytes(4, DType::f6_e2m3) == 3U);
    CHECK(checked_bytes(0, DType::f32) == 0U);
    CHECK_FALSE(checked_bytes(1, DType::f4));
    CHECK_FALSE(checked_bytes(2, DType::f6_e3m2));
    CHECK(checked_bytes(all_ones / 32, DType::f32).has_value());
    CHECK_FALSE(checked_bytes(all_ones / 32 + 1, DType::f32));
    CHECK(shape_text({}) == "[]");
    CHECK(shape_text({7}) == "[7]");
    CHECK(shape_text({2, 3, 4}) == "[2, 3, 4]");
}

TEST_CASE("the dtypes of safetensors have their spelling and bits, and each its own error") {
    const std::vector<std::pair<std::string, unsigned>> infos{
        {"BOOL", 8},        {"F4", 4},      {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"U8", 8},
        {"I8", 8},          {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8},
        {"F8_E5M2FNUZ", 8}, {"I16", 16},    {"U16", 16},    {"F16", 16},    {"BF16", 16},
        {"I32", 32},        {"U32", 32},    {"F32", 32},    {"C64", 64},    {"F64", 64},
        {"I64", 64},        {"U64", 64}};
    REQUIRE(infos.size() == detail::dtype_infos.size());
    std::string names;
    for (std::size_t i = 0; i < infos.size(); ++i) {
        const auto& [spelling, size] = infos[i];
        const auto dtype = static_cast<DType>(i);
        CHECK(name(dtype) == spelling);
        CHECK(bits(dtype) == size);
        names += (names.empty() ? "" : ", ") + spelling;
        const TensorView view{"x", dtype, {0}, {}, {}};
        float none = 0;
        const bool whole = spelling == "BOOL" || spelling[0] == 'U' || spelling[0] == 'I';
        if (is_weight(dtype)) {
            convert(view, &none);
        } else if (whole) {
            CHECK_THROWS_AS(convert(view, &none), TensorError);
        } else {
            CHECK_THROWS_AS(convert(view, &none), UnsupportedError);
        }
        if (is_integer(dtype)) {
            CHECK(to_int64(view).empty());
        } else {
            CHECK_THROWS_AS(to_int64(view), TensorError);
        }
    }
    CHECK(detail::dtype_names() == names);
}

TEST_CASE("whole numbers of every width keep their value, and a BOOL is 0 or 1") {
    const auto read = [](DType dtype, const std::string& bytes) {
        return to_int64({"x", dtype, {2}, as_bytes(bytes), {}});
    };
    using Values = std::vector<std::int64_t>;
    CHECK(read(DType::i64, little(all_ones, 8) + little(std::uint64_t{1} << 63, 8)) ==
          Values{-1, std::numeric_limits<std::int64_t>::min()});
    CHECK(read(DType::i32, little(0xFFFFFFFF, 4) + little(0x80000000, 4)) ==
          Values{-1, -2147483648});
    CHECK(read(DType::i16, little(0xFFFF, 2) + little(0x8000, 2)) == Values{-1, -32768});
    CHECK(read(DType::i8, "\xFF\x80") == Values{-1, -128});
    CHECK(read(DType::u8, "\xFF\x80") == Values{255, 128});
    CHECK(read(DType::boolean, std::string("\x02\0", 2)) == Values{1, 0});
    CHECK(read(DType::boolean, "\x01\xFF") == Values{1, 1});
}

TEST_CASE("contiguous are the strides of row-major order, whatever those of dimensions of 1") {
    const auto contiguous = [](std::vector<Index> shape, std::vector<Index> strides) {
        return detail::is_contiguous(bytes_view(std::move(shape), std::move(strides), ""));
    };
    CHECK(contiguous({}, {}));
    CHECK(contiguous({2, 3}, {3, 1}));
    CHECK(contiguous({1, 3}, {7, 1}));
    CHECK(contiguous({3, 1}, {1, 9}));
    CHECK(contiguous({2, 1, 3}, {3, 100, 1}));
    CHECK_FALSE(contiguous({2, 3}, {1, 2}));
    CHECK_FALSE(contiguous({2, 2}, {1, 1}));
    CHECK_FALSE(contiguous({2, 2}, {2, 2}));
    CHECK_FALSE(contiguous({3}, {2}));
    CHECK_FALSE(contiguous({2, 3}, {4, 1}));
}

TEST_CASE("the end of a view is one past its last element, and nothing on overflow") {
    const auto end = [](std::vector<Index> shape, std::vector<Index> strides,
                        std::uint64_t offset) {
        return detail::end_of_view(bytes_view(std::move(shape), std::move(strides), ""), offset);
    };
    CHECK(end({2, 3}, {3, 1}, 0) == 6U);
    CHECK(end({2, 3}, {3, 1}, 4) == 10U);
    CHECK(end({2, 3}, {1, 2}, 0) == 6U);
    CHECK(end({}, {}, 5) == 6U);
    CHECK(end({0, 3}, {3, 1}, 5) == 0U);
    CHECK(end({4}, {0}, 2) == 3U);
    CHECK(end({most}, {1}, 0) == static_cast<std::uint64_t>(most));
    CHECK_FALSE(end({}, {}, all_ones));
    CHECK_FALSE(end({3}, {1}, all_ones - 1));
    CHECK_FALSE(end({4}, {most}, 0));
    CHECK(end({3}, {most}, 0) == all_ones);
}

TEST_CASE("elements come in row-major order, whatever the strides") {
    CHECK(read_as_text(bytes_view({2, 2, 3}, {}, "abcdefghijkl")) == "abcdefghijkl");
    CHECK(read_as_text(bytes_view({3, 2, 2}, {4, 2, 1}, "abcdefghijkl")) == "abcdefghijkl");
    CHECK(read_as_text(bytes_view({2, 2, 3}, {1, 2, 4}, "abcdefghijkl")) == "aeicgkbfjdhl");
    CHECK(read_as_text(bytes_view({2, 3}, {0, 1}, "abc")) == "abcabc");
    CHECK(read_as_text(bytes_view({3, 2}, {1, 0}, "abc")) == "aabbcc");
    CHECK(read_as_text(bytes_view({2, 2, 2}, {0, 4, 2}, "abcdefg")) == "acegaceg");
    CHECK(read_as_text(bytes_view({0, 2}, {}, "")).empty());
    CHECK(read_as_text(bytes_view({}, {}, "a")) == "a");
}

TEST_CASE("strided weights of every type convert, and scalars") {
    const std::string f16 = little(0x3C00, 2) + little(0, 2) + little(0x4000, 2),  // 1, -, 2
        bf16 = little(0x3F80, 2) + little(0, 2) + little(0x4000, 2),
                      f32 = little(0x3F800000, 4) + little(0, 4) + little(0x40000000, 4),
                      f64 = little(std::uint64_t{0x3FF} << 52, 8) + little(0, 8) +
                            little(std::uint64_t{0x400} << 52, 8);
    for (const auto& [dtype, bytes] : {std::pair(DType::f16, f16), std::pair(DType::bf16, bf16),
                                       std::pair(DType::f32, f32), std::pair(DType::f64, f64)}) {
        const TensorView view{"x", dtype, {2}, as_bytes(bytes), {2}};
        float floats[2] = {};
        double doubles[2] = {};
        convert(view, floats);
        convert(view, doubles);
        CHECK((floats[0] == 1 && floats[1] == 2));
        CHECK((doubles[0] == 1 && doubles[1] == 2));
    }
}

TEST_CASE("a slice holds some of the first dimension") {
    const TensorView rows = bytes_view({4, 2}, {}, "abcdefgh");
    CHECK(read_as_text(detail::slice(rows, 0, 4)) == "abcdefgh");
    CHECK(read_as_text(detail::slice(rows, 1, 2)) == "cdef");
    CHECK(detail::slice(rows, 1, 2).bytes.size() == 4);
    CHECK(detail::slice(rows, 1, 2).shape == std::vector<Index>{2, 2});
    CHECK(detail::slice(rows, 4, 0).bytes.empty());
    const TensorView columns = bytes_view({3, 2}, {1, 3}, "abcdef");
    CHECK(read_as_text(detail::slice(columns, 0, 3)) == "adbecf");
    CHECK(read_as_text(detail::slice(columns, 1, 2)) == "becf");
    CHECK(detail::slice(columns, 2, 1).bytes.size() == 4);
    CHECK(detail::slice(columns, 3, 0).bytes.empty());
    const std::string shorts = little(1, 2) + little(2, 2) + little(3, 2) + little(4, 2);
    const TensorView wide{"x", DType::i16, {2, 2}, as_bytes(shorts), {1, 2}};
    CHECK(to_int64(detail::slice(wide, 1, 1)) == std::vector<std::int64_t>{2, 4});
    TensorView scaled = rows;
    scaled.row_scales = {1, 2, 3, 4};
    CHECK(detail::slice(scaled, 1, 2).row_scales == std::vector<float>{2, 3});
}

TEST_CASE("a tensor is found by its name among sorted ones") {
    std::vector<TensorView> tensors(3);
    tensors[0].name = "b";
    tensors[1].name = "d";
    tensors[2].name = "f";
    for (const TensorView& tensor : tensors)
        CHECK(detail::find_tensor(tensors, tensor.name) == &tensor);
    for (const char* name : {"", "a", "c", "e", "g", "bb"})
        CHECK(detail::find_tensor(tensors, name) == nullptr);
}

TEST_CASE("a cursor reads up to the end of its bytes and tells what is missing behind") {
    const std::string bytes = "abcd";
    detail::ByteCursor cursor(as_bytes(bytes), "f", "part");
    CHECK(cursor.left() == 4);
    CHECK(cursor.text(2) == "ab");
    CHECK(cursor.position() == 2);
    CHECK(cursor.read<std::uint16_t>() == 0x6463);
    CHECK(cursor.left() == 0);
    CHECK(cursor.take(0).empty());
    try {
        cursor.take(1);
        FAIL_CHECK("taken");
    } catch (const FormatError& error) {
        CHECK(message_of(error) == "f: part byte 4: expected 1 more bytes, found 0");
    }
    cursor.seek(4);
    cursor.seek(1);
    CHECK_THROWS_AS(cursor.read<std::uint32_t>(), FormatError);
    try {
        cursor.seek(5);
        FAIL_CHECK("sought");
    } catch (const FormatError& error) {
        CHECK(message_of(error).find("inside the 4 bytes, found byte 5") != std::string::npos);
    }
}

TEST_CASE("names of shards are plain, to every bound of the letters and the length") {
    const auto plain = [](const std::string& name) {
        return detail::is_plain_file_name(name, ".bin");
    };
    for (const char c : std::string("azAZ09._-mM5")) {
        INFO(c);
        CHECK(plain(std::string("x") + c + ".bin"));
    }
    for (const char c : std::string("`{@[/:,^\x7F +~")) {
        INFO(c);
        CHECK_FALSE(plain(std::string("x") + c + ".bin"));
    }
    CHECK(plain("a.bin"));
    CHECK_FALSE(plain(".bin"));
    CHECK_FALSE(plain(".a.bin"));
    CHECK_FALSE(plain("a.bi"));
    CHECK(plain(std::string(251, 'x') + ".bin"));
    CHECK_FALSE(plain(std::string(252, 'x') + ".bin"));
}

// The parser would ask so for CBOR and the like; text has no such value.
TEST_CASE("binary values are refused by every reader of JSON") {
    nlohmann::json::binary_t bytes;
    CHECK_FALSE(
        detail::ShardIndex::parse(R"({"weight_map":{"t":"x.bin"}})", "f", ".bin").binary(bytes));
    CHECK_FALSE(detail::SafetensorsHeader::parse("{}", "f").binary(bytes));
    detail::MemoryBudget budget("f", 0, 1);
    CHECK_FALSE(detail::StrictJsonBuilder(budget, {}).binary(bytes));
}

TEST_CASE("an index is read beside anything else, up to its limits") {
    const auto parse = [](const std::string& text) {
        return detail::ShardIndex::parse(text, "f", ".bin");
    };
    const std::string map = R"("weight_map":{"t":"x.bin"})";
    std::string deep = "1";
    for (int i = 0; i < 30; ++i) deep = '[' + deep + ']';
    for (const std::string& value : std::vector<std::string>{
             std::string("null"), std::string("true"), std::string("7"), std::string("-7"),
             std::string("1.5"), std::string("\"s\""), std::string("[]"), std::string("{}"),
             std::string(R"({"a":{"b":[1,-1,1.5,null,false,"s",[]]},"weight_map":1})"), deep}) {
        INFO(value);
        CHECK(parse("{\"m\":" + value + "," + map + "}").shards.size() == 1);
        CHECK(parse("{" + map + ",\"m\":" + value + ",\"n\":" + value + "}").weight_map.size() ==
              1);
    }
    CHECK_THROWS_AS(parse("{\"m\":[" + deep + "]," + map + "}"), FormatError);
    std::string many;
    for (int i = 0; i < 4096; ++i)
        many += ",\"" + std::to_string(i) + "\":\"" + std::to_string(i) + ".bin\"";
    CHECK(parse("{\"weight_map\":{" + many.substr(1) + "}}").shards.size() == 4096);
    CHECK_THROWS_AS(parse("{\"weight_map\":{" + many.substr(1) + ",\"x\":\"x.bin\"}}"),
                    FormatError);
    std::string million = "{\"weight_map\":{\"0\":\"x.bin\"";
    for (int i = 1; i < 1'000'000; ++i) million += ",\"" + std::to_string(i) + "\":\"x.bin\"";
    CHECK(parse(million + "}}").weight_map.size() == 1'000'000);
    CHECK_THROWS_AS(parse(million + ",\"x\":\"x.bin\"}}"), FormatError);
    CHECK(parse("{\"weight_map\":{\"" + std::string(65536, 'n') + "\":\"x.bin\"}}")
              .weight_map.size() == 1);
    CHECK_THROWS_AS(parse("{\"weight_map\":{\"" + std::string(65537, 'n') + "\":\"x.bin\"}}"),
                    FormatError);
}

}  // namespace tensor_test
