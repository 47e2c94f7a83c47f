// SPDX-License-Identifier: MIT
// Malformed tokenizers: tokenizer.json and its character map, spiece.model, vocabulary files.
#pragma once

#include "robustness/malformed/malformed.hpp"
#include "unit/tokenizer/tokenizer_files.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::testing {

/// `base` with one value changed, which is blamed at `place`.
struct WrongValue {
    const char* pointer;
    Json value;
    const char* place;
    const char* kind = "TokenizerError";
};

inline std::vector<MalformedFile> wrong_values(const std::string& of, const Json& base,
                                               const std::vector<WrongValue>& values) {
    std::vector<MalformedFile> files;
    for (const WrongValue& wrong : values) {
        Json json = base;
        json[Json::json_pointer(wrong.pointer)] = wrong.value;
        files.push_back({of + wrong.pointer + " " + wrong.value.dump().substr(0, 40),
                         "tokenizer.json",
                         json.dump(),
                         wrong.kind,
                         {": " + std::string(wrong.place) + ": "}});
    }
    return files;
}

inline std::vector<MalformedFile> malformed_tokenizers() {
    constexpr const char* unsupported = "UnsupportedError";
    const std::string long_piece(1'000'000, 'x');
    const Json fixed = {{"strategy", {{"Fixed", 1'000'000'000'000}}},
                        {"direction", "Right"},
                        {"pad_id", 0},
                        {"pad_type_id", 0},
                        {"pad_token", "<unk>"}};
    Json bad_pad = fixed;
    bad_pad["strategy"] = "BatchLongest";
    bad_pad["pad_id"] = -1;
    Json bad_side = fixed;
    bad_side["strategy"] = "BatchLongest";
    bad_side["direction"] = "Up";
    const std::int64_t beyond = std::int64_t{1} << 31;
    return wrong_values(
        "unigram ", valid(),
        {{"/normalizer/normalizers/1/type", "Uppercase", "/normalizer/normalizers/1/type",
          unsupported},
         {"/normalizer/type", 3, "/normalizer/type"},
         {"/normalizer/normalizers", Json::object(), "/normalizer/normalizers"},
         {"/pre_tokenizer/pretokenizers/0/type", "SplitSentences",
          "/pre_tokenizer/pretokenizers/0/type", unsupported},
         {"/post_processor/type", "PairProcessing", "/post_processor/type", unsupported},
         {"/decoder/type", "Wordpiece", "/decoder/type", unsupported},
         {"/model/type", "Bigram", "/model/type", unsupported},
         {"/normalizer/normalizers/0/pattern",
          {{"Regex", "(?<=a+)b"}},
          "/normalizer/normalizers/0/pattern/Regex",
          unsupported},
         {"/normalizer/normalizers/0/pattern",
          {{"Regex", "(a"}},
          "/normalizer/normalizers/0/pattern/Regex",
          unsupported},
         {"/normalizer/normalizers/0/pattern",
          {{"Regex", "a{1000000}"}},
          "/normalizer/normalizers/0/pattern/Regex",
          unsupported},
         {"/normalizer/normalizers/0/pattern",
          {{"Regex", std::string(5000, '(')}},
          "/normalizer/normalizers/0/pattern/Regex",
          unsupported},
         {"/model", nullptr, "/model"},
         {"/model", Json::array(), "/model"},
         {"/model/vocab", Json::array(), "/model/vocab"},
         {"/model/vocab", Json::object(), "/model/vocab"},
         {"/model/vocab/3", Json::array({"x"}), "/model/vocab/3"},
         {"/model/vocab/3", Json::array({"x", -1.0, 2}), "/model/vocab/3"},
         {"/model/vocab/3", "x", "/model/vocab/3"},
         {"/model/vocab/3/0", 3, "/model/vocab/3/0"},
         {"/model/vocab/3/0", long_piece, "/model/vocab/3/0"},
         {"/model/vocab/3/1", "NaN", "/model/vocab/3/1"},
         {"/model/vocab/3/1", nullptr, "/model/vocab/3/1"},
         {"/model/vocab/3/1", true, "/model/vocab/3/1"},
         {"/model/unk_id", -1, "/model/unk_id"},
         {"/model/unk_id", 6, "/model/unk_id"},
         {"/model/unk_id", 1.5, "/model/unk_id"},
         {"/model/unk_id", "0", "/model/unk_id"},
         {"/model/byte_fallback", 1, "/model/byte_fallback"},
         {"/version", "2.0", "/version"},
         {"/added_tokens", Json::object(), "/added_tokens"},
         {"/added_tokens/0", 3, "/added_tokens/0"},
         {"/added_tokens/2/id", -1, "/added_tokens/2/id"},
         {"/added_tokens/2/id", nullptr, "/added_tokens/2/id"},
         {"/added_tokens/2/id", 1.5, "/added_tokens/2/id"},
         {"/added_tokens/2/id", beyond, "/added_tokens/2/id"},
         {"/added_tokens/2/id", "6", "/added_tokens/2/id"},
         {"/added_tokens/2/content", 5, "/added_tokens/2/content"},
         {"/added_tokens/2/lstrip", "no", "/added_tokens/2/lstrip"},
         {"/normalizer/normalizers/0/pattern", 3, "/normalizer/normalizers/0/pattern"},
         {"/normalizer/normalizers/0/content", nullptr, "/normalizer/normalizers/0/content"},
         {"/pre_tokenizer/pretokenizers/1/replacement", "__",
          "/pre_tokenizer/pretokenizers/1/replacement"},
         {"/pre_tokenizer/pretokenizers/1/prepend_scheme", "often",
          "/pre_tokenizer/pretokenizers/1/prepend_scheme"},
         {"/pre_tokenizer/pretokenizers/1/add_prefix_space", false,
          "/pre_tokenizer/pretokenizers/1/add_prefix_space"},
         {"/post_processor/single/0/SpecialToken/id", "[T]",
          "/post_processor/single/0/SpecialToken/id"},
         {"/post_processor/single/0/SpecialToken/type_id", -1,
          "/post_processor/single/0/SpecialToken/type_id"},
         {"/post_processor/single/1/Sequence/id", "B", "/post_processor/single/1/Sequence/id"},
         {"/post_processor/single", nullptr, "/post_processor/single"},
         {"/post_processor/pair/1", {{"Token", 1}}, "/post_processor/pair/1"},
         {"/post_processor/special_tokens/[S]/ids/0", 70,
          "/post_processor/special_tokens/[S]/ids/0"},
         {"/post_processor/special_tokens/[S]/ids/0", -1,
          "/post_processor/special_tokens/[S]/ids/0"},
         {"/post_processor/special_tokens/[S]/tokens/0", std::string(5000, 'x'),
          "/post_processor/special_tokens/[S]/tokens/0"},
         {"/post_processor/special_tokens/[S]",
          {{"ids", std::vector<int>(5000)}, {"tokens", std::vector<std::string>(5000, "x")}},
          "/post_processor/single"},
         {"/post_processor/special_tokens/[S]/tokens", Json::array(),
          "/post_processor/special_tokens/[S]/tokens"},
         {"/truncation",
          {{"max_length", -4}, {"stride", 0}, {"strategy", "LongestFirst"}},
          "/truncation/max_length"},
         {"/truncation",
          {{"max_length", 4}, {"stride", 0}, {"strategy", "Longest"}},
          "/truncation/strategy"},
         {"/truncation", 3, "/truncation"},
         {"/padding", fixed, "/padding/strategy/Fixed"},
         {"/padding", bad_pad, "/padding/pad_id"},
         {"/padding", bad_side, "/padding/direction"}});
}

inline std::vector<MalformedFile> malformed_bpes() {
    const auto merge = [](Json value) -> WrongValue {
        return {"/model/merges/2", std::move(value), "/model/merges/2"};
    };
    const auto id = [](Json value) -> WrongValue {
        return {"/model/vocab/b", std::move(value), "/model/vocab/b"};
    };
    Json bert = {{"type", "BertProcessing"}, {"sep", {"a", 61}}, {"cls", {"b", 2}}}, far = bert;
    bert["sep"] = "a";
    const Json nothing = {{"type", "Nothing"}};
    return wrong_values(
        "bpe ", bpe(),
        {{"/model/dropout", 0.1, "/model/dropout", "UnsupportedError"},
         {"/model/vocab", Json::array({1}), "/model/vocab"},
         id(-1),
         id(0.5),
         id("1"),
         id(nullptr),
         id(std::int64_t{1} << 31),
         id(7),
         merge("ab"),
         merge("a b a"),
         merge(Json::array({"a"})),
         merge(Json::array({"a", 1})),
         merge(3),
         merge(Json::array({"a", "c"})),
         merge(Json::array({"b", "b"})),
         {"/model/merges", nullptr, "/model/merges"},
         {"/model/continuing_subword_prefix", "##", "/model/merges/0"},
         {"/model/end_of_word_suffix", std::string(300, 'x'), "/model/end_of_word_suffix"},
         {"/model/fuse_unk", "yes", "/model/fuse_unk"},
         {"/model/unk_token", 5, "/model/unk_token"},
         {"/post_processor", bert, "/post_processor/sep"},
         {"/post_processor", far, "/post_processor/sep/1"},
         {"/post_processor",
          {{"type", "RobertaProcessing"}, {"sep", {"a", 7}}, {"cls", {"b", 2}}},
          "/post_processor/trim_offsets"},
         {"/post_processor",
          {{"type", "Sequence"}, {"processors", Json::array({nothing})}},
          "/post_processor/processors/0/type",
          "UnsupportedError"}});
}

/// Files that are no strict JSON, or lack what they must have.
inline std::vector<MalformedFile> malformed_tokenizer_texts() {
    std::string infinite = valid().dump();
    infinite.replace(infinite.find("-3.5"), 4, "1e999");
    Json without_model = valid();
    without_model.erase("model");
    std::vector<MalformedFile> files;
    for (const auto& [text, kind, part] :
         std::vector<std::tuple<std::string, const char*, std::string>>{
             {"", "FormatError", "byte"},
             {"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "FormatError",
              "Git LFS"},
             {"[]", "TokenizerError", ": /: "},
             {"null", "TokenizerError", ": /: "},
             {"{\"model\": NaN}", "FormatError", "byte 11"},
             {"{\"a\": 1, \"a\": 2}", "FormatError", "\"a\" twice"},
             {std::string(100, '['), "FormatError", "depth of at most 32"},
             {std::string("{}\0x", 4), "FormatError", "zero byte"},
             {"\xEF\xBB\xBF{}", "FormatError", "byte order mark"},
             {"{\"a\xFF\": 1}", "FormatError", "byte"},
             {valid().dump().substr(0, 500), "FormatError", "byte"},
             {infinite, "FormatError", "out of range"},
             {without_model.dump(), "TokenizerError", ": /model: "}}) {
        files.push_back(
            {"tokenizer.json: " + text.substr(0, 50), "tokenizer.json", text, kind, {part}});
    }
    return files;
}

inline std::vector<MalformedFile> malformed_charsmaps() {
    std::vector<MalformedFile> files;
    const auto add = [&](const char* title, const std::string& text) {
        files.push_back({"charsmap: " + std::string(title),
                         "tokenizer.json",
                         with_charsmap(text).dump(),
                         "TokenizerError",
                         {": /normalizer/normalizers/2/precompiled_charsmap: "}});
    };
    const std::string_view b("b\0", 2);
    add("nothing", "");
    add("three letters", "AAA");
    add("three bytes", "AAAA");
    add("three fillings", "A===");
    add("one byte", "AA==");
    add("no base64", "!!!!");
    add("a filling within", "AA==AAAA");
    add("no units", "AAAAAA==");
    add("stray bits", "AB==");
    add("a size that is no multiple of 4",
        base64(std::string("\5\0\0\0", 4) + std::string(8, '\0')));
    add("a size beyond seven bytes", "BAAAAAAAAA==");
    add("a size beyond the bytes", base64(std::string("\xFF\xFF\xFF\xFF\0\0\0\0", 8)));
    add("a trie of nothing", charsmap({}, b));
    auto units = one_letter();
    units.resize(700);
    add("children beyond the trie", charsmap(units, b));
    units = one_letter();
    units[0] = 0xFFFFFC00U;
    add("a root that leads beyond it", charsmap(units, b));
    units = one_letter();
    units[512] = 1U << 31 | 2;
    add("a value behind the last replacement", charsmap(units, b));
    units[512] = 0xFFFFFFFFU;
    add("a value of 2^31 - 1", charsmap(units, b));
    units[512] = 1U << 31 | 1;
    add("a value inside a character", charsmap(units, std::string_view("\xC3\xA9\0", 3)));
    add("no replacement", charsmap(one_letter(), ""));
    add("a replacement without end", charsmap(one_letter(), "b"));
    add("a replacement that is no UTF-8", charsmap(one_letter(), std::string_view("\xFF\0", 2)));
    add("a lone continuation", charsmap(one_letter(), std::string_view("\x80\0", 2)));
    return files;
}

inline std::vector<MalformedFile> malformed_spieces() {
    const std::string whole = spiece();
    std::vector<MalformedFile> files;
    for (const auto& [title, bytes, kind, part] :
         std::vector<std::tuple<std::string, std::string, const char*, std::string>>{
             {"nothing", "", "FormatError", "at least one piece"},
             {"half a tag", "\x8A", "FormatError", "byte 1"},
             {"half a piece", whole.substr(0, 9), "FormatError", "byte 2"},
             {"all but a byte", whole.substr(0, whole.size() - 1), "FormatError", "byte"},
             {"a BPE model", whole + field(2, "\x18\x02"), "UnsupportedError",
              "trainer_spec.model_type"},
             {"a group", whole + "\x0B", "FormatError", "type 0, 1, 2 or 5"},
             {"a length beyond the file", whole + "\x0A\xFF\xFF\xFF\xFF\x0F", "FormatError",
              "4294967295"},
             {"a length of 2^64 - 1", whole + "\x0A" + std::string(9, '\xFF') + "\x01",
              "FormatError", "18446744073709551615"},
             {"a number of eleven bytes", whole + std::string(11, '\xFF'), "FormatError",
              "10 bytes"},
             {"a piece that is no UTF-8", whole + piece("\xFF", 1), "FormatError", "byte"},
             {"a piece of type 9", whole + piece("b", 9), "FormatError", "byte"},
             {"a piece of type 0", whole + piece("b", 0), "FormatError", "a type from 1 to 6"},
             {"a word model", whole + field(2, "\x18\x03"), "UnsupportedError",
              "a Unigram model (1), found 3"},
             {"half a number of 64 bits", whole + std::string("\x09\0\0\0\0", 5), "FormatError",
              "a protobuf field, found 4"},
             {"a score that is NaN",
              whole + field(1, field(1, "c") + std::string("\x15\0\0\xC0\x7F", 5)), "FormatError",
              "byte"},
             {"an infinite score",
              whole + field(1, field(1, "c") + std::string("\x15\0\0\x80\x7F", 5)), "FormatError",
              "byte"},
             {"no unknown piece", piece("a", 1), "TokenizerError", ""},
             {"a bad character map", whole + field(3, field(2, "\x01")), "TokenizerError",
              "precompiled_charsmap"},
             {"a web page", "<html>not found</html>", "FormatError", "byte"},
             {"a Git LFS pointer", "version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
              "FormatError", "never downloaded"}}) {
        files.push_back({"spiece.model: " + title,
                         "spiece.model",
                         bytes,
                         kind,
                         {part},
                         {"tokenizer.json"},
                         {{"tokenizer_config.json", R"({"tokenizer_class": "AlbertTokenizer"})"}}});
    }
    return files;
}

/// vocab.txt, vocab.json with merges.txt, and the files beside them.
inline std::vector<MalformedFile> malformed_vocabularies() {
    const std::map<std::string, std::string> roberta = {
        {"tokenizer_config.json", R"({"tokenizer_class": "RobertaTokenizer"})"},
        {"vocab.json", R"({"a": 0, "b": 1, "ab": 2})"},
        {"merges.txt", "#version: 0.2\na b\n"}};
    const std::map<std::string, std::string> bert = {
        {"tokenizer_config.json", R"({"tokenizer_class": "BertTokenizer"})"},
        {"vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n"}};
    std::vector<MalformedFile> files;
    const auto add = [&](const std::map<std::string, std::string>& others, const std::string& file,
                         const std::string& bytes, const char* kind, const std::string& part) {
        files.push_back({file + ": " + bytes.substr(0, 40),
                         file,
                         bytes,
                         kind,
                         {part},
                         {"tokenizer.json"},
                         others});
    };
    add(roberta, "merges.txt", "#version: 0.2\na\n", "TokenizerError", "line 2");
    add(roberta, "merges.txt", "a b c\n", "TokenizerError", "line 1");
    add(roberta, "merges.txt", "a \xFF\n", "FormatError", "UTF-8");
    add(roberta, "vocab.json", "", "FormatError", "byte");
    add(roberta, "vocab.json", "[]", "TokenizerError", ": /: ");
    add(roberta, "vocab.json", R"({"a": -1, "b": 1, "ab": 2})", "TokenizerError", ": /a: ");
    add(roberta, "vocab.json", R"({"a": 1, "b": 1, "ab": 2})", "TokenizerError", ": /");
    add(roberta, "vocab.json", R"({"a": 1e3, "b": 1, "ab": 2})", "TokenizerError", ": /a: ");
    add(roberta, "vocab.json", R"({"<s>": 1.5, "a": 0, "b": 1, "ab": 2})", "TokenizerError",
        ": /<s>: ");
    add(bert, "vocab.txt", "a\n\xC3\n", "FormatError", "UTF-8");
    add(bert, "vocab.txt", "version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
        "FormatError", "Git LFS");
    add(bert, "vocab.txt", std::string(100'000, 'x') + "\n[UNK]\n", "TokenizerError", ": line 1: ");
    add(roberta, "merges.txt", "#version: 0.2\na b\nz z\n", "TokenizerError",
        "merges.txt: line 3: ");
    add(bert, "tokenizer_config.json", "[]", "TokenizerError", ": /: ");
    add(bert, "tokenizer_config.json", "{", "FormatError", "byte");
    add(bert, "tokenizer_config.json", R"({"tokenizer_class": "CanineTokenizer"})",
        "UnsupportedError", "/tokenizer_class");
    add(bert, "tokenizer_config.json", R"({"tokenizer_class": 3})", "TokenizerError",
        "/tokenizer_class");
    add(bert, "tokenizer_config.json", R"({"added_tokens_decoder": {"x": {"content": "a"}}})",
        "TokenizerError", "/added_tokens_decoder");
    add(bert, "tokenizer_config.json", R"({"added_tokens_decoder": {"": {"content": "a"}}})",
        "TokenizerError", "/added_tokens_decoder");
    add(bert, "tokenizer_config.json",
        R"({"added_tokens_decoder": {"12345678901234567890": {"content": "a"}}})", "TokenizerError",
        "ids as keys");
    add(bert, "tokenizer_config.json", R"({"added_tokens_decoder": {"1": 5}})", "TokenizerError",
        "/added_tokens_decoder/1");
    add(bert, "tokenizer_config.json", R"({"extra_special_tokens": ["a", 1]})", "TokenizerError",
        "/extra_special_tokens/1");
    add(bert, "tokenizer_config.json", R"({"extra_special_tokens": {"x_token": {"content": 5}}})",
        "TokenizerError", "/x_token/content");
    add(bert, "tokenizer_config.json", R"({"additional_special_tokens": 5})", "TokenizerError",
        "/additional_special_tokens");
    add(bert, "tokenizer_config.json", R"({"truncation_side": "up"})", "TokenizerError",
        "/truncation_side");
    add(bert, "tokenizer_config.json", R"({"model_max_length": "512"})", "TokenizerError",
        "/model_max_length");
    add(bert, "tokenizer_config.json", R"({"model_input_names": [1]})", "TokenizerError",
        "/model_input_names/0");
    add(bert, "tokenizer_config.json", R"({"do_lower_case": "yes"})", "TokenizerError",
        "/do_lower_case");
    add(bert, "special_tokens_map.json", "3", "TokenizerError", ": /: ");
    add(bert, "special_tokens_map.json", R"({"mask_token": {"content": 1}})", "TokenizerError",
        "/mask_token/content");
    add(bert, "added_tokens.json", R"({"a": "b"})", "TokenizerError", ": /a: ");
    return files;
}

}  // namespace nystromformer::testing
