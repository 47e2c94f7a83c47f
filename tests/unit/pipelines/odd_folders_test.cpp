// SPDX-License-Identifier: MIT
// Folders that are not as their makers meant them to be, and that Python loads all the same.
#include "support/catch.hpp"
#include "support/changed_folder.hpp"
#include "support/library.hpp"

#include <nystromformer/core/file.hpp>
#include <nystromformer/core/json.hpp>
#include <nystromformer/nystromformer.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace odd_folders_test {

namespace nf = nystromformer;
using nf::detail::Json;

namespace {

const std::filesystem::path reference =
    std::filesystem::path(NYSTROMFORMER_TEST_DATA) / "reference";
const std::filesystem::path models = NYSTROMFORMER_MODELS;
using Folder = ChangedFolder;

}  // namespace

TEST_CASE("arguments in sentence_bert_config.json are used or refused", "[folders]") {
    const Folder folder(reference / "sentences" / "mean");
    const char* file = "sentence_bert_config.json";
    folder.change(file, {{"processor_kwargs", {{"trust_remote_code", true}}}});
    const nf::Index length = nf::SentenceEmbeddingPipeline(folder.path).max_seq_length();
    REQUIRE(length > 6);
    for (const char* key : {"tokenizer_args", "processor_kwargs"}) {
        folder.change(file, {{key, {{"model_max_length", 6}}}});
        CHECK(nf::SentenceEmbeddingPipeline(folder.path).max_seq_length() == 6);
        folder.change(file, {{key, {{"strip_accents", false}}}});
        CHECK_THROWS_AS(nf::SentenceEmbeddingPipeline(folder.path), nf::UnsupportedError);
        folder.change(file, {{key, Json::object()}});
    }
    for (const char* key : {"config_args", "config_kwargs"}) {
        folder.change(file, {{key, {{"hidden_act", "relu"}}}});
        CHECK_THROWS_AS(nf::SentenceEmbeddingPipeline(folder.path), nf::UnsupportedError);
        folder.change(file, {{key, Json::object()}});
    }
}

TEST_CASE("a Pooling with the dimension of another model pools this one", "[folders]") {
    const Folder folder(reference / "sentences" / "mean");
    const auto expected = nf::SentenceEmbeddingPipeline(folder.path)("A garden.");
    folder.change("1_Pooling/config.json", {{"word_embedding_dimension", 384}});
    CHECK(nf::SentenceEmbeddingPipeline(folder.path)("A garden.") == expected);
}

TEST_CASE("of a folder for another class of sentence-transformers embed takes the encoder",
          "[folders]") {
    const Folder folder(reference / "sentences" / "mean");
    std::filesystem::remove(folder.path / "modules.json");
    const auto expected = nf::SentenceEmbeddingPipeline(folder.path)("A garden.");
    folder.change("modules.json", Json::array({{{"idx", 0},
                                                {"name", "0"},
                                                {"path", ""},
                                                {"type",
                                                 "sentence_transformers.base.modules.transformer."
                                                 "Transformer"}}}));
    const char* file = "config_sentence_transformers.json";
    folder.change(file, {{"model_type", "SentenceTransformer"}});
    CHECK_THROWS_AS(nf::SentenceEmbeddingPipeline(folder.path), nf::UnsupportedError);
    folder.change(file, {{"model_type", "CrossEncoder"},
                         {"prompts", {{"web", "Is this relevant? "}}},
                         {"default_prompt_name", "web"}});
    std::vector<std::string> notices;
    nf::LoadOptions options;
    options.on_notice = [&](const nf::Notice& notice) { notices.push_back(notice.place); };
    const nf::SentenceEmbeddingPipeline embed(folder.path, options);
    CHECK(embed("A garden.") == expected);
    CHECK_FALSE(embed.prompts().contains("web"));
    CHECK(notices == std::vector<std::string>{"/model_type"});
}

TEST_CASE("a cross-encoder whose config names no class has one label", "[folders]") {
    const Folder folder(reference / "rerank" / "single");
    const auto expected = nf::RerankPipeline(folder.path)("A sea.", {"A storm.", "A garden."});
    for (const Json& names : {Json(), Json::array({"BertModel"})}) {
        folder.change("config.json",
                      {{"architectures", names}, {"id2label", {{"0", "a"}, {"1", "b"}}}});
        const auto found = nf::RerankPipeline(folder.path)("A sea.", {"A storm.", "A garden."});
        REQUIRE(found.size() == expected.size());
        CHECK(found[0].score == expected[0].score);
        CHECK(found[1].score == expected[1].score);
    }
}

TEST_CASE("a classifier of an unknown problem_type gives the softmax", "[folders]") {
    const Folder folder(models / "nystromformer-small-en-sentiment");
    const auto expected = nf::TextClassificationPipeline(folder.path)("A fine day.");
    folder.change("config.json", {{"problem_type", "multi_class_classification"}});
    CHECK(nf::TextClassificationPipeline(folder.path)("A fine day.").front().score ==
          expected.front().score);
    const auto model = nf::NystromformerForSequenceClassification<>::from_pretrained(folder.path);
    auto input = nf::ModelInput<>::stacked({{2, 5, 3}});
    input.labels = {1};
    CHECK_THROWS_AS(model(input), nf::ConfigError);
}

TEST_CASE("a decoder that is not tied has a bias of its own, or zeros", "[folders]") {
    const Folder folder(std::filesystem::path(NYSTROMFORMER_TEST_DATA) / "reference" / "data" /
                        "models" / "mlm-untied");
    const auto input = nf::ModelInput<>::stacked({{2, 5, 3}});
    bool keeps_shared_bias = true;
    // The logits with this number in the decoder's bias, or without that tensor.
    const auto logits = [&](std::optional<float> number) {
        const Folder changed(folder.path);
        const auto old = nf::Checkpoint::open(folder.path);
        const nf::StateWriter writer;
        for (const nf::TensorView& tensor : old.tensors()) {
            nf::Matrix<float> values(1, tensor.size());
            nf::convert(tensor, values.data());
            if (tensor.name == "cls.predictions.bias" && !keeps_shared_bias) continue;
            if (tensor.name.ends_with("decoder.bias")) {
                if (!number) continue;
                values.setConstant(*number);
            }
            writer.add(tensor.name, values, tensor.shape);
        }
        for (const auto& entry : std::filesystem::directory_iterator(changed.path))
            if (entry.path().extension() != ".json") std::filesystem::remove(entry.path());
        writer.write(changed.path / "model.safetensors");
        return nf::NystromformerForMaskedLM<>::from_pretrained(changed.path)(input).logits;
    };
    const nf::Matrix<float> none = logits(std::nullopt);
    CHECK(none == logits(0.0f));
    CHECK(none != logits(1.0f));
    // A tied one that the file gives no bias at all has zeros, too.
    folder.change("config.json", {{"tie_word_embeddings", true}});
    keeps_shared_bias = false;
    const nf::Matrix<float> tied = logits(std::nullopt);
    CHECK(tied == logits(0.0f));
    CHECK(tied != logits(1.0f));
}

TEST_CASE("a token of tokenizer.json keeps its id and flags beside a lower id in added_tokens.json",
          "[folders]") {
    const Folder folder(models / "nystromformer-small-en");
    Json file = folder.read("tokenizer.json");
    const std::int64_t id = nf::Tokenizer::from_pretrained(folder.path).vocab_size() + 1;
    file["added_tokens"].push_back({{"id", id},
                                    {"content", "<ent>"},
                                    {"single_word", false},
                                    {"lstrip", true},
                                    {"rstrip", true},
                                    {"normalized", false},
                                    {"special", false}});
    nf::detail::write_file(folder.path / "tokenizer.json", file.dump());
    nf::detail::write_file(folder.path / "added_tokens.json", Json({{"<ent>", id - 1}}).dump());
    folder.change("tokenizer_config.json", {{"tokenizer_class", "PreTrainedTokenizerFast"}});
    const auto tokenizer = nf::Tokenizer::from_pretrained(folder.path);
    const auto encoding = tokenizer.encode("a <ent> b");
    const auto token = encoding.char_to_token(3);
    REQUIRE(token);
    CHECK(encoding.token_to_chars(*token) == std::pair<nf::Index, nf::Index>(1, 8));
}

}  // namespace odd_folders_test
