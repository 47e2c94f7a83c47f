// SPDX-License-Identifier: MIT
// What the options of a call may say, which text an error is about, and encodings that a caller
// fills.
#include "support/catch.hpp"

#include "unit/tokenizer/tokenizer_files.hpp"

#include <nystromformer/encoding.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/threads.hpp>
#include <nystromformer/tokenizer.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace encode_options_test {

namespace nf = nystromformer;
using nystromformer::testing::Json;

namespace {

const nf::Tokenizer& bundled() {
    static const nf::Tokenizer tokenizer = nf::Tokenizer::from_pretrained(
        std::filesystem::path(NYSTROMFORMER_MODELS) / "nystromformer-small-en");
    return tokenizer;
}

template <typename Action>
std::string message_of(Action&& action) {
    try {
        action();
    } catch (const nf::InputError& error) {
        return error.what();
    }
    return "none";
}

template <typename Action>
std::optional<std::size_t> bad_input_of(Action&& action) {
    try {
        action();
    } catch (const nf::InputError& error) {
        return error.input();
    }
    FAIL("no error");
    return std::nullopt;
}

/// The message for a padding that no call can take: it does not depend on the texts.
std::string padding_refusal(const nf::Padding& padding) {
    const nf::EncodeOptions options{.padding = padding};
    const std::string message = message_of([&] { (void)bundled().encode("a", options); });
    CHECK(message_of([&] { (void)bundled().encode("a", "b", options); }) == message);
    CHECK(message_of([&] { (void)bundled().encode_batch(std::vector<std::string>{}, options); }) ==
          message);
    return message;
}

/// The message for a short text, or a pair of them.
std::string refusal(const nf::Truncation& truncation, bool adds = true) {
    return message_of([&] {
        (void)bundled().encode("a", {.add_special_tokens = adds, .truncation = truncation});
    });
}
std::string pair_refusal(const nf::Truncation& truncation) {
    return message_of([&] { (void)bundled().encode("a", "a", {.truncation = truncation}); });
}

Json with_padding(Json strategy) {
    Json json = nystromformer::testing::valid();
    json["padding"] = {{"strategy", std::move(strategy)},
                       {"direction", "Right"},
                       {"pad_to_multiple_of", nullptr},
                       {"pad_id", 0},
                       {"pad_type_id", 0},
                       {"pad_token", "<unk>"}};
    return json;
}

template <typename Tokenizer>
concept EncodesWithEmptyBraces = requires(const Tokenizer& tokenizer) {
    tokenizer.encode("a", {});
    tokenizer.encode("a", "b", {});
};
template <typename Tokenizer, typename Pair>
concept EncodesWithPairInBraces = requires(const Tokenizer& tokenizer, const Pair& pair) {
    tokenizer.encode("a", {pair});
};

}  // namespace

TEST_CASE("padding that cannot be kept is refused before a text is read", "[tokenizer]") {
    using nf::PaddingStrategy;
    CHECK(padding_refusal({.length = 8}) ==
          "padding.length: expected 0, or PaddingStrategy::fixed with a length, found 8");
    CHECK(padding_refusal({.strategy = PaddingStrategy::fixed}) ==
          "padding.length: expected 1 to 1048576 with PaddingStrategy::fixed, found 0");
    CHECK(padding_refusal({.strategy = PaddingStrategy::fixed, .length = -1}) ==
          "padding.length: expected 1 to 1048576 with PaddingStrategy::fixed, found -1");
    CHECK(padding_refusal({.strategy = PaddingStrategy::fixed, .length = nf::Index{1} << 40}) ==
          "padding.length: expected 1 to 1048576 with PaddingStrategy::fixed, found 1099511627776");
    CHECK(padding_refusal({.pad_to_multiple_of = -8}) ==
          "padding.pad_to_multiple_of: expected 0 to 1048576, found -8");
    CHECK(padding_refusal({.pad_id = -1}) == "padding.pad_id: expected at least 0, found -1");
    CHECK(padding_refusal({.pad_type_id = -1}) ==
          "padding.pad_type_id: expected at least 0, found -1");
    CHECK(padding_refusal({.pad_token = "no token"}) ==
          "padding.pad_token: expected a token of the vocabulary, found \"no token\"");
    CHECK(padding_refusal({}) == "none");
    CHECK(padding_refusal({.strategy = PaddingStrategy::fixed, .length = 1 << 20}) == "none");
    CHECK(padding_refusal({.strategy = PaddingStrategy::do_not_pad, .length = 8}) == "none");
}

TEST_CASE("a tokenizer.json that pads to 0 tokens pads nothing", "[tokenizer]") {
    const Json json = with_padding({{"Fixed", 0}});
    const nf::Tokenizer tokenizer = nf::Tokenizer::from_json(json.dump());
    CHECK(tokenizer.padding().strategy == nf::PaddingStrategy::fixed);
    const auto encodings = tokenizer.encode_batch({"a", "a a a"});
    CHECK(encodings[0].tokens.back() != "<unk>");
    CHECK(encodings[0].size() < encodings[1].size());
}

TEST_CASE("a padding id has its own token", "[tokenizer]") {
    const auto padded = [](const nf::Tokenizer& tokenizer, const nf::Padding& padding) {
        return tokenizer.encode_batch({"a a a a a a", "a"}, {.padding = padding})[1].tokens.back();
    };
    CHECK(padded(bundled(), {.pad_id = bundled().token_to_id("<pad>")}) == "<pad>");
    CHECK(padded(bundled(), {.pad_id = bundled().token_to_id("[MASK]")}) == "[MASK]");
    CHECK(padded(bundled(), {.pad_id = 1'000'000}) == "<pad>");
    CHECK(padded(bundled(), {.pad_id = 0, .pad_token = "mine"}) == "mine");
    const std::string json = nystromformer::testing::valid().dump();
    const auto nameless = nf::Tokenizer::from_json(json);
    CHECK(padded(nameless, {.pad_id = 0}) == "<unk>");
    CHECK(padded(nameless, {.pad_id = 1'000'000}) == "[PAD]");
    CHECK(padded(nf::Tokenizer::from_json(json, R"({"pad_token": "[S]"})"),
                 {.pad_id = 1'000'000}) == "[S]");
}

TEST_CASE("encodings that a caller fills are read within their bounds", "[tokenizer]") {
    using Range = std::pair<nf::Index, nf::Index>;
    nf::Encoding encoding;
    CHECK_FALSE(encoding.char_to_token(0));
    CHECK_FALSE(encoding.token_to_bytes(0));
    encoding.ids = {5, 6};
    const auto missing = [](const char* field, const char* found) {
        return std::string(field) + ": expected 2, one for each of ids, found " + found;
    };
    CHECK(message_of([&] { (void)encoding.char_to_token(0); }) == missing("offsets", "0"));
    CHECK(message_of([&] { (void)encoding.token_to_chars(9); }) == missing("offsets", "0"));
    CHECK(message_of([&] { (void)encoding.byte_to_token(0); }) == missing("byte_offsets", "0"));
    CHECK(message_of([&] { (void)encoding.token_to_bytes(1); }) == missing("byte_offsets", "0"));
    encoding.offsets = {{0, 1}, {1, 3}};
    encoding.byte_offsets = {{0, 2}, {2, 4}, {4, 5}};
    CHECK(encoding.char_to_token(2) == 1);
    CHECK_FALSE(encoding.char_to_token(2, 1));
    CHECK(encoding.token_to_chars(1) == Range(1, 3));
    CHECK_FALSE(encoding.token_to_chars(2));
    CHECK(message_of([&] { (void)encoding.byte_to_token(4); }) == missing("byte_offsets", "3"));
    CHECK(message_of([&] { (void)encoding.token_to_bytes(0); }) == missing("byte_offsets", "3"));
    encoding.sequence_ids = {0};
    CHECK(message_of([&] { (void)encoding.char_to_token(0); }) == missing("sequence_ids", "1"));
    CHECK(message_of([&] { (void)encoding.token_to_chars(0); }) == missing("sequence_ids", "1"));
    encoding.sequence_ids = {-1, 1};
    CHECK(encoding.char_to_token(2, 1) == 1);
    CHECK_FALSE(encoding.token_to_chars(0));
}

TEST_CASE("the special tokens of a text and of a pair are counted as in Python", "[tokenizer]") {
    CHECK(bundled().num_special_tokens_to_add() == 2);
    CHECK(bundled().num_special_tokens_to_add(true) == 3);
    CHECK(nf::Tokenizer::from_json(
              R"({"model": {"type": "WordLevel", "unk_token": "?", "vocab": {"a": 1}}})")
              .num_special_tokens_to_add() == 0);
}

TEST_CASE("a text that leaves no room for its pair is a LengthError", "[tokenizer]") {
    const nf::EncodeOptions second{
        .truncation = {.max_length = 6, .strategy = nf::TruncationStrategy::only_second}};
    try {
        (void)bundled().encode("the quick brown fox jumps", "a", second);
        FAIL("accepted");
    } catch (const nf::LengthError& error) {
        CHECK(error.limit() == 6);
        CHECK(error.tokens() == bundled().encode("the quick brown fox jumps", "a").ids.size());
        CHECK(error.place() == "truncation");
    }
}

TEST_CASE("an error of a batch says which text it is about", "[tokenizer]") {
    const std::string longer = "the quick brown fox jumps over the lazy dog";
    const nf::EncodeOptions second{
        .truncation =
            nf::Truncation{.max_length = 5, .strategy = nf::TruncationStrategy::only_second}};
    CHECK(bad_input_of([&] { (void)bundled().encode_batch({"a", longer, longer}, second); }) == 1U);
    const std::vector<nf::Tokenizer::TextPair> few{{"a", longer}, {longer, "a"}};
    CHECK(message_of([&] {
              (void)bundled().encode_pairs(few, second);
          }).starts_with("text 1: truncation: expected at most "));
    CHECK_FALSE(bad_input_of([&] { (void)bundled().encode(longer, second); }));

    nf::ThreadPool pool(4);
    std::vector<nf::Tokenizer::TextPair> pairs(400, {"a", longer});
    for (const std::size_t bad : {399U, 250U, 67U, 66U}) {
        pairs[bad] = {longer, "a"};
        CHECK(bad_input_of([&] { (void)bundled().encode_pairs(pairs, second, pool); }) == bad);
    }
    CHECK(bad_input_of([&] { (void)bundled().encode_pairs(pairs, second); }) == 66U);

    std::string much;
    for (int i = 0; i < 4000; ++i) much += "a ";
    const nf::EncodeOptions wide{
        .truncation = {.max_length = 3},
        .padding = {.strategy = nf::PaddingStrategy::fixed, .length = 1000}};
    CHECK(bad_input_of([&] { (void)bundled().encode_batch({"a", much}, wide); }) == 1U);
    const nf::EncodeOptions impossible{.truncation = {.max_length = 1}};
    CHECK_FALSE(bad_input_of([&] { (void)bundled().encode_batch({"a", "b"}, impossible); }));
}

TEST_CASE("a stride is refused at once where tokenizers 0.23 refuses it", "[tokenizer]") {
    // Python takes a stride of all tokens of a window until a text is longer than that.
    for (nf::Index max_length = 2; max_length < 6; ++max_length) {
        for (nf::Index stride = 0; stride < 6; ++stride) {
            CAPTURE(max_length, stride);
            const nf::Truncation truncation{.max_length = max_length, .stride = stride};
            CHECK((refusal(truncation) == "none") == (stride <= max_length - 2));
        }
    }
    CHECK(refusal({.max_length = 4, .stride = 3}) ==
          "truncation.stride: expected 0, or less than the 2 tokens that a window has besides the "
          "special ones, found 3");
    CHECK(refusal({.max_length = 4, .stride = 3}, false) == "none");
    CHECK(refusal({.max_length = 4, .stride = 5}, false) != "none");
    CHECK(refusal({.max_length = 9, .stride = -1}) ==
          "truncation.stride: expected at least 0, found -1");
    CHECK(refusal({.max_length = 1}) ==
          "truncation.max_length: expected at least 2 (the special tokens), found 1");
    CHECK(pair_refusal({.max_length = 2}) ==
          "truncation.max_length: expected at least 3 (the special tokens), found 2");
    CHECK(pair_refusal({.max_length = 5, .stride = 3}) == "none");  // as in Python
    CHECK(pair_refusal({.max_length = 5, .stride = 4}) != "none");
    const auto none = nf::TruncationStrategy::do_not_truncate;
    CHECK(refusal({.max_length = -1, .stride = 9, .strategy = none}) == "none");
    // Python takes this of a text without a pair until the text is too long.
    CHECK(refusal({.max_length = 3, .strategy = nf::TruncationStrategy::only_second}) == "none");
    const nf::EncodeOptions options{.truncation = {.max_length = 4, .stride = 3}};
    CHECK_THROWS_AS(bundled().encode_batch(std::vector<std::string>{}, options), nf::InputError);
}

TEST_CASE("empty braces are a default truncation and padding", "[tokenizer]") {
    std::string longer;
    for (int i = 0; i < 600; ++i) longer += "a ";
    CHECK(bundled().encode(longer).size() > 600);
    CHECK(bundled().encode(longer, {.truncation = {}}).size() == 512);
    CHECK(bundled().encode(longer, {.truncation = {.max_length = 8}}).size() == 8);
    const auto padded = bundled().encode_batch({"a", "a a a"}, {.padding = {}});
    CHECK(padded[0].size() == padded[1].size());
    CHECK(bundled().encode_batch({"a", "a a a"})[0].size() < padded[1].size());
}

TEST_CASE("what tokenizer.json says leaves no room for other fields", "[tokenizer]") {
    const auto truncation = nf::TruncationStrategy::from_file;
    const auto padding = nf::PaddingStrategy::from_file;
    (void)bundled().encode("a", {.truncation = {.strategy = truncation}});
    CHECK(message_of([&] {
              (void)bundled().encode("a",
                                     {.truncation = {.max_length = 8, .strategy = truncation}});
          }).starts_with("truncation: expected a strategy"));
    CHECK(message_of([&] {
              (void)bundled().encode("a", {.padding = {.strategy = padding, .pad_id = 1}});
          }).starts_with("padding: expected a strategy"));
}

TEST_CASE("empty braces after a text are options", "[tokenizer]") {
    CHECK(EncodesWithEmptyBraces<nf::Tokenizer>);
    CHECK_FALSE(EncodesWithPairInBraces<nf::Tokenizer, const char*>);
    CHECK_FALSE(EncodesWithPairInBraces<nf::Tokenizer, std::string>);
    CHECK(EncodesWithPairInBraces<nf::Tokenizer, bool>);  // options
    const auto expected = bundled().encode("the", std::string_view("land")).ids;
    const std::string string = "land";
    char array[] = "land";
    const std::optional<std::string_view> view = "land";
    const char* pointer = array;
    CHECK(bundled().encode("the", "land").ids == expected);
    CHECK(bundled().encode("the", string).ids == expected);
    CHECK(bundled().encode("the", std::string("land")).ids == expected);
    CHECK(bundled().encode("the", array).ids == expected);
    CHECK(bundled().encode("the", pointer).ids == expected);
    CHECK(bundled().encode("the", *view).ids == expected);
    CHECK(bundled().encode("the", "land", {}).ids == expected);
    CHECK(bundled().encode("the", {}).ids == bundled().encode("the").ids);
    CHECK(bundled().encode("the", {.add_special_tokens = false}).size() == 1);
}

}  // namespace encode_options_test
