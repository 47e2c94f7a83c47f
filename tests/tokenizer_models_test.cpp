// SPDX-License-Identifier: MIT
// Every model, post-processor and decoder, and folders without tokenizer.json, beside recorded
// answers of Hugging Face's libraries (tests/tokenizer/record_models.py), and what malformed ones
// get.
#include "catch.hpp"
#include "tokenizer_answers.hpp"
#include "tokenizer_files.hpp"

#include <nystromformer/core/thread_pool.hpp>
#include <nystromformer/tokenizer/tokenizer.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

using namespace nystromformer::testing;

namespace {

const std::filesystem::path bundled_folder =
    std::filesystem::path(NYSTROMFORMER_MODELS) / "nystromformer-small-en";

const Json& recorded() {
    static const Json result = nf::detail::read_json_file(
        std::filesystem::path(NYSTROMFORMER_TEST_DATA) / "tokenizer/models.json", 1 << 21);
    return result;
}

nf::Tokenizer load(const Json& json) { return nf::Tokenizer::from_json(json.dump(), "t.json"); }

void check_answers(const nf::Tokenizer& tokenizer, const Json& requests) {
    for (const Json& request : requests) {
        INFO(request.dump());
        Json expected = request["expected"];
        if (expected.contains("error")) expected = "refused";
        Json found = answer(tokenizer, request);
        if (expected.is_object() && expected.size() == 1)  // of a decoder only "decoded" is kept
            found = {{"decoded", found.at("decoded")}};
        CHECK(found == expected);
    }
}

/// A new folder with `files`, gone at the end.
class Folder {
public:
    explicit Folder(const Json& files) {
        std::filesystem::remove_all(path_);
        std::filesystem::create_directories(path_);
        for (const auto& [name, content] : files.items()) {
            if (content == "@spiece") {
                std::filesystem::copy_file(bundled_folder / "spiece.model", path_ / name);
            } else {
                nf::detail::write_file(path_ / name, content.is_string()
                                                         ? content.get<std::string>()
                                                         : content.dump());
            }
        }
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_ =
        std::filesystem::temp_directory_path() / "nystromformer_tokenizer_models_test";
};

std::string refusal(const char* pointer, const Json& value) {
    Json json = bpe();
    json[Json::json_pointer(pointer)] = value;
    return refusal_of([&] { load(json); });
}

}  // namespace

TEST_CASE("every model, post-processor and decoder says what Hugging Face's library says") {
    REQUIRE(recorded()["cases"].size() > 40);
    for (const Json& variant : recorded()["cases"]) {
        INFO(variant["name"]);
        Json json = variant["tokenizer"];
        json["model"] = recorded()["models"][json["model"].get<std::string>()];
        check_answers(load(json), variant["texts"]);
    }
}

TEST_CASE("folders without tokenizer.json read as transformers reads them") {
    REQUIRE(recorded()["folders"].size() > 8);
    for (const Json& entry : recorded()["folders"]) {
        INFO(entry["files"].dump().substr(0, 2000));
        const Folder folder(entry["files"]);
        check_answers(nf::Tokenizer::from_pretrained(folder.path()), entry["texts"]);
    }
}

TEST_CASE("ids may leave gaps, and all below vocab_size have one meaning") {
    const nf::Tokenizer tokenizer = load(bpe());
    CHECK(tokenizer.vocab_size() == 61);
    CHECK(tokenizer.token_to_id("aab") == 60);
    CHECK(tokenizer.id_to_token(60) == "aab");
    CHECK(tokenizer.id_to_token(7) == "a");
    for (const std::int64_t id : {1, 6, 59, 61}) CHECK_FALSE(tokenizer.id_to_token(id));
    CHECK(tokenizer.encode("aabab").ids == std::vector<std::int64_t>{60, 3});
    CHECK(tokenizer.encode("aaaab").ids == std::vector<std::int64_t>{5, 2});
    CHECK(tokenizer.encode("x").tokens == std::vector<std::string>{"?"});
}

TEST_CASE("short and long words merge alike, in little more than linear time") {
    const nf::Tokenizer tokenizer = load(bpe());
    for (const std::size_t size : {1U, 2U, 7U, 39U, 40U, 41U, 42U, 81U, 1'000'000U}) {
        const nf::Encoding encoding = tokenizer.encode(std::string(size, 'a') + "b");
        // Pairs form from the left: fours, then what is left with its b.
        const std::size_t rest = size % 4;
        std::vector<std::string> expected(size / 4, "aaaa");
        if (rest == 0) expected.push_back("b");
        if (rest == 1) expected.push_back("ab");
        if (rest == 2) expected.push_back("aab");
        if (rest == 3) expected.insert(expected.end(), {"aa", "ab"});
        CHECK(encoding.tokens == expected);
    }
}

TEST_CASE("a batch on a thread pool is the batch on one thread") {
    const nf::Tokenizer tokenizer = nf::Tokenizer::from_pretrained(bundled_folder);
    std::vector<std::string> texts;
    std::vector<std::pair<std::string, std::string>> pairs;
    for (int i = 0; i < 200; ++i) {
        texts.push_back("word " + std::string(static_cast<std::size_t>(i % 37), 'x') + " end");
        pairs.emplace_back(texts.back(), texts[texts.size() / 2]);
    }
    nf::ThreadPool pool(4);
    const nf::EncodeOptions options{.truncation = nf::Truncation{.max_length = 9, .stride = 2},
                                    .padding = nf::Padding{}};
    const auto check = [&](const auto& inputs) {
        const auto one = tokenizer.encode_batch(inputs, options);
        const auto many = tokenizer.encode_batch(inputs, options, pool);
        REQUIRE(one.size() == many.size());
        for (std::size_t i = 0; i < one.size(); ++i) CHECK(to_json(one[i]) == to_json(many[i]));
    };
    check(texts);
    check(pairs);
    const nf::EncodeOptions impossible{.truncation = nf::Truncation{.max_length = 1}};
    CHECK_THROWS_AS(tokenizer.encode_batch(texts, impossible, pool), nf::InputError);
    CHECK(tokenizer.encode_batch(std::vector<std::string>{}, options, pool).empty());
}

TEST_CASE("decoded text is tidied where the option or tokenizer_config.json asks for it") {
    const Json model = {
        {"type", "WordLevel"},
        {"unk_token", "?"},
        {"vocab", {{"he", 0}, {"does", 1}, {"n't", 2}, {".", 3}, {"do", 4}, {"not", 5}}}};
    const std::vector<std::int64_t> ids = {0, 1, 2, 3, 4, 5};
    const auto decode = [&](const Json& config, const nf::DecodeOptions& options) {
        Json files = {{"tokenizer_config.json", config}};
        files["tokenizer.json"]["model"] = model;
        const Folder folder(files);
        return nf::Tokenizer::from_pretrained(folder.path()).decode(ids, options);
    };
    const std::string as_is = "he does n't . do not", tidy = "he doesn't. do not";
    CHECK(decode(Json::object(), {}) == as_is);
    CHECK(decode({{"clean_up_tokenization_spaces", true}}, {}) == tidy);
    CHECK(decode(Json::object(), {.clean_up_tokenization_spaces = true}) == tidy);
    CHECK(decode({{"clean_up_tokenization_spaces", true}},
                 {.clean_up_tokenization_spaces = false}) == as_is);
    Json other = bpe();
    other["model"]["vocab"]["."] = 8;
    const std::vector<std::int64_t> of_bpe = {7, 8};
    CHECK(load(other).decode(of_bpe, {.clean_up_tokenization_spaces = true}) == "a .");
}

TEST_CASE("malformed vocabularies are refused with their path") {
    REQUIRE(refusal_of([] { load(bpe()); }) == "none");
    CHECK(refusal("/model/dropout", 0.0) == "none");
    CHECK(refusal("/model/dropout", nullptr) == "none");
    Json json = bpe();
    json["model"]["vocab"][std::string(5000, 'x')] = 100;
    CHECK(refusal_of([&] { load(json); }).starts_with("TokenizerError /model/vocab/xxx"));
    const Json without_unknown = {
        {"model", {{"type", "WordLevel"}, {"unk_token", "?"}, {"vocab", {{"a", 0}}}}}};
    const nf::Tokenizer tokenizer = load(without_unknown);
    CHECK(tokenizer.encode("a").ids == std::vector<std::int64_t>{0});
    CHECK(refusal_of([&] { tokenizer.encode("b"); }) == "TokenizerError /model/unk_token");
}

TEST_CASE("a folder without any tokenizer is one error that names what was looked for") {
    const Folder folder(Json::object());
    try {
        nf::Tokenizer::from_pretrained(folder.path());
        FAIL("loaded");
    } catch (const nf::IoError& error) {
        const std::string message = error.what();
        for (const char* name : {"tokenizer.json", "spiece.model", "sentencepiece.bpe.model",
                                 "tokenizer.model", "vocab.json", "merges.txt", "vocab.txt"})
            CHECK(message.find(name) != std::string::npos);
    }
}

TEST_CASE("older files that are malformed or of another kind are refused") {
    const auto refused = [](const Json& files) {
        const Folder folder(files);
        return refusal_of([&] { nf::Tokenizer::from_pretrained(folder.path()); });
    };
    const Json config = {{"tokenizer_class", "RobertaTokenizerFast"}};
    CHECK(refused({{"tokenizer_config.json", config}}) == "IoError");
    CHECK(refused({{"tokenizer_config.json", config}, {"vocab.json", "{}"}}) == "IoError");
    CHECK(refused({{"tokenizer_config.json", config},
                   {"vocab.json", "{}"},
                   {"merges.txt", "#version: 0.2\na\n"}}) == "TokenizerError line 2");
    CHECK(refused({{"tokenizer_config.json", {{"tokenizer_class", "CanineTokenizer"}}},
                   {"vocab.txt", "a"}}) == "UnsupportedError /tokenizer_class");
    CHECK(refused({{"tokenizer_config.json", "[]"}, {"vocab.txt", "a"}}) == "TokenizerError /");
    CHECK(refused({{"added_tokens.json", {{"a", "b"}}}, {"vocab.txt", "a"}}) ==
          "TokenizerError /a");
}

TEST_CASE("a SentencePiece model that is cut anywhere loads or is refused") {
    const std::string whole = spiece();
    Json files = Json::object();
    files["config.json"]["model_type"] = "albert";
    const Folder folder(files);
    const auto refused = [&](const std::string& bytes) {
        nf::detail::write_file(folder.path() / "spiece.model", bytes);
        return refusal_of([&] { nf::Tokenizer::from_pretrained(folder.path()); });
    };
    REQUIRE(refused(whole) == "none");
    const nf::Tokenizer tokenizer = nf::Tokenizer::from_pretrained(folder.path());
    CHECK(tokenizer.encode("a 5,[MASK]").tokens ==
          std::vector<std::string>{"[CLS]", "\u2581", "a", "\u2581", "5,", "[MASK]", "[SEP]"});
    CHECK(tokenizer.mask_token() == "[MASK]");
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const std::string reason = refused(whole.substr(0, size));
        CHECK((reason == "none" || reason.starts_with("FormatError") ||
               reason.starts_with("TokenizerError")));
    }
    CHECK(refused(whole + field(2, "\x18\x01")) == "none");
}
