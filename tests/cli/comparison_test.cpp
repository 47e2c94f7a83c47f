// SPDX-License-Identifier: MIT
// AttentionComparison beside direct calls of the models.
#include "support/catch.hpp"
#include "support/library.hpp"

#include <nystromformer/nystromformer.hpp>

#include <nystromformer/core/file.hpp>
#include "commands/compare/attention_comparison.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

namespace comparison_test {

namespace cc = compare_command;
namespace nf = nystromformer;

namespace {

std::filesystem::path folder() {
    return std::filesystem::path(NYSTROMFORMER_MODELS) / "nystromformer-small-en";
}

/// Some 100 tokens of a novel, or more.
std::string prose(std::size_t bytes = 400) {
    const auto path = std::filesystem::path(NYSTROMFORMER_TEST_DATA) / "../docs/chapter.txt";
    return nf::detail::read_file(path, 1 << 20).substr(0, bytes);
}

const cc::AttentionComparison& comparison() {
    static const cc::AttentionComparison compare(folder(), {.num_threads = 2});
    return compare;
}

/// Few landmarks, so that the attentions differ; the last come to exact attention.
cc::AttentionComparisonOptions options() {
    return {.num_landmarks = {4, 16, 1000},
            .inverse_iterations = {2, 6},
            .repeat = 2,
            .mask_passes = 2,
            .seed = 3};
}

/// The same for every test, computed once.
const cc::AttentionComparisonResult& result() {
    static const cc::AttentionComparisonResult once = comparison()(prose(), options());
    return once;
}

nf::Encoding encoding() { return comparison().tokenizer().encode(prose()); }

nf::ModelInput<float> input_of(const std::vector<std::int64_t>& ids) {
    return nf::ModelInput<float>::stacked({ids});
}

}  // namespace

TEST_CASE("a comparison runs exact attention and every combination of its options") {
    const auto& [tokens, masks, passes, no_masks, attentions] = result();
    CHECK(tokens == encoding().size());
    CHECK(no_masks.empty());
    CHECK(passes == 2);
    REQUIRE(attentions.size() == 1 + 3 * 2 * 2);
    CHECK(attentions[0].options.attention == nf::Attention::exact);
    std::set<std::tuple<nf::Index, nf::InverseInit, nf::Index>> seen;
    for (std::size_t i = 1; i < attentions.size(); ++i) {
        const nf::ForwardOptions& own = attentions[i].options;
        CHECK(own.attention == nf::Attention::nystrom);
        CHECK(attentions[i].uses_landmarks == (own.num_landmarks < tokens));
        seen.emplace(own.num_landmarks, own.inverse.value(), own.inverse_iterations);
    }
    CHECK(seen.size() == attentions.size() - 1);
    for (const auto& attention : attentions) {
        REQUIRE(attention.seconds.size() == 2);
        CHECK(attention.min_seconds() > 0);
        CHECK(attention.median_seconds() ==
              Approx((attention.seconds[0] + attention.seconds[1]) / 2));
    }
}

TEST_CASE("a comparison's cosines and residuals are those of direct calls of the model") {
    const auto model = nf::NystromformerModel<float>::from_pretrained(folder());
    const auto input = input_of(encoding().ids);
    const auto exact = model(input, {.attention = nf::Attention::exact}).last_hidden_state;
    for (const cc::ComparedAttention& attention : result().attentions) {
        nf::ForwardOptions own = attention.options;
        own.output_inverse_residuals = true;
        const auto output = model(input, own);
        double sum = 0, least = 2;
        for (nf::Index row = 0; row < exact.rows(); ++row) {
            double dot = 0, norm = 0, own_norm = 0;
            for (nf::Index col = 0; col < exact.cols(); ++col) {
                const double a = exact(row, col), b = output.last_hidden_state(row, col);
                dot += a * b;
                norm += a * a;
                own_norm += b * b;
            }
            const double cosine = dot / std::sqrt(norm * own_norm);
            sum += cosine;
            least = std::min(least, cosine);
        }
        CHECK(attention.cosine_mean ==
              Approx(sum / static_cast<double>(exact.rows())).epsilon(1e-12));
        CHECK(attention.cosine_min == Approx(least).epsilon(1e-12));
        if (attention.uses_landmarks) {
            CHECK(attention.cosine_min < 0.999);
            CHECK(attention.inverse_residuals == output.inverse_residuals);
            CHECK(attention.inverse_residuals.size() == 6);
            CHECK(attention.inverse_residuals[0].size() == 12);
        } else {
            CHECK(attention.cosine_min == 1);
            CHECK(attention.cosine_mean == 1);
            CHECK(attention.inverse_residuals.empty());
        }
    }
}

TEST_CASE("a comparison's masks are guessed as by the masked LM") {
    const auto model = nf::NystromformerForMaskedLM<float>::from_pretrained(folder());
    const nf::Encoding whole = encoding();
    const std::int64_t mask = comparison().tokenizer().token_to_id("[MASK]").value();
    const auto samples = cc::masked_samples(whole, mask, 0.15, 2, 3);
    REQUIRE(samples.size() == 2);
    CHECK(result().masks == static_cast<nf::Index>(samples[0].size() + samples[1].size()));
    std::vector<std::vector<std::int64_t>> guesses;
    std::vector<std::int64_t> truth;
    for (const cc::ComparedAttention& attention : result().attentions) {
        guesses.emplace_back();
        truth.clear();
        for (const auto& sample : samples) {
            auto ids = whole.ids;
            for (const nf::Index row : sample) {
                truth.push_back(ids[static_cast<std::size_t>(row)]);
                ids[static_cast<std::size_t>(row)] = mask;
            }
            const auto logits = model(input_of(ids), attention.options).logits;
            for (const nf::Index row : sample) {
                nf::Index best = 0;
                logits.row(row).maxCoeff(&best);
                guesses.back().push_back(best);
            }
        }
        double same = 0, right = 0;
        for (std::size_t i = 0; i < truth.size(); ++i) {
            same += guesses.back()[i] == guesses.front()[i];
            right += guesses.back()[i] == truth[i];
        }
        const auto masks = static_cast<double>(truth.size());
        CHECK(attention.agreement.value() == Approx(same / masks));
        CHECK(attention.accuracy.value() == Approx(right / masks));
        CHECK((attention.uses_landmarks || attention.agreement == 1.0));
    }
    CHECK(guesses[1] != guesses[0]);  // with 4 landmarks, or the test says nothing
}

TEST_CASE(
    "a comparison says the same in every run and on any number of threads, but for the times") {
    const cc::AttentionComparison one(folder(), {.num_threads = 1});
    const cc::AttentionComparisonOptions few{.num_landmarks = {4, 16}, .repeat = 1};
    const auto first = comparison()(prose(), few);
    const auto again = comparison()(prose(), few), alone = one(prose(), few);
    for (const auto* other : {&again, &alone}) {
        CHECK(other->masks == first.masks);
        REQUIRE(other->attentions.size() == first.attentions.size());
        for (std::size_t i = 0; i < other->attentions.size(); ++i) {
            const auto &a = first.attentions[i], &b = other->attentions[i];
            CHECK(a.cosine_mean == b.cosine_mean);
            CHECK(a.cosine_min == b.cosine_min);
            CHECK(a.agreement == b.agreement);
            CHECK(a.accuracy == b.accuracy);
            CHECK(a.inverse_residuals == b.inverse_residuals);
        }
    }
    const auto once_more = one(prose(), few);
    for (std::size_t i = 0; i < alone.attentions.size(); ++i)
        CHECK(alone.attentions[i].memory_bytes == once_more.attentions[i].memory_bytes);
}

TEST_CASE("a comparison's memory holds the states and q, k and v, and grows with the landmarks") {
    const cc::AttentionComparison one(folder(), {.num_threads = 1});
    const auto compared =
        one(prose(700),
            {.num_landmarks = {16, 128}, .inverses = {nf::InverseInit::sequence}, .repeat = 1});
    const auto row = static_cast<std::size_t>(4 * 384 * sizeof(float));
    const auto least = static_cast<std::size_t>(compared.tokens) * row;
    for (const auto& attention : compared.attentions) {
        CHECK(attention.memory_bytes > least);
        CHECK(attention.memory_bytes < 4 * least);
    }
    // 12 heads have at least the larger kernel_2 and its inverse, less the smaller's.
    CHECK(compared.attentions[2].memory_bytes >
          compared.attentions[1].memory_bytes + 12 * 128 * 128);
}

TEST_CASE("scratch memory counts the most that each thread had in use") {
    using nf::detail::Scratch;
    nf::release_scratch();
    (void)nf::take_scratch_peaks();
    const auto use = [] {
        Scratch outer;
        outer.array<float>(1000);  // 4,000 bytes in 63 cache lines
        {
            Scratch inner;
            inner.array<float>(100000);  // a block of its own
        }
        Scratch smaller;
        smaller.array<float>(16);
    };
    use();
    CHECK(nf::take_scratch_peaks() == 63 * 64 + 400000);
    CHECK(nf::take_scratch_peaks() == 0);
    use();
    std::size_t both = 0;
    std::thread([&] {
        use();
        both = nf::take_scratch_peaks();
    }).join();
    CHECK(both == 2 * (63 * 64 + 400000));
}

TEST_CASE("samples to mask are disjoint, of a share of the tokens, and the seed's") {
    nf::Encoding whole = encoding();
    whole.ids[5] = 4;  // the mask
    const auto samples = cc::masked_samples(whole, 4, 0.15, 100, 0);
    const auto maskable = static_cast<std::size_t>(whole.size()) - 3;
    std::set<nf::Index> rows;
    for (std::size_t i = 0; i < samples.size(); ++i) {
        CHECK(std::is_sorted(samples[i].begin(), samples[i].end()));
        if (i + 1 < samples.size())
            CHECK(samples[i].size() == std::size_t(std::lround(0.15 * double(maskable))));
        rows.insert(samples[i].begin(), samples[i].end());
    }
    CHECK(rows.size() == maskable);
    CHECK((rows.count(0) + rows.count(5) + rows.count(whole.size() - 1)) == 0);
    const auto one = cc::masked_samples(whole, 4, 0.15, 1, 0);
    REQUIRE(one.size() == 1);
    CHECK(one[0] == samples[0]);
    CHECK(cc::masked_samples(whole, 4, 0.15, 1, 1) != one);
    // Every standard library draws these, of 10 tokens and their special ones.
    nf::Encoding ten;
    ten.ids.assign(12, 7);
    ten.special_tokens_mask = {1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    CHECK(cc::masked_samples(ten, 4, 0.3, 2, 0).size() == 2);
    ten.special_tokens_mask.assign(12, 1);
    CHECK(cc::masked_samples(ten, 4, 0.3, 2, 0).empty());
}

TEST_CASE("where nothing can be guessed a comparison says why, and compares the rest") {
    const auto sentiment =
        std::filesystem::path(NYSTROMFORMER_MODELS) / "nystromformer-small-en-sentiment";
    const cc::AttentionComparison compare(sentiment);
    const cc::AttentionComparisonOptions few{.num_landmarks = {16}, .repeat = 1};
    const auto compared = compare(prose(), few);
    CHECK(compared.no_masks == "the folder has no masked-LM head");
    CHECK((compared.masks == 0 && compared.mask_passes == 0));
    CHECK(!compared.attentions[1].agreement);
    CHECK(!compared.attentions[1].accuracy);
    CHECK(compared.attentions[1].cosine_mean < 1);
    CHECK(comparison()("", few).no_masks == "the text has no token to mask");
}

TEST_CASE("a comparison finds the masked-LM head of every family") {
    const auto guesses = [](const char* name) {
        const auto families = std::filesystem::path(NYSTROMFORMER_TEST_DATA) / "reference/families";
        return cc::ComparedModel::from_pretrained(families / name, {}).guesses_masks();
    };
    for (const char* name : {"bert-words", "camembert-words", "distilbert-words", "electra-words"})
        CHECK(guesses(name));
    CHECK(!guesses("bert-model"));
}

TEST_CASE("a comparison tells every pass and every cut, and refuses what it cannot do") {
    nf::Index last = 0, total = 0;
    std::vector<nf::TruncationNotice> cuts;
    cc::AttentionComparisonOptions own{
        .num_landmarks = {8},
        .inverses = {nf::InverseInit::matrix},
        .repeat = 3,
        .long_text = {.on_truncation =
                          [&](const nf::TruncationNotice& cut) { cuts.push_back(cut); }},
        .progress = [&](nf::Index done, nf::Index all) {
            CHECK(done == last + 1);
            last = done;
            total = all;
        }};
    comparison()("a short text", own);
    CHECK((last == 2 * (1 + 3 + 1) && total == last && cuts.empty()));

    std::string longest;
    for (int i = 0; i < 2100; ++i) longest += "so ";
    CHECK_THROWS_AS(comparison()(longest, own), nf::InputError);
    own.long_text.truncation = true;
    own.repeat = 1;
    last = 0;
    CHECK(comparison()(longest, own).tokens == 2048);
    REQUIRE(cuts.size() == 1);
    CHECK((cuts[0].length == 2048 && cuts[0].tokens > 2100));

    const auto refused = [](const cc::AttentionComparisonOptions& bad) {
        CHECK_THROWS_AS(comparison().check(bad), nf::InputError);
        CHECK_THROWS_AS(comparison()("a", bad), nf::InputError);
    };
    refused({.num_landmarks = {0}});
    refused({.num_landmarks = {1 << 21}});
    refused({.inverse_iterations = {-1}});
    refused({.repeat = 0});
    refused({.mask_passes = 0});
}

}  // namespace comparison_test
