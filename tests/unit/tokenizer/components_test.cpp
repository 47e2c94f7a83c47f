// SPDX-License-Identifier: MIT
// Each normaliser and pre-tokeniser alone beside recorded answers of Hugging Face's library
// (tests/tokenizer/record.py), and the regular expressions: what is refused, and that none takes
// long.
#include "support/catch.hpp"
#include "support/library.hpp"

#include <nystromformer/core/json.hpp>
#include <nystromformer/nystromformer.hpp>

#include <nystromformer/tokenizer.hpp>
#include <nystromformer/tokenizer/pre_tokenizers/byte_alphabet.hpp>
#include <nystromformer/tokenizer/regex/regex_search.hpp>

#include <filesystem>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace components_test {

namespace {

namespace nf = nystromformer;
using nf::detail::Json;

/// A tokenizer whose pieces are its tokens: it knows none.
nf::Tokenizer load(const Json& normalizer, const Json& pre_tokenizer) {
    Json json = Json::parse(
        R"({"version": "1.0", "model": {"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0.0]]}})");
    json["normalizer"] = normalizer;
    json["pre_tokenizer"] = pre_tokenizer;
    return nf::Tokenizer::from_json(json.dump(), {}, {}, "t.json");
}

Json split(const std::string& pattern) {
    return {{"type", "Split"},
            {"pattern", {{"Regex", pattern}}},
            {"behavior", "Isolated"},
            {"invert", false}};
}

/// The matches of `pattern` in `text`.
std::vector<std::pair<std::size_t, std::size_t>> matches(const std::string& pattern,
                                                         const std::string& text) {
    nf::detail::MemoryBudget budget("", 0, 0);
    const nf::detail::Regex regex(pattern, "", budget);
    nf::detail::RegexSearch search(regex);
    search.start(text);
    std::vector<std::pair<std::size_t, std::size_t>> result;
    while (const auto match = search.next()) result.emplace_back(match->begin, match->end);
    return result;
}

}  // namespace

TEST_CASE("every component equals Hugging Face's") {
    const Json file = nf::detail::read_json_file(
        std::filesystem::path(NYSTROMFORMER_TEST_DATA) / "tokenizer/components.json", 1 << 20);
    REQUIRE(file.at("cases").size() > 150);
    for (const Json& one : file.at("cases")) {
        INFO(one.at("name").get<std::string>());
        const nf::Tokenizer tokenizer = load(one.at("normalizer"), one.at("pre_tokenizer"));
        for (const Json& text : one.at("texts")) {
            INFO(text.at(0).dump());
            const nf::Encoding encoding = tokenizer.encode(text.at(0).get<std::string>());
            CHECK(Json(encoding.tokens) == text.at(1));
            CHECK(Json(encoding.offsets) == text.at(2));
        }
    }
}

TEST_CASE("the alphabet of bytes has a character for each and one byte for each of them") {
    std::size_t letters = 0;
    for (char32_t point = 0; point < 0x400; ++point) {
        const auto byte = nf::detail::byte_level_byte(point);
        if (!byte) continue;
        ++letters;
        CHECK(nf::detail::byte_level_char(*byte) == point);
    }
    CHECK(letters == 256);
    CHECK(nf::detail::byte_level_char(' ') == 0x120);
    CHECK(nf::detail::byte_level_char('a') == 'a');
}

TEST_CASE("a component with an option that it does not know is refused") {
    const auto refusal = [](const Json& normalizer, const Json& pre_tokenizer) -> std::string {
        try {
            load(normalizer, pre_tokenizer);
            return "loaded";
        } catch (const nf::UnsupportedError& error) {
            return "UnsupportedError " + error.place();
        } catch (const nf::TokenizerError& error) {
            return "TokenizerError " + error.place();
        }
    };
    CHECK(refusal(nullptr, nullptr) == "loaded");
    CHECK(refusal({{"type", "NFX"}}, nullptr) == "UnsupportedError /normalizer/type");
    CHECK(refusal(nullptr, {{"type", "Words"}}) == "UnsupportedError /pre_tokenizer/type");
    CHECK(refusal({{"type", "BertNormalizer"}}, nullptr) ==
          "TokenizerError /normalizer/clean_text");
    CHECK(refusal(nullptr, {{"type", "FixedLength"}, {"length", 0}}) ==
          "TokenizerError /pre_tokenizer/length");
    CHECK(refusal(nullptr, {{"type", "Punctuation"}, {"behavior", "Torn"}}) ==
          "TokenizerError /pre_tokenizer/behavior");
    CHECK(refusal(nullptr, {{"type", "CharDelimiterSplit"}, {"delimiter", "ab"}}) ==
          "TokenizerError /pre_tokenizer/delimiter");
    CHECK(refusal(nullptr, {{"type", "CharDelimiterSplit"}, {"delimiter", ""}}) ==
          "TokenizerError /pre_tokenizer/delimiter");
    Json metaspace = {{"type", "Metaspace"}, {"replacement", "_"}, {"add_prefix_space", false}};
    CHECK(refusal(nullptr, metaspace) == "TokenizerError /pre_tokenizer/add_prefix_space");
    metaspace["prepend_scheme"] = "first";
    CHECK(refusal(nullptr, metaspace) == "TokenizerError /pre_tokenizer/add_prefix_space");
    metaspace["prepend_scheme"] = "never";
    CHECK(refusal(nullptr, metaspace) == "loaded");
    // What may be left out.
    const nf::Tokenizer five = load(nullptr, {{"type", "FixedLength"}});
    CHECK(five.encode("abcdefg").tokens == std::vector<std::string>{"abcde", "fg"});
    const nf::Tokenizer bytes =
        load(nullptr, {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}});
    CHECK(bytes.encode("ab cd").tokens == std::vector<std::string>{"ab", "\u0120cd"});
}

TEST_CASE("regular expressions that the matcher does not know are refused with their text") {
    const auto check = [](const std::string& pattern) {
        INFO(pattern);
        try {
            load(nullptr, split(pattern));
            FAIL("was taken");
        } catch (const nf::UnsupportedError& error) {
            CHECK(error.place() == "/pre_tokenizer/pattern/Regex");
            CHECK(error.found() == nf::in_quotes(pattern));
        }
    };
    for (const std::string pattern :
         {"(?<=a+)b",    "(?<!a|a*)b",  "(?>a)",         "(?<name>a)", "(?x)a",
          "(?#a)",       "(?~a)",       "(?s:.)",        "\\R",        "\\X",
          "\\h",         "\\1",         "\\k<a>",        "\\K",        "\\G",
          "\\Z",         "\\p{Tangut}", "\\p{}",         "\\p{L",      "\\pL",
          "[a",          "[]",          "[a&&",          "[[:alfa:]]", "[a[^b]",
          "[z-a]",       "[\\w-a]",     "[a-\\w]",       "(a",         "a)",
          "*a",          "a**",         "a+{2}",         "a{2}?",      "a{",
          "a{,}",        "a{3,2}",      "a{1001}",       "(a*)*",      "(a|)+",
          "(?:ab)*+",    "(?!a*b)",     "(?i:\xC3\xA9)", "(?i:ss)",    "(?i:[s][t])",
          "(?i:s(?:t))", "(?i:[^a])",   "(?i:\\p{Lu})",  "\\",         "\\xE9",
          "\\xg",        "\\x{110000}", "\\x{D800}",     "\\u12",      "(((a{100}){100}){100})",
          "^*"})
        check(pattern);
    for (const std::string pattern : {"+a",
                                      "?",
                                      "{2}",
                                      "a???",
                                      "a{2}+?*",
                                      "[\\b]",
                                      "[a-[b]]",
                                      "[[]a]",
                                      "\\x{41",
                                      "\\x{}",
                                      "a{2",
                                      "\\p{Xx}",
                                      "(?i:a[\xC3\xA9])",
                                      "(?i:(?:st))",
                                      "(a)\\2",
                                      "(\\1a)",
                                      "(?i)(a)\\1",
                                      "(?=(a))\\1",
                                      "(a)\\10",
                                      "[[:alpha:]",
                                      "(?<=a(?=b))c",
                                      "(?-x)a",
                                      "(?i",
                                      "(?i:[[:word:]])",
                                      "(?<=a|\\p{L}?)b"})
        check(pattern);
    const std::string deep(33, '(');
    CHECK_THROWS_AS(matches(deep + "a" + std::string(33, ')'), "a"), nf::UnsupportedError);
    CHECK_THROWS_AS(matches(std::string(4097, 'a'), "a"), nf::UnsupportedError);
}

TEST_CASE("characters and intervals may be written in every way that the matcher knows") {
    using Matches = std::vector<std::pair<std::size_t, std::size_t>>;
    for (const auto& [pattern, text, expected] :
         std::vector<std::tuple<std::string, std::string, Matches>>{
             {"\\x41\\x{42}\\u0043\\D", "ABC.", {{0, 4}}},
             {"\\x{4E00}\\\xC3\xA9", "\xE4\xB8\x80\xC3\xA9", {{0, 5}}},
             {"\\x{ff01}", "\xEF\xBC\x81", {{0, 3}}},
             {"\\t\\n\\r\\f\\v\\a\\e", "\t\n\r\f\v\a\x1B", {{0, 7}}},
             {"a{,2}b", "aaab", {{1, 4}}},
             {"a{2,3}?", "aaaa", {{0, 2}, {2, 4}}},
             {"a{2,3}", "aaaa", {{0, 3}}},
             {"a{2}+", "aaaaab", {{0, 4}}},
             {"a{2}{3}", "aaaaaaaab", {{0, 6}}},
             {"a{1,3}+a", "aaaa", {{0, 4}}},
             {"[a[bc]-]+", "xab-c", {{1, 5}}},
             {"\\p{^L}\\P{^L}", "a1b", {{1, 3}}},
             {"(?i:[1~k])+", "1K\xE2\x84\xAA", {{0, 5}}},
             {"(?i:(?i:a)b)", "xAB", {{1, 3}}}}) {
        INFO(pattern);
        CHECK(matches(pattern, text) == expected);
    }
}

// A search that goes back would take hours here: ctest's time-out tells.
TEST_CASE("no regular expression takes longer than the text is long") {
    const std::string letters(200000, 'a');
    std::string pairs;
    for (int i = 0; i < 100000; ++i) pairs += "ab";
    for (const std::string pattern :
         {"(?:a|a)*b", "(?:a+)+b", "(?:a*ab)+", "a*a*a*a*b", "a?a?a?a?a?a?a?a?a?a?aaaaaaaaaab",
          "a+b|c", "a++b", "a*?b", "(?:(?:a|ab)(?:c|b))*d", "(?:ab)*c", "a.*c|b",
          "(?:a{0,9}b?)b{3}", "(?:ab|a(?=b))*c"}) {
        INFO(pattern);
        CHECK(matches(pattern, letters).empty());
        matches(pattern, pairs);
    }
    // With notes taken or without, the matches are the same.
    CHECK(matches("a+b|a", letters).size() == letters.size());
    CHECK(matches("a+?c|ab", pairs).size() == 100000);
    CHECK(matches("(?:a|b)+c|a(?!a)", pairs + "c").size() == 1);
}

TEST_CASE("a back-reference on which the matcher would take long is an error of the text") {
    CHECK(matches("(a+)(b)\\1", "xaabaa").size() == 1);
    CHECK_THROWS_AS(matches("(?:(a+)+)+\\1b", std::string(20000, 'a')), nf::InputError);
}

TEST_CASE("classes in classes are read to a depth of sixteen") {
    const auto nested = [](std::size_t depth) {
        std::string result = "a";
        for (std::size_t i = 0; i < depth; ++i) result = "[" + result + "]";
        return result;
    };
    CHECK(matches(nested(16), "ba").size() == 1);
    CHECK_THROWS_AS(matches(nested(20), "a"), nf::UnsupportedError);
}

}  // namespace components_test
