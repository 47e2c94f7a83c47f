// SPDX-License-Identifier: MIT
#include "support/catch.hpp"
#include "support/library.hpp"

#include <nystromformer/nystromformer.hpp>

#include <nystromformer/core/json.hpp>
#include <nystromformer/multiple_choice.hpp>
#include <nystromformer/question_answering.hpp>
#include <nystromformer/text_classification.hpp>
#include <nystromformer/token_classification.hpp>
#include <nystromformer/zero_shot_classification.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

namespace pipelines_test {

namespace nf = nystromformer;
using nf::detail::Json;

namespace {

const std::filesystem::path data =
    std::filesystem::path(NYSTROMFORMER_TEST_DATA) / "reference" / "pipelines";

/// A model of the reference data, or one that comes with the library.
std::filesystem::path folder_of(const std::string& model) {
    const auto folder = data / model;
    return exists(folder) ? folder : std::filesystem::path(NYSTROMFORMER_MODELS) / model;
}

/// The pipeline of one model, loaded once.
template <typename Pipeline>
const Pipeline& pipeline(const std::string& model) {
    static std::map<std::string, std::unique_ptr<const Pipeline>> loaded;
    auto& slot = loaded[model];
    if (!slot) slot = std::make_unique<const Pipeline>(folder_of(model));
    return *slot;
}

template <typename Value>
void read(const Json& options, const char* name, Value& value) {
    if (options.contains(name)) value = options[name].get<Value>();
}
template <typename Value>
void read(const Json& options, const char* name, std::optional<Value>& value) {
    if (!options.contains(name)) return;
    value = options[name].is_null() ? std::nullopt : std::optional(options[name].get<Value>());
}

// What each task answers, in the form of Hugging Face's value.

Json classify_case(const Json& recorded) {
    const Json &input = recorded["input"], &options = recorded["options"];
    nf::TextClassificationOptions ours;
    read(options, "top_k", ours.top_k);
    read(options, "truncation", ours.long_text.truncation);
    if (options.contains("function_to_apply")) {
        ours.function_to_apply =
            nf::classification_function_named(options["function_to_apply"].get<std::string>())
                .value();
    }
    const auto& classify =
        pipeline<nf::TextClassificationPipeline>(recorded["model"].get<std::string>());
    const auto text = input["text"].get<std::string>();
    const bool is_pair = input.contains("pair");
    Json list = Json::array();
    for (const auto& [label, score] :
         is_pair ? classify.pair(text, input["pair"].get<std::string>(), ours)
                 : classify(text, ours)) {
        list.push_back({{"label", label}, {"score", score}});
    }
    return is_pair && !options.contains("top_k") ? Json(list.at(0)) : list;
}

Json zero_shot_case(const Json& recorded) {
    const Json& options = recorded["options"];
    nf::ZeroShotOptions ours{
        .long_text = {.truncation = true}};  // Hugging Face cuts without being asked
    read(options, "multi_label", ours.multi_label);
    read(options, "hypothesis_template", ours.hypothesis_template);
    const auto answer =
        pipeline<nf::ZeroShotClassificationPipeline>(recorded["model"].get<std::string>())(
            recorded["input"]["text"].get<std::string>(),
            recorded["input"]["candidate_labels"].get<std::vector<std::string>>(), ours);
    return {{"sequence", answer.sequence}, {"labels", answer.labels}, {"scores", answer.scores}};
}

Json tag_case(const Json& recorded) {
    const Json& options = recorded["options"];
    // As for zero_shot, but for windows.
    nf::TokenClassificationOptions ours{.long_text = {.truncation = !options.contains("stride")}};
    ours.aggregation_strategy =
        nf::aggregation_strategy_named(options["aggregation_strategy"].get<std::string>()).value();
    read(options, "ignore_labels", ours.ignore_labels);
    read(options, "stride", ours.long_text.stride);
    Json list = Json::array();
    for (const auto& answer :
         pipeline<nf::TokenClassificationPipeline>(recorded["model"].get<std::string>())(
             recorded["input"]["text"].get<std::string>(), ours)) {
        Json& json = list.emplace_back(Json{{"score", answer.score},
                                            {"word", answer.word},
                                            {"start", answer.start},
                                            {"end", answer.end}});
        json[answer.index ? "entity" : "entity_group"] = answer.entity;
        if (answer.index) json["index"] = *answer.index;
    }
    return list;
}

Json answer_case(const Json& recorded) {
    const Json& options = recorded["options"];
    nf::QuestionAnsweringOptions ours;
    read(options, "top_k", ours.top_k);
    read(options, "max_seq_len", ours.max_seq_len);
    read(options, "doc_stride", ours.doc_stride);
    read(options, "max_answer_len", ours.max_answer_len);
    read(options, "handle_impossible_answer", ours.handle_impossible_answer);
    read(options, "align_to_words", ours.align_to_words);
    Json list = Json::array();
    for (const auto& [score, start, end, answer, byte_start, byte_end] :
         pipeline<nf::QuestionAnsweringPipeline>(recorded["model"])(
             recorded["input"]["question"].get<std::string>(),
             recorded["input"]["context"].get<std::string>(), ours)) {
        list.push_back({{"score", score}, {"start", start}, {"end", end}, {"answer", answer}});
    }
    return list.size() == 1 ? Json(list[0]) : list;
}

Json choose_case(const Json& recorded) {
    const auto answer = pipeline<nf::MultipleChoicePipeline>(recorded["model"].get<std::string>())(
        recorded["input"]["prompt"].get<std::string>(),
        recorded["input"]["choices"].get<std::vector<std::string>>());
    return {{"choice", answer.choice}, {"text", answer.text}, {"scores", answer.scores}};
}

/// True where two values differ only in numbers, and those by at most 1e-5.
bool alike(const Json& a, const Json& b) {
    if (a.is_number() && b.is_number()) return std::abs(a.get<double>() - b.get<double>()) <= 1e-5;
    if (a.type() != b.type() || a.size() != b.size()) return false;
    if (!a.is_structured()) return a == b;
    if (a.is_array())
        return std::equal(a.begin(), a.end(), b.begin(),
                          [](const Json& x, const Json& y) { return alike(x, y); });
    for (const auto& [key, value] : a.items())
        if (!b.contains(key) || !alike(value, b[key])) return false;
    return true;
}

void check_task(const char* task, Json (*ask)(const Json&), const char* file = "pipelines.json") {
    const Json record = nf::detail::read_json_file(data / file, std::uint64_t{1} << 24);
    int count = 0;
    for (const Json& recorded : record["cases"]) {
        if (recorded["task"] != task) continue;
        ++count;
        INFO(recorded.dump());
        if (recorded.contains("error")) {
            CHECK_THROWS_AS(ask(recorded), nf::InputError);
            continue;
        }
        const Json found = ask(recorded);
        INFO(found.dump());
        CHECK(alike(found, recorded["output"]));
    }
    CHECK(count >= 3);
}

}  // namespace

TEST_CASE("text classification equals what transformers recorded") {
    check_task("classify", classify_case);
}

TEST_CASE("zero-shot classification equals what transformers recorded") {
    check_task("zero-shot", zero_shot_case);
}

TEST_CASE("token classification equals what transformers recorded") { check_task("tag", tag_case); }

TEST_CASE("question answering equals what transformers 4.57 recorded") {
    check_task("answer", answer_case);
}

TEST_CASE("multiple choice equals what transformers' model says of each pair") {
    check_task("choose", choose_case);
}

TEST_CASE("the fine-tuned models of the library answer as transformers recorded") {
    check_task("classify", classify_case, "../finetuned.json");
    check_task("tag", tag_case, "../finetuned.json");
}

TEST_CASE("an answer is the same bit for bit alone and in any batch, in both attentions") {
    std::string long_text;
    for (int i = 0; i < 8; ++i) long_text += "We believed every word of it. ";
    const auto& tag = pipeline<nf::TokenClassificationPipeline>("tags");
    const auto& classify = pipeline<nf::TextClassificationPipeline>("classes");
    const std::vector<std::string> texts{"A garden.", long_text, "", "Paris and London", "O"};
    std::vector<nf::ClassificationInput> inputs;
    for (const std::string& text : texts) inputs.push_back({text});
    for (const nf::Index batch_tokens : {1, 20, 4096}) {
        for (const nf::Attention attention : {nf::Attention::exact, nf::Attention::nystrom}) {
            const nf::TextClassificationOptions options{
                .top_k = std::nullopt,
                .long_text = {.truncation = true},
                .run = {.attention = attention, .num_landmarks = 4, .batch_tokens = batch_tokens}};
            const nf::TokenClassificationOptions tag_options{
                .aggregation_strategy = nf::AggregationStrategy::max,
                .long_text = {.stride = 5},
                .run = {.attention = attention, .num_landmarks = 4, .batch_tokens = batch_tokens}};
            const auto labels = classify.batch(inputs, options);
            const auto entities = tag.batch(texts, tag_options);
            for (std::size_t i = 0; i < texts.size(); ++i) {
                const auto alone = classify(texts[i], options);
                REQUIRE(alone.size() == labels[i].size());
                for (std::size_t k = 0; k < alone.size(); ++k)
                    CHECK(alone[k].score == labels[i][k].score);
                const auto own = tag(texts[i], tag_options);
                REQUIRE(own.size() == entities[i].size());
                for (std::size_t k = 0; k < own.size(); ++k)
                    CHECK(own[k].score == entities[i][k].score);
            }
        }
    }
}

TEST_CASE("a text that is too long is refused, or cut with a notice where a call allows it") {
    std::string text;
    for (int i = 0; i < 20; ++i) text += "We believed every word of it. ";
    const auto& tag = pipeline<nf::TokenClassificationPipeline>("tags");
    CHECK_THROWS_AS(tag(text), nf::InputError);
    std::vector<nf::TruncationNotice> cuts;
    const auto note = [&](const nf::TruncationNotice& cut) { cuts.push_back(cut); };
    (void)tag(text, {.long_text = {.truncation = true, .on_truncation = note}});
    (void)tag(text, {.aggregation_strategy = nf::AggregationStrategy::simple,
                     .long_text = {.stride = 8, .on_truncation = note}});
    (void)tag("A garden.", {.long_text = {.truncation = true, .on_truncation = note}});
    REQUIRE(cuts.size() == 2);
    CHECK(cuts[0].input == 0);
    CHECK(cuts[0].tokens > 90);
    CHECK(cuts[0].length == 48);
    CHECK(cuts[0].windows == 1);
    CHECK(cuts[1].windows == (cuts[1].tokens - 2 - 8 + 37) / 38);
    const auto& zero_shot = pipeline<nf::ZeroShotClassificationPipeline>("inference");
    (void)zero_shot(text, {"sea", "land"},
                    {.long_text = {.truncation = true, .on_truncation = note}});
    CHECK(cuts.size() == 3);
}

TEST_CASE("the scores of a text in windows are their means, weighted by tokens") {
    const auto& classify = pipeline<nf::TextClassificationPipeline>("classes");
    std::string text;
    for (int i = 0; i < 9; ++i) text += "We believed every word of it, number " + std::to_string(i);
    std::vector<nf::TruncationNotice> cuts;
    const auto answers = classify(
        text, {.top_k = std::nullopt,
               .long_text = {.stride = 7, .on_truncation = [&](const nf::TruncationNotice& cut) {
                                 cuts.push_back(cut);
                             }}});
    const auto whole =
        classify.tokenizer().encode(text, {.truncation = {.max_length = 48, .stride = 7}});
    std::vector<nf::Encoding> windows = whole.overflowing;
    windows.push_back(whole);
    REQUIRE(windows.size() > 3);
    REQUIRE(windows[windows.size() - 2].size() < 48);  // the last one weighs less
    std::map<std::string, double> sums;
    double tokens = 0;
    for (const nf::Encoding& window : windows) {
        // Alone, as a text whose tokens are given.
        const auto logits =
            classify.model()(nf::ModelInput<float>::stacked({window.ids}), {}).logits;
        const auto scores = nf::detail::softmax(nf::row_of(logits, 0));
        const auto weight = static_cast<double>(window.size() - 2);
        for (std::size_t i = 0; i < scores.size(); ++i)
            sums[classify.model().config().id2label.at(static_cast<nf::Index>(i))] +=
                weight * scores[i];
        tokens += weight;
    }
    REQUIRE(answers.size() == 4);
    for (const auto& [label, score] : answers)
        CHECK(score == Approx(sums[label] / tokens).epsilon(1e-6));
    CHECK(std::is_sorted(answers.begin(), answers.end(),
                         [](const auto& a, const auto& b) { return a.score > b.score; }));
    REQUIRE(cuts.size() == 1);
    CHECK(cuts[0].windows == static_cast<nf::Index>(windows.size()));
    // A text that fits is as it was, and a pair is read in windows of its longer text.
    CHECK(classify("A garden.", {.long_text = {.stride = 7}})[0].score ==
          classify("A garden.")[0].score);
    const auto first =
        classify.pair(text, "A garden.", {.top_k = std::nullopt, .long_text = {.stride = 7}});
    const auto second =
        classify.pair("A garden.", text, {.top_k = std::nullopt, .long_text = {.stride = 7}});
    double sum = 0;
    for (const auto& answer : first) sum += answer.score;
    CHECK(sum == Approx(1).epsilon(1e-5));
    CHECK(first[0].score != second[0].score);
    CHECK_THROWS_AS(classify.pair(text, text, {.long_text = {.stride = 7}}), nf::InputError);
}

TEST_CASE("the logits of a text with each label are the means of its windows") {
    const auto& zero_shot = pipeline<nf::ZeroShotClassificationPipeline>("inference");
    std::string text;
    for (int i = 0; i < 9; ++i) text += "We believed every word of it, number " + std::to_string(i);
    std::vector<float> entailment;
    const std::vector<std::string> labels{"sea", "a garden by the sea"};
    for (const std::string& label : labels) {
        const auto whole = zero_shot.tokenizer().encode(
            text, "This example is " + label + ".",
            {.truncation = {
                 .max_length = 48, .stride = 7, .strategy = nf::TruncationStrategy::only_first}});
        std::vector<nf::Encoding> windows = whole.overflowing;
        windows.push_back(whole);
        double sum = 0, tokens = 0;
        for (const nf::Encoding& window : windows) {
            const auto logits =
                zero_shot.model()(nf::ModelInput<float>::stacked({window.ids}), {}).logits;
            sum += static_cast<double>(window.size() - 3) * logits(0, 2);
            tokens += static_cast<double>(window.size() - 3);
        }
        entailment.push_back(static_cast<float>(sum / tokens));
    }
    const auto expected = nf::detail::softmax(entailment);
    const auto answer = zero_shot(text, labels, {.long_text = {.stride = 7}});
    for (std::size_t i = 0; i < labels.size(); ++i)
        CHECK(answer.scores[i] ==
              Approx(expected[answer.labels[i] == labels[0] ? 0 : 1]).epsilon(1e-5));
}

TEST_CASE("the logit of a choice is the mean of its windows") {
    const auto& choose = pipeline<nf::MultipleChoicePipeline>("choices");
    std::string text;
    for (int i = 0; i < 9; ++i) text += "We believed every word of it, number " + std::to_string(i);
    const std::vector<std::string> choices{"sea", "a garden by the sea"};
    std::vector<float> logits;
    for (const std::string& choice : choices) {
        const auto whole = choose.tokenizer().encode(
            text, choice,
            {.truncation = {
                 .max_length = 48, .stride = 7, .strategy = nf::TruncationStrategy::only_first}});
        std::vector<nf::Encoding> windows = whole.overflowing;
        windows.push_back(whole);
        REQUIRE(windows.size() > 3);
        double sum = 0, tokens = 0;
        for (const nf::Encoding& window : windows) {
            const auto output = choose.model()(nf::ModelInput<float>::stacked({window.ids}), {});
            sum += static_cast<double>(window.size() - 3) * output.logits(0, 0);
            tokens += static_cast<double>(window.size() - 3);
        }
        logits.push_back(static_cast<float>(sum / tokens));
    }
    const auto expected = nf::detail::softmax(logits);
    std::vector<nf::TruncationNotice> cuts;
    const auto answer =
        choose(text, choices,
               {.long_text = {.stride = 7, .on_truncation = [&](const nf::TruncationNotice& cut) {
                                  cuts.push_back(cut);
                              }}});
    for (std::size_t i = 0; i < choices.size(); ++i)
        CHECK(answer.scores[i] == Approx(expected[i]).epsilon(1e-5));
    CHECK(cuts.size() == 1);
    CHECK(choose("A garden.", choices, {.long_text = {.stride = 7}}).scores ==
          choose("A garden.", choices).scores);
}

TEST_CASE("a tokenizer that pads on the left has the question after the context") {
    const auto folder = std::filesystem::temp_directory_path() /
                        ("nystromformer_left_answers-" + std::to_string(std::random_device{}()));
    std::filesystem::copy(data / "answers", folder,
                          std::filesystem::copy_options::recursive |
                              std::filesystem::copy_options::overwrite_existing);
    Json config = nf::detail::read_json_file(folder / "tokenizer_config.json", 1U << 20);
    config["padding_side"] = "left";
    nf::detail::write_file(folder / "tokenizer_config.json", config.dump());
    const nf::QuestionAnsweringPipeline answer(folder);
    std::filesystem::remove_all(folder);
    const std::string question = "Who sat by the fire?", context = "The old man sat by the fire.";
    const auto encoding = answer.tokenizer().encode(context, question);
    auto input = nf::ModelInput<float>::stacked({encoding.ids});
    input.token_type_ids = encoding.type_ids;
    const auto output = answer.model()(input, {});
    std::vector<float> start, end;
    std::vector<std::size_t> rows;
    for (std::size_t i = 0; i < encoding.ids.size(); ++i) {
        // The context, and [CLS], of which no answer is made.
        if (encoding.sequence_ids[i] != 0 && i != 0) continue;
        rows.push_back(i);
        start.push_back(output.start_logits(static_cast<nf::Index>(i), 0));
        end.push_back(output.end_logits(static_cast<nf::Index>(i), 0));
    }
    start = nf::detail::softmax(start);
    end = nf::detail::softmax(end);
    float best = 0;
    std::pair<nf::Index, nf::Index> place;
    for (std::size_t i = 1; i < rows.size(); ++i) {
        for (std::size_t k = i; k < std::min(i + 15, rows.size()); ++k) {
            if (start[i] * end[k] <= best) continue;
            best = start[i] * end[k];
            place = {encoding.offsets[rows[i]].first, encoding.offsets[rows[k]].second};
        }
    }
    const auto answers = answer(question, context, {.align_to_words = false});
    REQUIRE(answers.size() == 1);
    CHECK(answers[0].score == Approx(best).epsilon(1e-5));
    CHECK(std::pair(answers[0].start, answers[0].end) == place);
}

TEST_CASE("an exception from progress cancels a call, and the pipeline goes on") {
    const auto& classify = pipeline<nf::TextClassificationPipeline>("classes");
    const std::vector<nf::ClassificationInput> inputs(5, {"A garden."});
    int calls = 0;
    const auto stop_at_two = [&](nf::Index, nf::Index) {
        if (++calls == 2) throw std::runtime_error("cancelled");
    };
    CHECK_THROWS_WITH(classify.batch(inputs, {.run = {.batch_tokens = 1, .progress = stop_at_two}}),
                      "cancelled");
    CHECK(calls == 2);
    CHECK(classify.batch(inputs).size() == 5);
}

TEST_CASE("progress is reported after each batch") {
    const std::vector<nf::ClassificationInput> inputs(5, {"A garden."});
    std::vector<nf::Index> told;
    (void)pipeline<nf::TextClassificationPipeline>("classes").batch(
        inputs, {.run = {.batch_tokens = 1, .progress = [&](nf::Index done, nf::Index total) {
                             CHECK(total == 5);
                             told.push_back(done);
                         }}});
    CHECK(told == std::vector<nf::Index>{1, 2, 3, 4, 5});
}

TEST_CASE("every pipeline reports tokenized texts before it computes") {
    struct Heard {
        std::vector<nf::Index> tokenized;
        nf::Index total = 0;
        bool computed = false;

        nf::RunOptions run(bool wants_progress) {
            nf::RunOptions options;
            options.on_tokenized = [this](nf::Index done, nf::Index all) {
                CHECK_FALSE(computed);
                tokenized.push_back(done);
                total = all;
            };
            if (wants_progress) options.progress = [this](auto, auto) { computed = true; };
            return options;
        }
    };
    const auto check = [](nf::Index count, const auto& call) {
        for (const bool wants_progress : {false, true}) {
            Heard heard;
            call(heard.run(wants_progress));
            CHECK(heard.computed == wants_progress);
            CHECK(heard.total == count);
            CHECK(static_cast<nf::Index>(heard.tokenized.size()) == count);
            CHECK(std::is_sorted(heard.tokenized.begin(), heard.tokenized.end()));
        }
    };
    const std::vector<std::string> texts(3, "A garden by the sea.");
    const std::vector<std::string> masks(3, "A [MASK] by the sea.");
    check(3, [&](const nf::RunOptions& run) {
        (void)pipeline<nf::FillMaskPipeline>("nystromformer-small-en").batch(masks, {.run = run});
    });
    check(3, [&](const nf::RunOptions& run) {
        (void)pipeline<nf::TextClassificationPipeline>("classes").batch(texts, {.run = run});
    });
    check(3, [&](const nf::RunOptions& run) {
        (void)pipeline<nf::TokenClassificationPipeline>("tags").batch(texts, {.run = run});
    });
    check(2, [&](const nf::RunOptions& run) {
        (void)pipeline<nf::QuestionAnsweringPipeline>("answers").batch(
            {{"Who?", texts[0]}, {"Where?", texts[0]}}, {.run = run});
    });
    check(4, [&](const nf::RunOptions& run) {  // two texts, each with two labels
        (void)pipeline<nf::ZeroShotClassificationPipeline>("inference")
            .batch({{texts[0], {"sea", "land"}}, {texts[1], {"sea", "land"}}}, {.run = run});
    });
    check(3, [&](const nf::RunOptions& run) {
        (void)pipeline<nf::MultipleChoicePipeline>("choices")("A garden", {"a", "b", "c"},
                                                              {.run = run});
    });
    check(3, [&](const nf::RunOptions& run) {
        (void)pipeline<nf::FeatureExtractionPipeline>("nystromformer-small-en")
            .batch(texts, {.run = run});
    });
    check(3, [&](const nf::RunOptions& run) {
        (void)pipeline<nf::SentenceEmbeddingPipeline>("nystromformer-small-en")
            .batch(texts, {.run = run});
    });
    check(2, [&](const nf::RunOptions& run) {
        (void)pipeline<nf::RerankPipeline>("../rerank/single")("sea", {"a", "b"}, {.run = run});
    });
}

TEST_CASE("options of pipelines that are out of range are refused") {
    const auto& classify = pipeline<nf::TextClassificationPipeline>("classes");
    CHECK_THROWS_AS(classify.check({.top_k = -1}), nf::InputError);
    CHECK_THROWS_AS(classify.check({.long_text = {.truncation = true, .stride = 5}}),
                    nf::InputError);
    CHECK_THROWS_AS(classify.check({.long_text = {.stride = 48}}), nf::InputError);
    CHECK_THROWS_AS(classify.check({.run = {.batch_tokens = 0}}), nf::InputError);
    CHECK_THROWS_AS(classify.check({.run = {.num_landmarks = -1}}), nf::InputError);
    const auto& tag = pipeline<nf::TokenClassificationPipeline>("tags");
    CHECK_THROWS_AS(tag.check({.long_text = {.stride = 5}}), nf::InputError);
    CHECK_THROWS_AS(tag.check({.aggregation_strategy = nf::AggregationStrategy::max,
                               .long_text = {.stride = 48}}),
                    nf::InputError);
}

TEST_CASE("entailment is found by name") {
    using nf::ZeroShotClassificationPipeline;
    CHECK(pipeline<ZeroShotClassificationPipeline>("inference").entailment_id() == 2);
    CHECK(pipeline<ZeroShotClassificationPipeline>("inference-first").entailment_id() == 0);
    CHECK(!pipeline<ZeroShotClassificationPipeline>("classes").entailment_id());
}

TEST_CASE("of several labels that mean entailment the first in the file counts") {
    const auto folder = std::filesystem::temp_directory_path() /
                        ("nystromformer-entail-" + std::to_string(std::random_device{}()));
    std::filesystem::copy(data / "inference", folder);
    const auto entailment = [&](const char* label2id) {
        Json config = nf::detail::read_json_file(data / "inference" / "config.json", 1 << 20).value;
        config.erase("id2label");
        config.erase("label2id");
        std::string text = config.dump();
        text.back() = ',';
        nf::detail::write_file(
            folder / "config.json",
            text + R"("id2label": {"0": "Entail-not", "1": "entailment", "2": "other"},)" +
                R"( "label2id": )" + label2id + "}");
        return nf::ZeroShotClassificationPipeline(folder).entailment_id();
    };
    CHECK(entailment(R"({"entailment": 1, "Entail-not": 0, "other": 2})") == 1);
    CHECK(entailment(R"({"other": 2, "Entail-not": 0, "entailment": 1})") == 0);
    std::filesystem::remove_all(folder);
}

TEST_CASE("a context without a token has one empty answer, as in transformers 4.57") {
    const auto& answer = pipeline<nf::QuestionAnsweringPipeline>("answers");
    for (const char* context : {"   ", "\n\n", " \t\u00A0\r\n"}) {
        const auto answers = answer("who?", context, {.top_k = 3});
        REQUIRE(answers.size() == 1);
        CHECK((answers[0].score == 0 && answers[0].start == 0 && answers[0].end == 0));
        CHECK(answers[0].answer.empty());
        CHECK(answer("who?", context, {.handle_impossible_answer = true}).front().answer.empty());
    }
}

TEST_CASE("an empty second text is none, as in transformers") {
    const auto& classify = pipeline<nf::TextClassificationPipeline>("classes");
    CHECK(classify.pair("a ship", "").front().score == classify("a ship").front().score);
    CHECK(classify.pair("a ship", " ").front().score != classify("a ship").front().score);
}

TEST_CASE("lower case is Python's") {
    CHECK(nf::detail::lower_case("\u0130STANBUL \u039F\u0394\u039F\u03A3 \u03A3\u0391, \u00C9") ==
          "i\u0307stanbul \u03BF\u03B4\u03BF\u03C2 \u03C3\u03B1, \u00E9");
    CHECK(nf::detail::lower_case("A\xFF\xE2\x82") == "a\xFF\xE2\x82");
}

}  // namespace pipelines_test
