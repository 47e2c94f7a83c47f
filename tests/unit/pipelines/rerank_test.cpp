// SPDX-License-Identifier: MIT
#include "support/catch.hpp"
#include "support/changed_folder.hpp"
#include "support/library.hpp"

#include <nystromformer/core/file.hpp>
#include <nystromformer/core/json.hpp>
#include <nystromformer/rerank.hpp>

#include <cmath>
#include <cstddef>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

namespace rerank_test {

namespace nf = nystromformer;
using nf::detail::Json;

namespace {

const std::filesystem::path data =
    std::filesystem::path(NYSTROMFORMER_TEST_DATA) / "reference" / "rerank";

const Json& record() {
    static const Json json =
        nf::detail::read_json_file(data / "rerank.json", std::uint64_t{1} << 20);
    return json;
}

/// A copy of a reference folder, to be changed.
struct Folder : ChangedFolder {
    explicit Folder(const std::string& of) : ChangedFolder(data / of) {}

    /// Merges `changes` ({"config.json": {...}}) into its files.
    void change(const Json& changes) const {
        for (const auto& [file, values] : changes.items()) ChangedFolder::change(file, values);
    }
};

/// CrossEncoder's arguments as our options; it cuts without being asked.
nf::RerankOptions options_of(const Json& recorded) {
    nf::RerankOptions options{.long_text = {.truncation = true}};
    for (const auto& [key, value] : recorded.items()) {
        if (key == "top_k") options.top_k = value.get<nf::Index>();
        if (key == "apply_softmax") options.apply_softmax = value.get<bool>();
        if (key == "prompt") options.prompt = value.get<std::string>();
        if (key == "prompt_name") options.prompt_name = value.get<std::string>();
        if (key == "activation_fn")
            options.activation_fn = nf::rerank_activation_named(value.get<std::string>());
    }
    return options;
}

void check_rank(const nf::RerankPipeline& rerank, const Json& recorded) {
    const auto answers =
        rerank(record()["query"].get<std::string>(),
               record()["texts"].get<std::vector<std::string>>(), options_of(recorded["options"]));
    REQUIRE(answers.size() == recorded["output"].size());
    for (std::size_t i = 0; i < answers.size(); ++i) {
        const Json& expected = recorded["output"][i];
        CHECK(answers[i].corpus_id == expected["corpus_id"].get<nf::Index>());
        CHECK(std::abs(answers[i].score - expected["score"].get<double>()) <= 1e-5);
    }
}

void check_predict(const nf::RerankPipeline& rerank, const Json& recorded) {
    std::vector<nf::RerankPair> pairs;
    for (const Json& text : record()["texts"])
        pairs.push_back({record()["query"].get<std::string>(), text.get<std::string>()});
    const nf::Embeddings scores = rerank.predict(pairs, options_of(recorded["options"]));
    REQUIRE(scores.rows == static_cast<nf::Index>(recorded["output"].size()));
    for (nf::Index i = 0; i < scores.rows; ++i) {
        const Json& expected = recorded["output"][static_cast<std::size_t>(i)];
        REQUIRE(scores.cols == static_cast<nf::Index>(expected.size()));
        for (nf::Index j = 0; j < scores.cols; ++j) {
            const double value = expected[static_cast<std::size_t>(j)].get<double>();
            CHECK(std::abs(static_cast<double>(scores(i, j)) - value) <= 1e-5);
        }
    }
}

}  // namespace

TEST_CASE("reranking equals what sentence-transformers' CrossEncoder recorded", "[rerank]") {
    for (const Json& recorded : record()["cases"]) {
        INFO(recorded["folder"] << " " << recorded["changes"] << " " << recorded["options"]);
        const Folder folder(recorded["folder"].get<std::string>());
        folder.change(recorded["changes"]);
        const nf::RerankPipeline rerank(folder.path);
        if (recorded["method"] == "rank") {
            check_rank(rerank, recorded);
        } else {
            check_predict(rerank, recorded);
        }
    }
}

TEST_CASE("a query's ranks are the same alone and in a batch, and equal scores keep their order",
          "[rerank]") {
    const nf::RerankPipeline rerank(data / "single");
    const std::vector<nf::RerankInput> inputs{
        {"who?", {"a b", "c", "a b"}}, {"none", {}}, {"where?", {"the sea", "a garden"}}};
    const auto together = rerank.batch(inputs);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        const auto alone = rerank(inputs[i].query, inputs[i].texts);
        REQUIRE(alone.size() == inputs[i].texts.size());
        for (std::size_t k = 0; k < alone.size(); ++k) {
            CHECK(alone[k].corpus_id == together[i][k].corpus_id);
            CHECK(alone[k].score == together[i][k].score);
        }
    }
    std::vector<nf::Index> twins;
    for (const auto& answer : together[0])
        if (answer.corpus_id != 1) twins.push_back(answer.corpus_id);
    CHECK(twins == std::vector<nf::Index>{0, 2});
}

TEST_CASE("a pair that is too long for a reranker is refused, cut or read in windows", "[rerank]") {
    const nf::RerankPipeline rerank(data / "single");
    std::string text;
    for (int i = 0; i < 60; ++i) text += "We believed it. ";
    CHECK_THROWS_AS(rerank("who?", {text}), nf::InputError);
    CHECK_THROWS_AS(rerank("who?", {"We believed it."}, {.max_length = 5}), nf::InputError);
    nf::Index windows = 0;
    nf::RerankOptions options{.long_text = {.on_truncation = [&](const nf::TruncationNotice& cut) {
                                  windows = cut.windows;
                              }}};
    options.long_text.truncation = true;
    CHECK(rerank("who?", {text}, options).size() == 1);
    CHECK(windows == 1);
    options.long_text.truncation = false;
    options.long_text.stride = 4;
    CHECK(rerank("who?", {text}, options).size() == 1);
    CHECK(windows > 2);
}

TEST_CASE("what a reranker cannot do is refused", "[rerank]") {
    const nf::RerankPipeline rerank(data / "single");
    CHECK_THROWS_AS(rerank.check({.top_k = 0}), nf::InputError);
    CHECK_THROWS_AS(rerank.check({.max_length = 0}), nf::InputError);
    CHECK_THROWS_AS(rerank.check({.max_length = 1000}), nf::InputError);
    CHECK_THROWS_AS(rerank.check({.prompt_name = "none"}), nf::InputError);
    CHECK_THROWS_AS(nf::RerankPipeline(data / "classes")("a", {"b"}), nf::InputError);
    const Folder folder("single");
    folder.change(
        {{"config.json", {{"sentence_transformers", {{"activation_fn", "torch.nn.Threshold"}}}}}});
    CHECK_THROWS_AS(nf::RerankPipeline(folder.path), nf::UnsupportedError);
    nf::detail::write_file(folder.path / "modules.json",
                           R"([{"path": "", "type": "sentence_transformers.models.Transformer"},
            {"path": "1", "type": "sentence_transformers.models.Pooling"}])");
    CHECK_THROWS_AS(nf::RerankPipeline(folder.path), nf::UnsupportedError);
}

TEST_CASE("an activation_fn of another package is noticed and the default taken", "[rerank]") {
    const Folder folder("single");
    folder.change({{"config.json", {{"sentence_transformers", {{"activation_fn", "our.own"}}}}}});
    std::vector<nf::Notice> notices;
    nf::LoadOptions options;
    options.on_notice = [&](const nf::Notice& notice) { notices.push_back(notice); };
    const nf::RerankPipeline rerank(folder.path, options);
    REQUIRE(notices.size() == 1);
    CHECK(notices[0].place == "/sentence_transformers/activation_fn");
}

}  // namespace rerank_test
