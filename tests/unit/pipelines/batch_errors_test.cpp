// SPDX-License-Identifier: MIT
// What a program meets that uses pipelines: bad texts in a batch, models that are loaded already,
// calls as one writes them first, places in bytes.
#include "support/catch.hpp"
#include "support/library.hpp"

#include <nystromformer/nystromformer.hpp>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace batch_errors_test {

namespace nf = nystromformer;

namespace {

const std::filesystem::path data = std::filesystem::path(NYSTROMFORMER_TEST_DATA) / "reference";

std::string long_text() {
    std::string text;
    for (int i = 0; i < 60; ++i) text += "We believed it. ";
    return text;
}

/// The numbers of bad inputs, with the errors' messages; `options` report to it.
struct Errors {
    std::vector<std::size_t> inputs;
    std::size_t num_lengths = 0;

    template <typename Options>
    Options reported_by(Options options) {
        options.run.on_error = [this](const nf::InputError& error) {
            inputs.push_back(error.input().value());
            const auto* length = dynamic_cast<const nf::LengthError*>(&error);
            num_lengths += length != nullptr && length->tokens() > length->limit();
        };
        return options;
    }
};

}  // namespace

TEST_CASE("a text that is too long is a LengthError that tells both numbers") {
    const nf::TextClassificationPipeline classify(data / "pipelines" / "classes");
    try {
        (void)classify(long_text());
        FAIL("accepted");
    } catch (const nf::LengthError& error) {
        CHECK(error.limit() == 90);
        CHECK(error.tokens() > 300);
    }
}

TEST_CASE("a text that the tokenizer refuses does not fail the others") {
    const auto model = nf::NystromformerForSequenceClassification<float>::from_pretrained(
        data / "pipelines" / "classes");
    const nf::TextClassificationPipeline classify(
        model, nf::Tokenizer::from_json(
                   R"({"model": {"type": "WordLevel", "unk_token": "?", "vocab": {"a": 1}}})"));
    Errors errors;
    const auto answers =
        classify.batch({"a", "b", "a"}, errors.reported_by(nf::TextClassificationOptions{}));
    CHECK(errors.inputs == std::vector<std::size_t>{1});
    CHECK(answers[1].empty());
    CHECK(answers[2].size() == 1);
}

TEST_CASE("on_error ends the call by throw; with the text's own error") {
    const nf::TextClassificationPipeline classify(data / "pipelines" / "classes");
    nf::TextClassificationOptions options;
    options.run.on_error = [](const nf::InputError&) { throw; };
    try {
        (void)classify.batch({"a", long_text(), "b"}, options);
        FAIL("accepted");
    } catch (const nf::LengthError& error) {
        CHECK(error.input() == 1u);
        CHECK(error.limit() == 90);
    }
}

TEST_CASE("what a function of the caller throws is no error of a text") {
    const nf::TextClassificationPipeline classify(data / "pipelines" / "classes");
    const nf::InputError mine({"", "mine", "this", "that", 1});
    const auto message_of = [&](const nf::TextClassificationOptions& changed) -> std::string {
        Errors errors;
        try {
            (void)classify.batch({"a", long_text(), "b"}, errors.reported_by(changed));
        } catch (const nf::InputError& error) {
            return error.place();
        }
        return "";
    };
    nf::TextClassificationOptions options;
    CHECK(message_of(options).empty());
    options.run.progress = [&](nf::Index, nf::Index) { throw mine; };
    CHECK(message_of(options) == "mine");
    options.run.progress = {};
    options.run.on_tokenized = [&](nf::Index, nf::Index) { throw mine; };
    CHECK(message_of(options) == "mine");
    options.run.on_tokenized = {};
    options.long_text = {.truncation = true,
                         .on_truncation = [&](const nf::TruncationNotice&) { throw mine; }};
    CHECK(message_of(options) == "mine");
}

TEST_CASE("a text that cannot be ranked is left out, and its error has its number") {
    const nf::RerankPipeline rerank(data / "rerank" / "single");
    const std::vector<std::string> texts{"a ship", long_text(), "a boat", long_text()};
    Errors errors;
    const auto answers = rerank("who?", texts, errors.reported_by(nf::RerankOptions{}));
    CHECK(errors.inputs == std::vector<std::size_t>{1, 3});
    CHECK(errors.num_lengths == 2);
    const auto good = rerank("who?", {"a ship", "a boat"});
    REQUIRE(answers.size() == 2);
    for (std::size_t i = 0; i < 2; ++i) {
        CHECK(answers[i].corpus_id == 2 * good[i].corpus_id);
        CHECK(answers[i].score == good[i].score);
    }
    try {
        (void)rerank("who?", texts);
        FAIL("accepted");
    } catch (const nf::LengthError& error) {
        CHECK(error.input() == 1u);
    }
}

TEST_CASE("a question or query that leaves no room for the other text is a LengthError") {
    Errors errors;
    const nf::QuestionAnsweringPipeline answer(data / "pipelines" / "answers");
    const auto answers = answer.batch({{long_text(), "a ship"}, {"who?", "a ship"}},
                                      errors.reported_by(nf::QuestionAnsweringOptions{}));
    CHECK(errors.num_lengths == 1);
    CHECK(answers[1].size() == 1);
    const nf::RerankPipeline rerank(data / "rerank" / "single");
    nf::RerankOptions options{.long_text = {.stride = 0}};
    (void)rerank.batch({{long_text(), {"a ship"}}}, errors.reported_by(options));
    CHECK(errors.num_lengths == 2);
}

TEST_CASE("a stride that leaves nothing new to a window is refused before any text") {
    const auto folder = data / "pipelines" / "classes";
    const nf::TextClassificationPipeline classify(folder);
    const nf::Index length = std::min(classify.model().config().max_length(),
                                      classify.tokenizer().model_max_length().value());
    const nf::Index most = length - classify.tokenizer().num_special_tokens_to_add() - 1;
    Errors errors;
    auto options = errors.reported_by(nf::TextClassificationOptions{});
    options.long_text.stride = most;
    classify.check(options);
    CHECK(classify(long_text(), options).size() == 1);
    options.long_text.stride = most + 1;
    CHECK_THROWS_AS(classify.check(options), nf::InputError);
    CHECK_THROWS_AS(classify("a", options), nf::InputError);
    CHECK(errors.inputs.empty());
}

TEST_CASE("bad texts do not fail the others, and each is reported with its number") {
    const nf::TextClassificationPipeline classify(data / "pipelines" / "classes");
    const std::vector<std::string> texts{"a", long_text(), "b", "c", long_text(), long_text(), "d"};
    Errors errors;
    const auto answers = classify.batch(texts, errors.reported_by(nf::TextClassificationOptions{}));
    CHECK(errors.inputs == std::vector<std::size_t>{1, 4, 5});
    CHECK(errors.num_lengths == 3);
    REQUIRE(answers.size() == texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) {
        const bool is_bad = texts[i].size() > 1;
        REQUIRE(answers[i].size() == (is_bad ? 0 : 1));
        if (!is_bad) CHECK(answers[i][0].score == classify(texts[i])[0].score);
    }
    CHECK_THROWS_AS(classify.batch(texts), nf::LengthError);
}

TEST_CASE("vectors of bad texts are zeros, and cuts keep their numbers") {
    const nf::SentenceEmbeddingPipeline embed(data / "sentences" / "mean");
    Errors errors;
    const auto rows = embed.batch({"a ship", long_text(), "the sea"},
                                  errors.reported_by(nf::SentenceEmbeddingOptions{}));
    CHECK(errors.inputs == std::vector<std::size_t>{1});
    REQUIRE((rows.rows == 3 && rows.cols == embed.embedding_dimension()));
    CHECK((rows(1, 0) == 0 && rows(1, rows.cols - 1) == 0));
    CHECK(rows(2, 0) == embed("the sea")[0]);

    const nf::ZeroShotClassificationPipeline zero_shot(data / "pipelines" / "inference");
    std::vector<nf::Index> cuts;
    nf::ZeroShotOptions options{.long_text = {.truncation = true}};
    options.long_text.on_truncation = [&](const auto& cut) { cuts.push_back(cut.input); };
    Errors empty;
    const auto answers = zero_shot.batch(
        {{long_text(), {"a"}}, {"", {"a"}}, {"b", {"a"}}, {long_text(), {"a", "b"}}},
        empty.reported_by(options));
    CHECK(empty.inputs == std::vector<std::size_t>{1});
    CHECK(cuts == std::vector<nf::Index>{0, 3});
    CHECK(answers[3].labels.size() == 2);
    CHECK(answers[1].labels.empty());
}

TEST_CASE("a pipeline is made of a model and a tokenizer that are loaded") {
    const auto folder = data / "rerank" / "single";
    const auto model = nf::NystromformerForSequenceClassification<float>::from_pretrained(folder);
    const auto tokenizer = nf::Tokenizer::from_pretrained(folder);
    const nf::TextClassificationPipeline classify(model, tokenizer);
    const nf::RerankPipeline rerank(model, tokenizer);
    const nf::SentenceEmbeddingPipeline embed(model.base_model(), tokenizer);
    const nf::FeatureExtractionPipeline features(model.base_model(), tokenizer);
    CHECK(classify("a ship")[0].score == nf::TextClassificationPipeline(folder)("a ship")[0].score);
    CHECK(rerank("who?", {"a ship"})[0].score ==
          nf::RerankPipeline(folder)("who?", {"a ship"})[0].score);
    CHECK(embed("a ship") == nf::SentenceEmbeddingPipeline(folder)("a ship"));
    CHECK(features("a ship").values == nf::FeatureExtractionPipeline(folder)("a ship").values);

    const auto tags = data / "pipelines" / "tags";
    const nf::TokenClassificationPipeline tag(
        nf::NystromformerForTokenClassification<float>::from_pretrained(tags),
        nf::Tokenizer::from_pretrained(tags));
    CHECK(tag("a ship").size() == nf::TokenClassificationPipeline(tags)("a ship").size());
    const auto answers = data / "pipelines" / "answers";
    const nf::QuestionAnsweringPipeline answer(
        nf::NystromformerForQuestionAnswering<float>::from_pretrained(answers),
        nf::Tokenizer::from_pretrained(answers));
    CHECK(answer("who?", "a ship")[0].answer ==
          nf::QuestionAnsweringPipeline(answers)("who?", "a ship")[0].answer);
}

TEST_CASE("the first calls that one writes are not ambiguous") {
    const nf::TextClassificationPipeline classify(data / "pipelines" / "classes");
    CHECK(classify("a", {}).size() == 1);
    CHECK(classify.batch({"a", "b"}).size() == 2);
    CHECK(classify.batch(std::vector<std::string>{"a", "b"}).size() == 2);
    CHECK(classify.batch({{"a", "b"}, {"c"}}).size() == 2);
    CHECK(classify.pair("a", "b", {}).size() == 1);
    const nf::SentenceEmbeddingPipeline embed(data / "sentences" / "mean");
    CHECK(embed.batch({"a", "b"}).rows == 2);
    CHECK(embed("a", {}).size() == static_cast<std::size_t>(embed.embedding_dimension()));
}

TEST_CASE("entities and answers tell their bytes, which cut the text") {
    const std::string text =
        "\u00C9ric told \u6771\u4EAC of \U0001F40B whales, caf\u00E9 by caf\u00E9.";
    const nf::TokenClassificationPipeline tag(data / "pipelines" / "tags");
    const nf::QuestionAnsweringPipeline answer(data / "pipelines" / "answers");
    const auto points = [](const std::string& part) {
        nf::Index count = 0;
        for (const char byte : part) count += (static_cast<unsigned char>(byte) & 0xC0) != 0x80;
        return count;
    };
    const auto check = [&](const auto& found) {
        REQUIRE((found.byte_start >= 0 && found.byte_start <= found.byte_end));
        const auto begin = static_cast<std::size_t>(found.byte_start);
        const auto end = static_cast<std::size_t>(found.byte_end);
        REQUIRE(end <= text.size());
        CHECK(points(text.substr(0, begin)) == found.start);
        CHECK(points(text.substr(0, end)) == found.end);
    };
    for (const auto strategy : {nf::AggregationStrategy::none, nf::AggregationStrategy::simple,
                                nf::AggregationStrategy::max})
        for (const auto& entity :
             tag(text, {.aggregation_strategy = strategy, .ignore_labels = {}}))
            check(entity);
    for (const auto& found : answer("who?", text, {.top_k = 5})) {
        check(found);
        CHECK(found.answer ==
              text.substr(static_cast<std::size_t>(found.byte_start), found.answer.size()));
    }
}

}  // namespace batch_errors_test
