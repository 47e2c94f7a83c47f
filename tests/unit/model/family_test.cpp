// SPDX-License-Identifier: MIT
// BERTs of every family with every head, run as they are, against what transformers computed.
#include "support/catch.hpp"
#include "support/expected.hpp"
#include "support/library.hpp"
#include "support/temporary_folder.hpp"

#include <nystromformer/core/json.hpp>
#include <nystromformer/nystromformer.hpp>

#include <nystromformer/checkpoint.hpp>
#include <nystromformer/models.hpp>
#include <nystromformer/safetensors.hpp>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

namespace family_test {

namespace nf = nystromformer;
namespace fs = std::filesystem;
using nf::Index;
using nf::Matrix;

namespace {

const fs::path data = fs::path(NYSTROMFORMER_TEST_DATA) / "reference" / "families";
const std::vector<std::string> families{"bert",      "roberta",    "xlmroberta",
                                        "camembert", "distilbert", "electra"};

template <typename Scalar>
constexpr double tolerance = std::is_same_v<Scalar, double> ? 1e-9 : 1e-5;

template <typename Scalar>
void check_result(const Expected& expected, const nf::BaseModelOutput<Scalar>& output) {
    CHECK(expected.error("last_hidden_state", output.last_hidden_state) <= tolerance<Scalar>);
}
template <typename Scalar>
void check_result(const Expected& expected,
                  const nf::QuestionAnsweringModelOutput<Scalar>& output) {
    CHECK(expected.error("start_logits", output.start_logits) <= tolerance<Scalar>);
    CHECK(expected.error("end_logits", output.end_logits) <= tolerance<Scalar>);
}
template <typename Scalar, template <typename> typename Output>
void check_result(const Expected& expected, const Output<Scalar>& output) {
    CHECK(expected.error("logits", output.logits) <= tolerance<Scalar>);
}

/// The model of a folder as it is, saved and loaded again, and without its architectures.
template <typename Scalar, template <typename> typename Model>
void compare(const std::string& name) {
    INFO(name);
    const Expected expected(data / name);
    auto input = expected.input<Scalar>();
    if constexpr (std::is_same_v<Model<Scalar>, nf::NystromformerForMultipleChoice<Scalar>>)
        input.num_choices = input.num_sequences();
    std::vector<nf::Notice> notices;
    const auto model = Model<Scalar>::from_pretrained(
        data / name, {.num_threads = 2,
                      .on_notice = [&](const nf::Notice& notice) { notices.push_back(notice); }});
    CHECK(notices.empty());
    check_result(expected, model(input));

    const TemporaryFolder folder;
    model.save_pretrained(folder.path);
    const auto again = Model<Scalar>::from_pretrained(folder.path, {.strict = true});
    CHECK(again.config().model_type == model.config().model_type);
    check_result(expected, again(input));
    const auto forgetful = nf::Checkpoint::open(data / name);
    nf::NystromformerConfig config = model.config();
    config.architectures = {"SomethingElse"};
    check_result(expected, Model<Scalar>::from_checkpoint(config, forgetful)(input));
}

}  // namespace

TEST_CASE("a config.json that tells no model type gets that of the weights' names", "[family]") {
    const auto without_type = [](const std::string& name) {
        const TemporaryFolder folder;
        for (const auto& entry : fs::directory_iterator(data / name))
            fs::copy_file(entry.path(), folder.path / entry.path().filename());
        nf::detail::Json json = nf::detail::read_json_file(folder.path / "config.json", 1 << 20);
        json.erase("model_type");
        json.erase("architectures");
        nf::detail::write_file(folder.path / "config.json", json.dump());
        return nf::NystromformerConfig::from_pretrained(folder.path).model_type;
    };
    CHECK(without_type("bert-words") == "bert");
    CHECK(without_type("roberta-classes") == "roberta");
    CHECK(without_type("electra-tags") == "electra");
    CHECK(without_type("distilbert-answers") == "distilbert");
    CHECK(without_type("distilbert-model") == "distilbert");
    CHECK(without_type("bert-model") == "nystromformer");
}

namespace {

template <template <typename> typename Model>
std::string refusal(const std::string& name) {
    try {
        (void)Model<float>::from_pretrained(data / name);
    } catch (const nf::TensorError& error) {
        return error.what();
    }
    return "loaded";
}
bool has(const std::string& text, const char* part) { return text.find(part) != text.npos; }

}  // namespace

TEST_CASE("the error for a missing head names the commands that run the folder", "[family]") {
    CHECK(has(refusal<nf::NystromformerForMaskedLM>("distilbert-tags"),
              "\"vocab_transform.weight\": expected the tensors of a masked language model, found "
              "none of that name; this folder holds a token classifier "
              "(NystromformerForTokenClassification): use tag"));
    CHECK(has(refusal<nf::NystromformerForQuestionAnswering>("bert-classes"),
              "this folder holds a text classifier "
              "(NystromformerForSequenceClassification): use classify, zero-shot, rerank"));
    CHECK(has(refusal<nf::NystromformerForTokenClassification>("roberta-classes"),
              "\"classifier.weight\""));
    CHECK(
        has(refusal<nf::NystromformerForSequenceClassification>("electra-choices"), "use choose"));
    CHECK(has(refusal<nf::NystromformerForMultipleChoice>("roberta-answers"), "use answer"));
    CHECK(has(refusal<nf::NystromformerForMaskedLM>("camembert-model"), "use embed"));
    // As in transformers the class counts that is asked for: the tensors are all there.
    CHECK(refusal<nf::NystromformerForTokenClassification>("bert-classes") == "loaded");
}

TEMPLATE_TEST_CASE("every family runs with every head as transformers runs it", "[family]", double,
                   float) {
    for (const std::string& family : families) {
        compare<TestType, nf::NystromformerModel>(family + "-model");
        compare<TestType, nf::NystromformerForMaskedLM>(family + "-words");
        compare<TestType, nf::NystromformerForSequenceClassification>(family + "-classes");
        compare<TestType, nf::NystromformerForMultipleChoice>(family + "-choices");
        compare<TestType, nf::NystromformerForTokenClassification>(family + "-tags");
        compare<TestType, nf::NystromformerForQuestionAnswering>(family + "-answers");
    }
    for (const char* name : {"bert-old", "bert-pretraining", "bert-untied", "roberta-untied",
                             "distilbert-relu", "electra-square"})
        compare<TestType, nf::NystromformerForMaskedLM>(name);
    for (const char* name : {"bert-unnamed", "roberta-first"})
        compare<TestType, nf::NystromformerForSequenceClassification>(name);
    compare<TestType, nf::NystromformerModel>("bert-scoped");
    compare<TestType, nf::NystromformerForTokenClassification>("distilbert-sinusoidal");
    compare<TestType, nf::NystromformerForMultipleChoice>("electra-tanh");
}

}  // namespace family_test
