// SPDX-License-Identifier: MIT
// Builds the tokenizer.json of a fuzz target from its input: every component, flag and kind of
// added token, on a vocabulary of a few strings, of which the texts are made too.
#pragma once

#include <nystromformer/core/json.hpp>

#include <fuzzer/FuzzedDataProvider.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <utility>

namespace nystromformer::fuzz {

/// A tokenizer.json whose parts fit each other more often than not, and texts for it.
class BuiltTokenizer {
public:
    explicit BuiltTokenizer(FuzzedDataProvider& input) : input_(input) {}

    detail::Json json() {
        Json result;
        result["model"] = model();
        result["added_tokens"] = added_tokens(result["model"]["vocab"]);
        if (flag()) result["normalizer"] = normalizer();
        if (flag()) result["pre_tokenizer"] = pre_tokenizer();
        if (flag()) result["post_processor"] = post_processor();
        if (flag()) result["decoder"] = decoder();
        if (flag()) result["truncation"] = truncation();
        if (flag()) result["padding"] = padding();
        return result;
    }

    std::string text() {
        std::string result;
        for (std::size_t i = below(12); i > 0; --i) result += part();
        return result;
    }

private:
    using Json = detail::Json;

    std::size_t below(std::size_t size) { return input_.ConsumeIntegral<std::uint8_t>() % size; }
    bool flag() { return below(2) == 1; }
    const char* one_of(std::initializer_list<const char*> names) {
        return names.begin()[below(names.size())];
    }

    const char* part() {
        static constexpr std::array parts = {
            "a",      "b",      "c",      "A",          " ",          "  ",     "\t",
            "\n",     "\u3000", "1",      "12",         "\u00bd",     ".",      "'s",
            "\u2581", "\u0120", "##",     "</w>",       "<x>",        "[M]",    "\u00e9",
            "\u0301", "\u0130", "\ufb01", "\u4e2d",     "\uac00",     "\u1100", "\u200b",
            "\u2028", "<0x41>", "<0xC3>", "\U0001F600", "\U0001F1E9", "\u200d", "\u0f73",
            "|",      "-",      "<unk>",  "\u01c5",     "\U0001D15E", "\u0345"};
        return parts[below(parts.size())];
    }
    std::string word() {
        std::string result;
        for (std::size_t i = 1 + below(3); i > 0; --i) result += part();
        return result;
    }

    const char* character() { return one_of({" ", "a", "\u2581", "\u00e9", "\u4e2d", "_"}); }

    /// Sequences nest to a depth of three.
    template <typename One>
    Json sequence(const char* key, One&& one) {
        Json parts = Json::array();
        ++depth_;
        for (std::size_t i = depth_ > 3 ? 0 : below(4); i > 0; --i) parts.push_back(one());
        --depth_;
        return {{"type", "Sequence"}, {key, parts}};
    }

    Json pattern() {
        if (flag()) return {{"String", below(9) == 0 ? "" : word()}};
        return {{"Regex", one_of({"\\s+",
                                  "^",
                                  "$",
                                  "",
                                  "a*",
                                  "\\b",
                                  " {2,}",
                                  "[^a ]",
                                  "\\p{L}+|\\p{N}",
                                  "(?=a)",
                                  "(?!b).",
                                  "a|ab",
                                  "(?i:a)+?",
                                  "x?+a",
                                  "(?:ab|c){1,3}",
                                  "^ *",
                                  "\\s+(?!\\S)|\\s+",
                                  "[a-z&&[^b]]",
                                  "(a|\\s)\\1+",
                                  "(?<=a)b",
                                  "(?<! |b)\\p{L}",
                                  "[[:alpha:]]+",
                                  "(?i)ab|c",
                                  "(.)(.)\\2\\1",
                                  "[\\s\\S]",
                                  "\\W",
                                  "(a|b)*"})}};
    }
    const char* behavior() {
        return one_of(
            {"Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"});
    }

    Json normalizer() {
        switch (below(9)) {
            case 0:
                return sequence("normalizers", [&] { return normalizer(); });
            case 1:
                return {{"type", "BertNormalizer"},
                        {"clean_text", flag()},
                        {"handle_chinese_chars", flag()},
                        {"strip_accents", flag()},
                        {"lowercase", flag()}};
            case 2:
            case 3:
                return {{"type", "Replace"},
                        {"pattern", pattern()},
                        {"content", flag() ? word() : one_of({"", " "})}};
            case 4:
                return {{"type", "Strip"}, {"strip_left", flag()}, {"strip_right", flag()}};
            case 5:
                return {{"type", "Prepend"}, {"prepend", flag() ? word() : ""}};
            default:
                return {{"type", one_of({"NFC", "NFD", "NFKC", "NFKD", "StripAccents", "Lowercase",
                                         "Nmt", "ByteLevel"})}};
        }
    }

    Json metaspace() {
        return {{"type", "Metaspace"},
                {"replacement", character()},
                {"prepend_scheme", one_of({"always", "first", "never"})},
                {"split", flag()}};
    }
    Json byte_level() {
        return {{"type", "ByteLevel"},
                {"add_prefix_space", flag()},
                {"trim_offsets", flag()},
                {"use_regex", flag()}};
    }

    Json pre_tokenizer() {
        switch (below(9)) {
            case 0:
            case 1:
                return sequence("pretokenizers", [&] { return pre_tokenizer(); });
            case 2:
                return byte_level();
            case 3:
                return metaspace();
            case 4:
                return {{"type", "CharDelimiterSplit"}, {"delimiter", character()}};
            case 5:
                return {{"type", "Split"},
                        {"pattern", pattern()},
                        {"behavior", behavior()},
                        {"invert", flag()}};
            case 6:
                return {{"type", "Punctuation"}, {"behavior", behavior()}};
            case 7:
                return {{"type", flag() ? "Digits" : "FixedLength"},
                        {"individual_digits", flag()},
                        {"length", 1 + below(4)}};
            default:
                return {{"type", one_of({"BertPreTokenizer", "WhitespaceSplit", "Whitespace",
                                         "UnicodeScripts"})}};
        }
    }

    /// Pieces and words of them; ids may leave gaps.
    Json pieces() {
        Json result = Json::object();
        const std::size_t step = 1 + below(2);
        for (std::size_t i = 1 + below(40); i > 0; --i)
            result.emplace(flag() ? part() : word(), result.size() * step);
        if (below(8) == 0) {
            constexpr char digits[] = "0123456789ABCDEF";
            for (std::size_t byte = 0; byte < 256; ++byte)
                result.emplace(std::string("<0x") + digits[byte / 16] + digits[byte % 16] + ">",
                               result.size() * step);
        }
        return result;
    }

    Json model() {
        Json vocab = pieces();
        size_ = vocab.size();
        if (flag()) vocab.emplace("<unk>", 4 * size_);
        switch (below(4)) {
            case 0: {
                Json list = Json::array();
                for (const auto& item : vocab.items())
                    list.push_back({item.key(), -static_cast<double>(below(8))});
                Json result = {{"type", "Unigram"}, {"vocab", list}, {"byte_fallback", flag()}};
                if (below(4) != 0) result["unk_id"] = below(list.size());
                return result;
            }
            case 1:
                return bpe(std::move(vocab));
            case 2:
                return {{"type", "WordPiece"},
                        {"vocab", vocab},
                        {"unk_token", "<unk>"},
                        {"continuing_subword_prefix", one_of({"##", "", "a"})},
                        {"max_input_chars_per_word", flag() ? 100 : 2}};
            default:
                return {{"type", "WordLevel"}, {"vocab", vocab}, {"unk_token", "<unk>"}};
        }
    }

    Json bpe(Json vocab) {
        const std::string prefix = one_of({"", "", "##", "a"});
        Json merges = Json::array();
        std::size_t next = 5 * size_ + 1;
        for (std::size_t i = below(24); i > 0; --i) {
            const std::string left = part(), right = prefix + part();
            for (const std::string& side : {left, right, left + right.substr(prefix.size())})
                if (vocab.emplace(side, next).second) ++next;
            merges.push_back({left, right});
        }
        Json result = {{"type", "BPE"},
                       {"vocab", vocab},
                       {"merges", merges},
                       {"continuing_subword_prefix", prefix},
                       {"end_of_word_suffix", one_of({"", "", "</w>", "a"})},
                       {"fuse_unk", flag()},
                       {"byte_fallback", flag()},
                       {"ignore_merges", flag()}};
        if (flag()) result["unk_token"] = "<unk>";
        return result;
    }

    /// With the ids that the tokenizer gives them.
    Json added_tokens(const Json& vocab) {
        std::map<std::string, std::size_t> ids;
        for (std::size_t i = 0; vocab.is_array() && i < vocab.size(); ++i) ids[vocab[i][0]] = i;
        if (vocab.is_object()) ids = vocab.get<std::map<std::string, std::size_t>>();
        std::size_t next = ids.size();
        Json result = Json::array();
        for (std::size_t i = below(6); i > 0; --i) {
            const std::string content = flag() ? one_of({" ", "\n", "  ", "", "[M]"}) : word();
            const auto [known, is_new] = ids.emplace(content, next);
            if (is_new && !content.empty()) ++next;
            result.push_back({{"content", content},
                              {"id", known->second},
                              {"single_word", below(4) == 0},
                              {"lstrip", flag()},
                              {"rstrip", flag()},
                              {"normalized", flag()},
                              {"special", flag()}});
        }
        return result;
    }

    Json special() { return {part(), below(size_)}; }
    Json step() {
        return {{flag() ? "SpecialToken" : "Sequence",
                 {{"id", one_of({"A", "B"})}, {"type_id", below(3)}}}};
    }
    Json steps() {
        Json result = Json::array();
        for (std::size_t i = below(6); i > 0; --i) result.push_back(step());
        return result;
    }
    Json post_processor() {
        switch (below(5)) {
            case 0:
                return sequence("processors", [&] { return post_processor(); });
            case 1: {
                const Json token = {{"ids", {below(size_)}}, {"tokens", {part()}}};
                Json single = steps();
                for (Json& one : single) one.front()["id"] = "A";
                return {{"type", "TemplateProcessing"},
                        {"single", single},
                        {"pair", steps()},
                        {"special_tokens", {{"A", token}, {"B", token}}}};
            }
            case 2:
                return byte_level();
            default:
                return {{"type", flag() ? "BertProcessing" : "RobertaProcessing"},
                        {"sep", special()},
                        {"cls", special()},
                        {"trim_offsets", flag()},
                        {"add_prefix_space", flag()}};
        }
    }

    Json decoder() {
        switch (below(9)) {
            case 0:
            case 1:
                return sequence("decoders", [&] { return decoder(); });
            case 2:
                return metaspace();
            case 3:
                return {{"type", "Replace"}, {"pattern", pattern()}, {"content", word()}};
            case 4:
                return {{"type", "Strip"},
                        {"content", character()},
                        {"start", below(3)},
                        {"stop", below(3)}};
            case 5:
                return {{"type", "WordPiece"},
                        {"prefix", one_of({"##", "", "a"})},
                        {"cleanup", flag()}};
            case 6:
                return {{"type", "BPEDecoder"}, {"suffix", one_of({"</w>", "", "a"})}};
            case 7:
                return {{"type", "CTC"},
                        {"pad_token", one_of({"<pad>", "", "a"})},
                        {"word_delimiter_token", one_of({"|", "", "b"})},
                        {"cleanup", flag()}};
            default:
                return {{"type", one_of({"Fuse", "ByteFallback", "ByteLevel"})}};
        }
    }

    Json truncation() {
        const std::size_t length = below(24);
        return {{"max_length", length},
                {"stride", length == 0 ? 0 : below(length)},
                {"strategy", one_of({"LongestFirst", "OnlyFirst", "OnlySecond"})},
                {"direction", one_of({"Left", "Right"})}};
    }
    Json padding() {
        return {{"strategy", flag() ? Json("BatchLongest") : Json{{"Fixed", below(20)}}},
                {"direction", one_of({"Left", "Right"})},
                {"pad_to_multiple_of", below(9)},
                {"pad_id", below(size_)},
                {"pad_type_id", below(3)},
                {"pad_token", part()}};
    }

    FuzzedDataProvider& input_;
    int depth_ = 0;
    std::size_t size_ = 1;
};

}  // namespace nystromformer::fuzz
