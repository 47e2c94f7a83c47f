// SPDX-License-Identifier: MIT
#include "support/catch.hpp"
#include "support/library.hpp"

#include <nystromformer/nystromformer.hpp>

#include <nystromformer/core/file.hpp>
#include <nystromformer/core/json.hpp>
#include <nystromformer/fill_mask.hpp>

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace pipeline_test {

namespace nf = nystromformer;
using nf::detail::Json;

namespace {

const std::filesystem::path bundled =
    std::filesystem::path(NYSTROMFORMER_MODELS) / "nystromformer-small-en";

const nf::FillMaskPipeline& pipeline() {
    static const nf::FillMaskPipeline loaded(bundled);
    return loaded;
}

const std::string garden = "She opened the [MASK] and walked into the garden.";

using Answers = std::vector<nf::FillMaskAnswer>;

bool same(const Answers& a, const Answers& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
        return x.score == y.score && x.token == y.token && x.token_str == y.token_str &&
               x.sequence == y.sequence;
    });
}

void check_answers(const Answers& found, const Json& expected) {
    REQUIRE(found.size() == expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
        CHECK(found[i].token == expected[i]["token"].get<std::int64_t>());
        CHECK(found[i].token_str == expected[i]["token_str"].get<std::string>());
        CHECK(found[i].sequence == expected[i]["sequence"].get<std::string>());
        CHECK(found[i].score == Approx(expected[i]["score"].get<double>()).margin(1e-4).epsilon(0));
    }
}

/// One recorded call of transformers' pipeline.
void check_case(const Json& recorded) {
    nf::FillMaskOptions options;
    options.top_k = recorded["top_k"].get<nf::Index>();
    if (recorded["targets"].is_array())
        options.targets = recorded["targets"].get<std::vector<std::string>>();
    // An empty list of targets, which transformers refuses, means all tokens here.
    if (recorded["targets"].is_array() && options.targets.empty()) return;
    const auto text = recorded["text"].get<std::string>();
    INFO(recorded.dump());
    if (recorded.contains("error")) {
        CHECK_THROWS_AS(pipeline().each_mask(text, options), nf::InputError);
        return;
    }
    const Json& output = recorded["output"];
    const bool several = !output.empty() && output[0].is_array();
    const auto found = pipeline().each_mask(text, options);
    REQUIRE(found.size() == (several ? output.size() : 1));
    for (std::size_t i = 0; i < found.size(); ++i)
        check_answers(found[i], several ? output[i] : output);
}

std::string message_of(const std::string& text, const nf::FillMaskOptions& options = {}) {
    try {
        (void)pipeline()(text, options);
    } catch (const nf::InputError& error) {
        return error.what();
    }
    return "";
}

}  // namespace

TEST_CASE("fill-mask of the bundled model equals what transformers recorded") {
    const Json record = nf::detail::read_json_file(
        std::filesystem::path(NYSTROMFORMER_TEST_DATA) / "reference" / "fill_mask.json", 1 << 24);
    REQUIRE(record["cases"].size() >= 50);
    for (const Json& recorded : record["cases"]) check_case(recorded);
}

TEST_CASE("a text's answer is the same bit for bit alone and in any batch, in both attentions") {
    // Two texts with more tokens than landmarks, so that each could see the other's inverse.
    std::string many_words = "The [MASK] rose.", more_words = "A [MASK] at sea.";
    for (int i = 0; i < 60; ++i) many_words += " And the rain fell on the old roof.";
    for (int i = 0; i < 20; ++i) more_words += " No ship was seen, nor any land, for days.";
    const std::vector<std::string> texts{garden, many_words, "A [MASK] and a [MASK].", more_words,
                                         "[MASK]"};
    for (const nf::Attention attention : {nf::Attention::exact, nf::Attention::nystrom}) {
        const nf::FillMaskOptions options{.top_k = 20, .run = {.attention = attention}};
        const auto batch = pipeline().batch(texts, options);
        REQUIRE(batch.size() == texts.size());
        for (std::size_t i = 0; i < texts.size(); ++i) {
            const auto alone = pipeline().each_mask(texts[i], options);
            REQUIRE(alone.size() == batch[i].size());
            for (std::size_t mask = 0; mask < alone.size(); ++mask)
                CHECK(same(alone[mask], batch[i][mask]));
        }
    }
}

TEST_CASE("answers do not depend on the number of threads") {
    const nf::FillMaskPipeline one(bundled, {.num_threads = 1}), three(bundled, {.num_threads = 3});
    CHECK(same(one(garden), three(garden)));
}

TEST_CASE(
    "texts without a mask, with several for one, or too long are errors that say what was found") {
    CHECK(message_of("No gap here.") ==
          "text 0: expected a [MASK], this tokenizer's mask token, in the text, found none");
    std::optional<std::size_t> number;
    try {
        (void)pipeline().batch(std::vector<std::string>{garden, garden, "No gap here."}, {});
    } catch (const nf::InputError& error) {
        number = error.input();
    }
    CHECK(number == 2U);
    CHECK(message_of("[MASK] or [MASK]") ==
          "text 0: expected one [MASK] (each_mask takes several), found 2 of them");
    std::string tale = garden;
    for (int i = 0; i < 300; ++i) tale += " And the rain fell on the old roof.";
    CHECK(message_of(tale).find(
              "text 0: expected at most 2048 tokens (truncation cuts, stride reads in windows)") ==
          0);
    CHECK(pipeline()(tale, {.top_k = 1, .long_text = {.truncation = true}}).size() == 1);
}

TEST_CASE("options that the model cannot meet are refused before any text is read") {
    CHECK_THROWS_AS(pipeline().check({.top_k = -1}), nf::InputError);
    CHECK_THROWS_AS(pipeline().check({.top_k = 8193}), nf::InputError);
    CHECK_THROWS_AS(pipeline().check({.targets = {""}}), nf::InputError);
    CHECK_THROWS_AS(pipeline().check({.run = {.num_landmarks = -1}}), nf::InputError);
    CHECK_NOTHROW(pipeline().check({.top_k = 8193, .targets = {"\u2581door"}}));
}

TEST_CASE("no text gives no answer") {
    CHECK(pipeline().batch(std::vector<std::string>()).empty());
}

}  // namespace pipeline_test
