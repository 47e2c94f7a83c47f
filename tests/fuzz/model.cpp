// SPDX-License-Identifier: MIT
// Fuzz target: forward, of small models with any input and any options.
#include "fuzz.hpp"

#include <nystromformer/models.hpp>

#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace nystromformer::fuzz {
namespace {

template <typename Model>
Model load(const char* folder, Index threads, Precision precision = Precision::fp32) {
    return set_up([&] {
        return Model::from_pretrained(
            std::filesystem::path(NYSTROMFORMER_TEST_DATA) / "reference/data/models" / folder,
            {.num_threads = threads, .precision = precision});
    });
}

/// One model on one thread and on three.
struct Pair {
    NystromformerModel<float> one, three;
    Pair(const char* folder, Precision precision)
        : one(load<NystromformerModel<float>>(folder, 1, precision)),
          three(load<NystromformerModel<float>>(folder, 3, precision)) {}
};

const std::vector<Pair>& models() {
    static const std::vector<Pair> result = [] {
        std::vector<Pair> all;
        for (const char* folder : {"bare-nystrom", "bare-deep", "bare-matrix"})
            for (const auto precision : {Precision::fp32, Precision::bf16, Precision::int8})
                all.emplace_back(folder, precision);
        return all;
    }();
    return result;
}

/// Whether the values given are such that every answer must be finite.
struct Built {
    ModelInput<float> input;
    ForwardOptions options;
    bool tame = true;
};

std::vector<std::int64_t> consume_ids(FuzzedDataProvider& source, std::size_t count, bool wild,
                                      std::int64_t limit) {
    std::vector<std::int64_t> ids;
    if (wild) count = source.ConsumeIntegralInRange<std::size_t>(0, count + 2);
    for (std::size_t i = 0; i < count; ++i)
        ids.push_back(wild && source.ConsumeBool()
                          ? source.ConsumeIntegral<std::int64_t>()
                          : source.ConsumeIntegral<std::uint8_t>() % limit);
    return ids;
}

void add_embeds(FuzzedDataProvider& source, Built& built, std::size_t rows, Index hidden) {
    const bool wild = source.ConsumeProbability<float>() < 0.2F;
    built.tame = built.tame && !wild;
    built.input.inputs_embeds.resize(static_cast<Index>(rows), wild ? hidden - 1 : hidden);
    if (wild && source.ConsumeBool())
        built.input.inputs_embeds.resize(static_cast<Index>(rows), hidden);
    for (Index i = 0; i < built.input.inputs_embeds.size(); ++i) {
        // A few own values, the others by a rule: the data would not reach for all.
        const float value = i % 13 == 0
                                ? std::bit_cast<float>(source.ConsumeIntegral<std::uint32_t>())
                                : static_cast<float>(i % 7) - 3;
        const bool usable = wild || (std::isfinite(value) && std::abs(value) <= 1e4F);
        built.input.inputs_embeds.data()[i] = usable ? value : 1e4F;
    }
}

Built build(FuzzedDataProvider& source, const NystromformerConfig& config) {
    Built built;
    auto& input = built.input;
    const auto flags = source.ConsumeIntegral<std::uint16_t>();
    const bool wild = (flags & 0x100) != 0;
    const int sequences = source.ConsumeIntegralInRange<int>(0, 4);
    input.offsets.push_back(0);
    for (int i = 0; i < sequences; ++i) {
        const Index length = source.ConsumeIntegralInRange<Index>(1, 24);
        input.offsets.push_back(input.offsets.back() + length);
    }
    const auto rows = static_cast<std::size_t>(input.offsets.back());
    if (wild && source.ConsumeBool())
        input.offsets[source.ConsumeIntegral<std::uint8_t>() % input.offsets.size()] =
            source.ConsumeIntegral<std::int64_t>();
    if ((flags & 1) != 0) {
        add_embeds(source, built, rows, config.hidden_size);
    } else {
        input.input_ids = consume_ids(source, rows, wild, config.vocab_size);
    }
    if ((flags & 2) != 0) input.attention_mask = consume_ids(source, rows, wild, 2);
    if ((flags & 4) != 0)
        input.token_type_ids = consume_ids(source, rows, wild, config.type_vocab_size);
    if ((flags & 8) != 0)
        input.position_ids = consume_ids(source, rows, wild, config.max_position_embeddings + 2);
    auto& options = built.options;
    options.attention = static_cast<Attention>((flags >> 4) % 3);
    options.num_landmarks = source.ConsumeIntegralInRange<Index>(0, 12);
    options.inverse_iterations = source.ConsumeIntegralInRange<Index>(0, 12);
    if (wild && source.ConsumeBool()) {
        options.num_landmarks = source.ConsumeIntegral<std::int64_t>();
        options.inverse_iterations = source.ConsumeIntegralInRange<Index>(-2, 40);
        built.tame = false;
    }
    if ((flags & 0x40) != 0) options.inverse = static_cast<InverseInit>((flags >> 9) % 3);
    options.output_hidden_states = (flags & 0x80) != 0;
    options.output_attentions = (flags & 0x1000) != 0;
    options.output_inverse_residuals = (flags & 0x2000) != 0;
    return built;
}

bool is_finite(const Matrix<float>& matrix) {
    return std::all_of(matrix.data(), matrix.data() + matrix.size(),
                       [](float value) { return std::isfinite(value); });
}

bool same_bits(const Matrix<float>& a, const Matrix<float>& b) {
    return a.rows() == b.rows() && a.cols() == b.cols() &&
           (a.size() == 0 || std::memcmp(a.data(), b.data(),
                                         static_cast<std::size_t>(a.size()) * sizeof(float)) == 0);
}

/// Rows [begin, end) of what has a value a row.
template <typename Value>
std::vector<Value> part(const std::vector<Value>& all, Index begin, Index end) {
    if (all.empty()) return {};
    return {all.begin() + begin, all.begin() + end};
}

/// Sequence `which` alone has the bits that it has among the others.
void check_alone(const NystromformerModel<float>& model, const Built& built, std::size_t which,
                 const Matrix<float>& all) {
    const Index begin = built.input.offsets[which], end = built.input.offsets[which + 1];
    ModelInput<float> alone;
    alone.offsets = {0, end - begin};
    alone.input_ids = part(built.input.input_ids, begin, end);
    alone.attention_mask = part(built.input.attention_mask, begin, end);
    alone.token_type_ids = part(built.input.token_type_ids, begin, end);
    alone.position_ids = part(built.input.position_ids, begin, end);
    if (built.input.inputs_embeds.size() > 0)
        alone.inputs_embeds = built.input.inputs_embeds.middleRows(begin, end - begin);
    const auto output = model(alone, built.options);
    require(same_bits(output.last_hidden_state, all.middleRows(begin, end - begin)),
            "a sequence alone as among others");
}

void check_bare(FuzzedDataProvider& source, bool threads) {
    const Pair& pair = models()[source.ConsumeIntegral<std::uint8_t>() % models().size()];
    const Built built = build(source, pair.one.config());
    const auto output = pair.one(built.input, built.options);
    const auto& states = output.last_hidden_state;
    require(states.rows() == built.input.rows(), "a state a row");
    if (threads)
        require(same_bits(pair.three(built.input, built.options).last_hidden_state, states),
                "the same bits on three threads");
    if (built.tame) require(is_finite(states), "finite from finite");
    for (const auto& hidden : output.hidden_states)
        if (built.tame) require(is_finite(hidden), "finite hidden states");
    const bool batchwise =
        built.options.inverse.value_or(pair.one.config().inv_coeff_init_option
                                           ? InverseInit::matrix
                                           : InverseInit::batch) == InverseInit::batch;
    if (!batchwise && built.input.num_sequences() > 1)
        check_alone(pair.one, built,
                    source.ConsumeIntegral<std::uint8_t>() %
                        static_cast<std::size_t>(built.input.num_sequences()),
                    states);
    std::vector<Index> rows;
    for (int i = source.ConsumeIntegralInRange<int>(0, 3); i > 0; --i)
        rows.push_back(source.ConsumeBool() || built.input.rows() == 0
                           ? source.ConsumeIntegral<std::int64_t>()
                           : source.ConsumeIntegral<std::uint8_t>() % built.input.rows());
    if (rows.empty()) return;
    const auto some = pair.one.states_at(built.input, rows, built.options).last_hidden_state;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        require(rows[i] >= 0 && rows[i] < states.rows(), "rows outside are refused");
        require(same_bits(some.row(static_cast<Index>(i)), states.row(rows[i])),
                "states_at gives rows of the whole");
    }
}

/// A head with labels of its own kind, which may be wrong.
template <typename Model>
void check_head(FuzzedDataProvider& source, const Model& model) {
    Built built = build(source, model.config());
    const auto count = static_cast<std::size_t>(std::clamp<Index>(built.input.rows(), 0, 200));
    built.input.labels = consume_ids(source, count, source.ConsumeBool(), 5);
    built.input.start_positions = consume_ids(source, count % 5, source.ConsumeBool(), 30);
    built.input.end_positions = consume_ids(source, count % 5, source.ConsumeBool(), 30);
    if (source.ConsumeBool()) built.input.labels.clear();
    if (source.ConsumeBool()) built.input.start_positions.clear();
    for (int i = source.ConsumeIntegralInRange<int>(0, 9); i > 0; --i)
        built.input.float_labels.push_back(source.ConsumeFloatingPoint<double>());
    built.input.num_choices = source.ConsumeIntegralInRange<Index>(-1, 4);
    // Labels of another kind are refused before the forward pass: mostly not given.
    constexpr bool has_positions = std::is_same_v<Model, NystromformerForQuestionAnswering<float>>;
    if (source.ConsumeIntegralInRange<int>(0, 15) != 0) {
        if (has_positions) built.input.labels.clear();
        if (!has_positions) built.input.start_positions.clear();
        if (!has_positions) built.input.end_positions.clear();
        if (!std::is_same_v<Model, NystromformerForSequenceClassification<float>>)
            built.input.float_labels.clear();
    }
    const auto output = model(built.input, built.options);
    if constexpr (requires { output.logits; }) {
        if (built.tame) require(is_finite(output.logits), "finite logits");
    } else {
        if (built.tame) require(is_finite(output.start_logits), "finite logits");
    }
}

void forward(std::string_view data) {
    FuzzedDataProvider source(reinterpret_cast<const std::uint8_t*>(data.data()), data.size());
    static const auto masked = load<NystromformerForMaskedLM<float>>("mlm-nystrom", 1);
    static const auto classes =
        load<NystromformerForSequenceClassification<float>>("sequence-multi-label", 1);
    static const auto tokens = load<NystromformerForTokenClassification<float>>("token-nystrom", 1);
    static const auto answers = load<NystromformerForQuestionAnswering<float>>("answer-nystrom", 1);
    static const auto choices = load<NystromformerForMultipleChoice<float>>("choice-nystrom", 1);
    const int kind = source.ConsumeIntegral<std::uint8_t>() % 16;
    switch (kind) {
        case 0:
            return check_head(source, masked);
        case 1:
            return check_head(source, classes);
        case 2:
            return check_head(source, tokens);
        case 3:
            return check_head(source, answers);
        case 4:
            return check_head(source, choices);
        default:
            check_bare(source, kind >= 13);  // threads cost more than what they compute here
    }
}

constexpr Target all[] = {{"forward", forward}};

}  // namespace

std::span<const Target> targets() { return all; }

}  // namespace nystromformer::fuzz
