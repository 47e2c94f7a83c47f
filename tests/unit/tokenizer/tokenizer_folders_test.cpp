// SPDX-License-Identifier: MIT
// What the files beside a tokenizer.json or vocab.txt change and add, beside recorded answers of
// transformers' AutoTokenizer (tests/tokenizer/record_folders.py), and what a caller hears of them.
#include "support/catch.hpp"
#include "support/library.hpp"
#include "support/tokenizer_facts.hpp"

#include <nystromformer/core/file.hpp>
#include <nystromformer/core/json.hpp>
#include <nystromformer/nystromformer.hpp>
#include "unit/tokenizer/tokenizer_answers.hpp"
#include "unit/tokenizer/tokenizer_files.hpp"

#include <nystromformer/tokenizer.hpp>

#include <cstdint>
#include <filesystem>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace tokenizer_folders_test {

using namespace nystromformer::testing;

namespace {

/// A new folder with `files`, texts by name, gone at the end.
class TextFolder {
public:
    explicit TextFolder(const Json& files) {
        std::filesystem::create_directories(path_);
        for (const auto& [name, text] : files.items())
            nf::detail::write_file(path_ / name, text.get<std::string>());
    }
    ~TextFolder() { std::filesystem::remove_all(path_); }
    TextFolder(const TextFolder&) = delete;
    TextFolder& operator=(const TextFolder&) = delete;

    /// Its tokenizer; what it has to tell is added to `heard`.
    nf::Tokenizer load(std::vector<std::string>& heard) const {
        const auto hear = [&](const nf::Notice& notice) {
            const std::string file = std::filesystem::path(notice.file).filename().string();
            heard.push_back(file + ' ' + notice.place + ": " + notice.what);
        };
        return nf::Tokenizer::from_pretrained(path_, false, {.on_notice = hear});
    }
    nf::Tokenizer load() const {
        std::vector<std::string> heard;
        return load(heard);
    }
    std::string refusal() const {
        try {
            load();
            return "none";
        } catch (const nf::Error& error) {
            return error.what();
        }
    }

private:
    std::filesystem::path path_ =
        std::filesystem::temp_directory_path() /
        ("nystromformer_folders_test-" + std::to_string(std::random_device{}()));
};

Json facts_of(const nf::Tokenizer& tokenizer) {
    Json facts = tokenizer_facts(tokenizer);
    facts["gives_token_type_ids"] = tokenizer.gives_token_type_ids().value_or(false);
    return facts;
}

const std::string lines = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\ncat\n";

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the files beside a tokenizer change and add what AutoTokenizer lets them") {
    const Json recorded = nf::detail::read_json_file(
        std::filesystem::path(NYSTROMFORMER_TEST_DATA) / "tokenizer/folders.json", 1 << 21);
    REQUIRE(recorded["folders"].size() > 30);
    for (const Json& entry : recorded["folders"]) {
        Json files = entry["files"];
        INFO(files.dump());
        for (auto& [name, text] : files.items())
            if (const auto content = text.get<std::string>(); content.starts_with('@'))
                text = recorded["tokenizers"][content.substr(1)].dump();
        const nf::Tokenizer tokenizer = TextFolder(files).load();
        CHECK(facts_of(tokenizer) == entry["facts"]);
        for (const Json& request : entry["texts"]) {
            INFO(request.dump());
            Json expected = request["expected"];
            if (expected.contains("error")) expected = "refused";
            Json found = answer(tokenizer, request);
            // Python's decode does not tidy up here, as a tokenizer of a folder may.
            for (Json* side : {&found, &expected})
                if (side->is_object()) side->erase("decoded");
            CHECK(found == expected);
        }
    }
}

TEST_CASE("token type ids of a class that transformers 4 and 5 do not agree on stay open") {
    const auto gives = [&](const char* config, const char* model) {
        return TextFolder({{"vocab.txt", lines},
                           {"tokenizer_config.json", config},
                           {"config.json", model}})
            .load()
            .gives_token_type_ids();
    };
    CHECK(gives("{}", "{}") == std::nullopt);
    CHECK(gives("{}", R"({"model_type": "bert"})") == true);
    CHECK(gives("{}", R"({"model_type": "distilbert"})") == false);
    CHECK(gives(R"({"tokenizer_class": "DistilBertTokenizer"})", "{}") == false);
    CHECK(gives(R"({"tokenizer_class": "BertTokenizer"})", R"({"model_type": "nystromformer"})") ==
          true);
    CHECK(gives(R"({"tokenizer_class": "BertTokenizer", "model_input_names": ["input_ids"]})",
                "{}") == false);
    const std::string json = bpe().dump();
    const auto of_json = [&](const char* config, const char* model) {
        return TextFolder({{"tokenizer.json", json},
                           {"tokenizer_config.json", config},
                           {"config.json", model}})
            .load()
            .gives_token_type_ids();
    };
    CHECK(of_json("{}", R"({"model_type": "roberta"})") == false);
    CHECK(of_json(R"({"tokenizer_class": "BertTokenizer"})",
                  R"({"model_type": "nystromformer"})") == std::nullopt);
    CHECK(of_json(R"({"tokenizer_class": "PreTrainedTokenizerFast"})", "{}") == std::nullopt);
}

TEST_CASE("what a folder's tokenizer repairs or does not use is heard once, with its place") {
    std::vector<std::string> heard;
    const Json repeated = {{"vocab.txt", lines + "a\ncat\n"}};
    (void)TextFolder(repeated).load(heard);
    REQUIRE(heard.size() == 1);
    CHECK(has(heard[0], "vocab.txt line 6: \"a\" stands again"));
    heard.clear();
    (void)TextFolder({{"vocab.txt", lines},
                      {"tokenizer_config.json",
                       R"({"added_tokens_decoder": {"9": {"content": "x"}, "12": {"content": "y"},
                           "13": {"content": ""}}})"}})
        .load(heard);
    REQUIRE(heard.size() == 2);
    CHECK(has(heard[0], "tokenizer_config.json /added_tokens_decoder/13: has no text"));
    CHECK(has(heard[1],
              "tokenizer_config.json /added_tokens_decoder/9: the token \"x\" has the id 7"));
    heard.clear();
    const std::string json = bpe().dump();
    (void)TextFolder({{"tokenizer.json", json},
                      {"tokenizer_config.json", R"({"tokenizer_class": "BertTokenizer"})"}})
        .load(heard);
    REQUIRE(heard.size() == 1);
    CHECK(has(heard[0], "tokenizer.json : is used as it is: BertTokenizer has a WordPiece model"));
    heard.clear();
    (void)TextFolder({{"tokenizer.json", json},
                      {"tokenizer_config.json", R"({"tokenizer_class": "CanineTokenizer"})"}})
        .load(heard);
    REQUIRE(heard.size() == 1);
    CHECK(has(heard[0], "CanineTokenizer"));
    heard.clear();
    Json numbered = small();
    numbered["normalizer"] = nullptr;
    numbered["added_tokens"][2]["id"] = 7;
    numbered["added_tokens"].push_back(numbered["added_tokens"][2]);
    const Json files = {{"tokenizer.json", numbered.dump()}};
    const auto tokenizer = TextFolder(files).load(heard);
    CHECK(tokenizer.token_to_id("new") == 6);
    REQUIRE(heard.size() == 2);
    CHECK(
        has(heard[0], "tokenizer.json /added_tokens/2: the token \"new\" has the id 6, not the 7"));
    CHECK(has(heard[1], "tokenizer.json /added_tokens/3: the token \"new\" stands there again"));
}

TEST_CASE("of equal pieces of a Unigram the last is found, with its score") {
    std::vector<std::string> heard;
    Json json = Json::parse(R"({"model": {"type": "Unigram", "unk_id": 0, "vocab": [
        ["<u>", 0.0], ["a", -1.0], ["b", -1.0], ["ab", -9.0], ["ab", -1.5], ["a", -3.0]]}})");
    const auto load = [&] {
        const Json files = {{"tokenizer.json", json.dump()}};
        return TextFolder(files).load(heard);
    };
    CHECK(load().encode("aab").ids == std::vector<std::int64_t>{5, 4});
    REQUIRE(heard.size() == 1);
    CHECK(has(heard[0], "tokenizer.json /model/vocab/4: the piece \"ab\" was there before"));
    json["model"]["vocab"][4][1] = -9.5;
    CHECK(load().encode("ab").ids == std::vector<std::int64_t>{5, 2});
}

// As tokenizers 0.23 has it: an empty piece has its id, and no text has the piece.
TEST_CASE("a Unigram may have an empty piece") {
    const Json json = Json::parse(R"({"model": {"type": "Unigram", "unk_id": 0, "vocab": [
        ["<u>", 0.0], ["", -1.0], ["a", -2.0], ["ab", -3.0]]}})");
    const Json files = {{"tokenizer.json", json.dump()}};
    const nf::Tokenizer tokenizer = TextFolder(files).load();
    CHECK(tokenizer.encode("ab").ids == std::vector<std::int64_t>{3});
    CHECK(tokenizer.encode("b").ids == std::vector<std::int64_t>{0});
    CHECK(tokenizer.token_to_id("") == 1);
    CHECK(tokenizer.vocab_size() == 4);
}

// As tokenizers 0.23 has it for tokenizer.json, and transformers 5.24 for vocab.json.
TEST_CASE("of equal keys of a vocabulary the last counts") {
    const std::string words = R"({"?": 0, "a": 1, "a": 2, "##b": 3})";
    std::vector<std::string> heard;
    const Json files = {
        {"tokenizer.json",
         R"({"model": {"type": "WordPiece", "unk_token": "?", "continuing_subword_prefix": "##",
             "max_input_chars_per_word": 100, "vocab": )" +
             words + "}}"}};
    const nf::Tokenizer tokenizer = TextFolder(files).load(heard);
    CHECK(tokenizer.encode("ab").ids == std::vector<std::int64_t>{2, 3});
    CHECK_FALSE(tokenizer.id_to_token(1));
    REQUIRE(heard.size() == 1);
    CHECK(has(heard[0], "tokenizer.json /model/vocab/a: the piece \"a\" was there before"));
    const Json older = {{"vocab.json", R"({"<s>": 0, "</s>": 1, "<unk>": 2, "<pad>": 3,
                                            "<mask>": 4, "a": 5, "b": 5, "b": 6, "ab": 7})"},
                        {"merges.txt", "#version: 0.2\na b\n"},
                        {"config.json", R"({"model_type": "roberta"})"}};
    CHECK(TextFolder(older).load(heard).encode("aba").ids == std::vector<std::int64_t>{0, 7, 5, 1});
}

TEST_CASE("odd numbers of files beside a tokenizer that only Python reads are no errors") {
    const auto load = [](const char* config, const char* added) {
        return TextFolder({{"vocab.txt", lines},
                           {"tokenizer_config.json", config},
                           {"added_tokens.json", added}})
            .load();
    };
    CHECK(load("{}", R"({"x": -1, "y": 99999999999})").token_to_id("x") == 7);
    CHECK(load("{}", R"({"x": 99, "y": 5})").token_to_id("x") == 8);  // in the order of these ids
    CHECK(load(R"({"added_tokens_decoder": {"-1": {"content": "x"}}})", "{}").token_to_id("x") ==
          7);
    // Keys are as Python's int() reads them, and tokens are added in the order of their ids.
    const char* keys = R"({"added_tokens_decoder": {" 1_0\t": {"content": "x"},
                           "+9": {"content": "y"}, "1234567890123456789": {"content": "z"}}})";
    CHECK(load(keys, "{}").token_to_id("y") == 7);
    CHECK(load(keys, "{}").token_to_id("x") == 8);
    CHECK(load(keys, "{}").token_to_id("z") == 9);
    CHECK_FALSE(load(R"({"model_max_length": 18446744073709551615})", "{}").model_max_length());
    CHECK_FALSE(load(R"({"model_max_length": 1e30})", "{}").model_max_length());
    CHECK(load(R"({"max_len": 77})", "{}").model_max_length() == 77);
}

TEST_CASE("a folder whose tokenizer depends on the version of transformers is refused") {
    const auto refusal = [](const std::string& names) {
        return TextFolder({{"tokenizer.json", bpe().dump()},
                           {"tokenizer_config.json", R"({"fast_tokenizer_files": )" + names + "}"}})
            .refusal();
    };
    CHECK(has(refusal(R"(["tokenizer.json", "tokenizer.4.0.0.json"])"),
              "/fast_tokenizer_files/1: expected tokenizer.json alone"));
    CHECK(has(refusal(R"(["tokenizer.4.0.0.json"])"), R"("tokenizer.4.0.0.json")"));
    CHECK(refusal(R"(["tokenizer.json"])") == "none");
    CHECK(refusal("null") == "none");
}

TEST_CASE("the error for a folder without a readable tokenizer says what it has and what helps") {
    const auto refusal = [](const Json& files) { return TextFolder(files).refusal(); };
    for (const char* name : {"bpe.codes", "vocab.json", "spm.model"}) {
        const std::string message = refusal({{name, "{}"}});
        CHECK(has(message, std::string("found ") + name));
        CHECK(has(message, "save_pretrained"));
    }
    CHECK(has(refusal({{"vocab.txt", "a"},
                       {"tokenizer_config.json", R"({"tokenizer_class": "RobertaTokenizer"})"}}),
              "found vocab.txt (WordPiece)"));
    const auto spiece_of = [&](const std::string& pieces, const char* type) {
        return refusal({{"spiece.model", pieces},
                        {"config.json", std::string("{\"model_type\": \"") + type + "\"}"}});
    };
    const std::string none =
        piece("<unk>", 2) + piece("<s>", 3) + piece("</s>", 3) + piece("a", 1) + piece("b", 1);
    const std::string message = spiece_of(none, "albert");
    CHECK(has(message, "spiece.model: expected a piece \"[CLS]\""));
    CHECK_FALSE(has(message, "/post_processor"));
    const std::string too_long = piece(std::string(5000, 'x'), 1);
    CHECK(has(spiece_of(none + piece("[CLS]", 3) + piece("[SEP]", 3) + too_long, "albert"),
              "spiece.model: piece 7: "));
    CHECK(has(spiece_of(none + too_long, "xlm-roberta"), "spiece.model: piece 5: "));
    CHECK(spiece_of(none + piece("[CLS]", 3) + piece("[SEP]", 3) + field(1, "\x18\x01"),
                    "albert") == "none");  // an empty piece
    CHECK(has(spiece_of(piece("<unk>", 2), "albert"), "spiece.model: expected an unknown piece"));
}

}  // namespace tokenizer_folders_test
