// SPDX-License-Identifier: MIT
// The model classes as a user meets them: stacked texts, threads, options, errors, saving.
#include "support/catch.hpp"
#include "support/library.hpp"
#include "support/temporary_folder.hpp"

#include <nystromformer/nystromformer.hpp>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace model_test {

namespace nf = nystromformer;
using nf::Index;
using nf::Matrix;

namespace {

const std::filesystem::path models =
    std::filesystem::path(NYSTROMFORMER_TEST_DATA) / "reference" / "data" / "models";

const std::filesystem::path bundled =
    std::filesystem::path(NYSTROMFORMER_MODELS) / "nystromformer-small-en";

std::vector<std::vector<std::int64_t>> random_texts(const std::vector<Index>& lengths,
                                                    Index vocab_size, unsigned seed) {
    std::mt19937 generator(seed);
    std::uniform_int_distribution<std::int64_t> id(0, vocab_size - 1);
    std::vector<std::vector<std::int64_t>> texts;
    for (const Index length : lengths) {
        auto& text = texts.emplace_back(static_cast<std::size_t>(length));
        for (auto& token : text) token = id(generator);
    }
    return texts;
}

void write(const std::filesystem::path& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
}

}  // namespace

TEMPLATE_TEST_CASE(
    "stacked texts give bit for bit the answer of each text alone, on any number of threads",
    "[model]", float, double) {
    for (const char* folder : {"bare-nystrom", "bare-deep"}) {
        for (const auto attention : {nf::Attention::exact, nf::Attention::nystrom}) {
            const nf::ForwardOptions options{
                .attention = attention, .num_landmarks = 4, .inverse = nf::InverseInit::sequence};
            const auto one = nf::NystromformerModel<TestType>::from_pretrained(models / folder,
                                                                               {.num_threads = 1});
            const auto three = nf::NystromformerModel<TestType>::from_pretrained(
                models / folder, {.num_threads = 3});
            const Index most = one.config().max_position_embeddings;
            const std::vector<Index> lengths{1, 5, most, 3, 4, most - 1, 17 < most ? 17 : most};
            const auto texts = random_texts(lengths, one.config().vocab_size, 1);
            const auto input = nf::ModelInput<TestType>::stacked(texts);
            const auto all = one(input, options).last_hidden_state;
            CHECK(three(input, options).last_hidden_state == all);
            for (std::size_t i = 0; i < texts.size(); ++i) {
                const auto alone =
                    three(nf::ModelInput<TestType>::stacked({texts[i]}), options).last_hidden_state;
                CHECK(alone == all.middleRows(input.offsets[i], alone.rows()));
            }
        }
    }
}

TEST_CASE("a const model answers several threads at once as it answers one", "[model][threads]") {
    const auto model = nf::NystromformerForMaskedLM<float>::from_pretrained(models / "mlm-nystrom",
                                                                            {.num_threads = 2});
    const auto input =
        nf::ModelInput<float>::stacked(random_texts({20, 7, 64}, model.config().vocab_size, 2));
    const auto expected = model(input).logits;
    std::vector<std::thread> callers;
    std::vector<int> same(8);
    for (std::size_t i = 0; i < same.size(); ++i) {
        callers.emplace_back([&, i] {
            for (int round = 0; round < 10; ++round) same[i] += model(input).logits == expected;
        });
    }
    for (auto& caller : callers) caller.join();
    for (const int count : same) CHECK(count == 10);
}

TEST_CASE("padding with a mask reaches the answer through the convolution only, as in Hugging Face",
          "[model]") {
    const auto model =
        nf::NystromformerModel<double>::from_pretrained(models / "bare-deep", {.num_threads = 1});
    const auto texts = random_texts({6}, model.config().vocab_size, 3);
    auto padded = texts.front();
    padded.resize(9, 0);
    auto input = nf::ModelInput<double>::batch(padded, 1, 9);
    input.attention_mask = {1, 1, 1, 1, 1, 1, 0, 0, 0};
    const Matrix<double> masked = model(input).last_hidden_state;
    input.attention_mask.assign(9, 1);
    CHECK_FALSE(masked == model(input).last_hidden_state);
    CHECK(masked.allFinite());
    input.attention_mask.assign(9, 0);
    CHECK(model(input).last_hidden_state.allFinite());
}

TEST_CASE("hidden states, attentions and residuals are built only where they are asked for",
          "[model]") {
    const auto model = nf::NystromformerModel<double>::from_pretrained(models / "bare-nystrom",
                                                                       {.num_threads = 1});
    const auto& config = model.config();
    const auto input = nf::ModelInput<double>::stacked(random_texts({64, 5}, config.vocab_size, 4));
    const auto plain = model(input);
    CHECK(plain.hidden_states.empty());
    CHECK(plain.attentions.empty());
    CHECK(plain.nystrom_factors.empty());
    CHECK(plain.inverse_residuals.empty());
    const auto full = model(input, {.output_hidden_states = true,
                                    .output_attentions = true,
                                    .output_nystrom_factors = true,
                                    .output_inverse_residuals = true});
    CHECK(full.last_hidden_state == plain.last_hidden_state);
    const auto layers = static_cast<std::size_t>(config.num_hidden_layers);
    const auto heads = static_cast<std::size_t>(config.num_attention_heads);
    REQUIRE(full.hidden_states.size() == layers + 1);
    CHECK(full.hidden_states.back() == full.last_hidden_state);
    REQUIRE(full.attentions.size() == layers);
    REQUIRE(full.attentions[0].size() == 2 * heads);
    CHECK(full.attentions[0][0].rows() == 64);
    CHECK(full.attentions[0][0].cols() == config.num_landmarks);
    CHECK(full.attentions[0][heads].cols() == 5);  // the short text runs exact attention
    REQUIRE(full.nystrom_factors.size() == layers);
    REQUIRE(full.nystrom_factors[0].size() == 2 * heads);
    const auto& factors = full.nystrom_factors[0][0];
    CHECK((factors.kernel_1 * factors.inverse - full.attentions[0][0]).cwiseAbs().maxCoeff() <
          1e-12);
    CHECK((factors.kernel_3.rowwise().sum().array() - 1).abs().maxCoeff() < 1e-12);
    CHECK(factors.approximation().rows() == 64);
    CHECK(factors.approximation().cols() == 64);
    CHECK(full.nystrom_factors[0][heads].kernel_1.size() == 0);
    REQUIRE(full.inverse_residuals.size() == layers);
    CHECK(full.inverse_residuals[0][0] > 0);
    CHECK(full.inverse_residuals[0][heads] == 0);
}

TEST_CASE("the batch start of the inverse looks at the whole batch, the others do not", "[model]") {
    const auto model = nf::NystromformerModel<double>::from_pretrained(models / "bare-nystrom",
                                                                       {.num_threads = 2});
    const auto texts = random_texts({64, 60}, model.config().vocab_size, 5);
    const auto both = nf::ModelInput<double>::stacked(texts);
    for (const auto inverse :
         {nf::InverseInit::batch, nf::InverseInit::sequence, nf::InverseInit::matrix}) {
        const auto together = model(both, {.inverse = inverse}).last_hidden_state;
        bool same = true;
        for (std::size_t i = 0; i < 2; ++i) {
            const auto alone =
                model(nf::ModelInput<double>::stacked({texts[i]}), {.inverse = inverse})
                    .last_hidden_state;
            same = same && alone == together.middleRows(both.offsets[i], alone.rows());
        }
        CHECK(same == (inverse != nf::InverseInit::batch));
    }
}

TEST_CASE("NaN in one sequence's embeddings stays there", "[model]") {
    const auto model =
        nf::NystromformerModel<float>::from_pretrained(models / "bare-deep", {.num_threads = 2});
    nf::ModelInput<float> input;
    input.offsets = {0, 4, 9};
    input.inputs_embeds = Matrix<float>::Random(9, model.config().hidden_size);
    const Matrix<float> clean = model(input).last_hidden_state;
    input.inputs_embeds(2, 0) = std::numeric_limits<float>::quiet_NaN();
    const Matrix<float> dirty = model(input).last_hidden_state;
    CHECK(dirty.topRows(4).hasNaN());
    CHECK(dirty.bottomRows(5) == clean.bottomRows(5));
}

namespace {

template <typename Change>
void check_input_error(const char* place, const Change& change) {
    static const auto model = nf::NystromformerForMaskedLM<float>::from_pretrained(
        models / "mlm-exact", {.num_threads = 1});
    auto input = nf::ModelInput<float>::batch({1, 2, 3, 4, 5, 6}, 2, 3);
    nf::ForwardOptions options;
    change(input, options, model.config());
    try {
        (void)model(input, options);
        FAIL("accepted, wanted an error at " << place);
    } catch (const nf::InputError& error) {
        INFO(error.what());
        CHECK(error.place() == place);
        CHECK_FALSE(error.expected().empty());
        CHECK_FALSE(error.found().empty());
    }
}

}  // namespace

TEST_CASE("an input that does not fit is an error with its place before anything is read",
          "[model]") {
    using Input = nf::ModelInput<float>;
    using Options = nf::ForwardOptions;
    using Config = nf::NystromformerConfig;
    auto check = [](const char* place, auto change) { check_input_error(place, change); };
    check("input_ids[0][1]",
          [](Input& input, Options&, const Config&) { input.input_ids[1] = -1; });
    check("input_ids[1][2]",
          [](Input& input, Options&, const Config& c) { input.input_ids[5] = c.vocab_size; });
    check("input_ids[1][0]",
          [](Input& input, Options&, const Config&) { input.input_ids[3] = INT64_MIN; });
    check("token_type_ids[1][0]", [](Input& input, Options&, const Config& c) {
        input.token_type_ids.assign(6, 0);
        input.token_type_ids[3] = c.type_vocab_size;
    });
    check("position_ids[0][2]", [](Input& input, Options&, const Config& c) {
        input.position_ids.assign(6, 1);
        input.position_ids[2] = c.max_position_embeddings + 2;
    });
    check("attention_mask[0][0]",
          [](Input& input, Options&, const Config&) { input.attention_mask = {2, 1, 1, 1, 1, 1}; });
    check("attention_mask", [](Input& input, Options&, const Config&) {
        input.attention_mask = {1, 1};
    });
    check("token_type_ids",
          [](Input& input, Options&, const Config&) { input.token_type_ids = {0}; });
    check("input_ids", [](Input& input, Options&, const Config&) { input.input_ids.pop_back(); });
    check("input", [](Input& input, Options&, const Config& c) {
        input.inputs_embeds = Matrix<float>::Zero(6, c.hidden_size);
    });
    check("inputs_embeds", [](Input& input, Options&, const Config& c) {
        input.input_ids.clear();
        input.inputs_embeds = Matrix<float>::Zero(6, c.hidden_size + 1);
    });
    check("offsets", [](Input& input, Options&, const Config&) { input.offsets.clear(); });
    check("offsets", [](Input& input, Options&, const Config&) { input.offsets = {1, 6}; });
    check("offsets[1]", [](Input& input, Options&, const Config&) { input.offsets = {0, 0, 6}; });
    check("offsets[2]", [](Input& input, Options&, const Config&) { input.offsets = {0, 6, 3}; });
    check("", [](Input& input, Options&, const Config& c) {
        const auto n = c.max_position_embeddings + 1;
        input = Input::batch(std::vector<std::int64_t>(static_cast<std::size_t>(n), 1), 1, n);
    });
    check("labels", [](Input& input, Options&, const Config&) { input.labels = {1}; });
    check("labels[2]",
          [](Input& input, Options&, const Config&) { input.labels = {1, 1, -3, 1, 1, 1}; });
    check("labels", [](Input& input, Options&, const Config&) { input.float_labels = {0.5}; });
    check("start_positions",
          [](Input& input, Options&, const Config&) { input.start_positions = {0}; });
    check("end_positions",
          [](Input& input, Options&, const Config&) { input.end_positions = {0}; });
    check("inputs_embeds", [](Input& input, Options&, const Config&) {
        input.input_ids.clear();
        input.inputs_embeds = Matrix<float>::Zero(6, 0);
    });
    check("num_landmarks",
          [](Input&, Options& options, const Config&) { options.num_landmarks = -1; });
    check("inverse_iterations",
          [](Input&, Options& options, const Config&) { options.inverse_iterations = -1; });
    CHECK_THROWS_AS(Input::equal_offsets(-1, 3), nf::InputError);
    CHECK_THROWS_AS(Input::equal_offsets(std::numeric_limits<Index>::max(), 2), nf::InputError);
    // A file of no bytes can tell of that many empty sequences.
    CHECK_THROWS_AS(Input::equal_offsets(Index{1} << 60, 0), nf::InputError);
}

TEST_CASE("an empty batch gives an empty answer", "[model]") {
    const auto model = nf::NystromformerForMaskedLM<float>::from_pretrained(models / "mlm-exact");
    const auto output = model(nf::ModelInput<float>::batch({}, 0, 7));
    CHECK(output.logits.rows() == 0);
    CHECK(output.logits.cols() == model.config().vocab_size);
    const auto answers = nf::NystromformerForQuestionAnswering<float>::from_pretrained(
        models / "answer-exact")(nf::ModelInput<float>::batch({}, 0, 7));
    CHECK(answers.end_logits.rows() == 0);
    CHECK(answers.end_logits.cols() == 1);
}

TEST_CASE("states_at gives rows of all states and refuses rows that are none", "[model]") {
    const auto model = nf::NystromformerModel<float>::from_pretrained(models / "bare-nystrom");
    const auto input = nf::ModelInput<float>::batch({1, 2, 3, 4, 5, 6}, 2, 3);
    const std::vector<Index> rows{5, 0}, late{6}, early{0, -1};
    const auto all = model(input).last_hidden_state;
    const auto some = model.states_at(input, rows).last_hidden_state;
    CHECK(some.row(0) == all.row(5));
    CHECK(some.row(1) == all.row(0));
    CHECK_THROWS_AS(model.states_at(input, late), nf::InputError);
    CHECK_THROWS_AS(model.states_at(input, early), nf::InputError);
    CHECK_THROWS_AS(model.states_at({}, rows), nf::InputError);
}

TEST_CASE("a model that was copied or moved from is still the model", "[model]") {
    auto model = nf::NystromformerModel<float>::from_pretrained(models / "bare-nystrom");
    const auto copy = model;
    const auto moved = std::move(model);
    CHECK(&moved.config() == &model.config());  // NOLINT: what is under test
    CHECK(&copy.config() == &model.config());
    auto checkpoint = nf::Checkpoint::open(models / "bare-nystrom");
    const auto other = std::move(checkpoint);
    CHECK(other.find("absent") == checkpoint.find("absent"));
    CHECK(&other.tensors() == &checkpoint.tensors());
}

TEST_CASE("base_model of a head is the encoder in the same checkpoint", "[model]") {
    const auto folder = models / "mlm-exact";
    const auto model = nf::NystromformerForMaskedLM<double>::from_pretrained(folder);
    const auto encoder = nf::NystromformerModel<double>::from_pretrained(folder);
    const auto input =
        nf::ModelInput<double>::stacked(random_texts({9, 4}, encoder.config().vocab_size, 5));
    const auto base = model.base_model();
    CHECK(base(input).last_hidden_state == encoder(input).last_hidden_state);
    CHECK(&base.threads() == &model.threads());
}

TEST_CASE("logits_at gives the rows of the full logits", "[model]") {
    const auto model = nf::NystromformerForMaskedLM<float>::from_pretrained(models / "mlm-exact");
    const auto input = nf::ModelInput<float>::batch({1, 2, 3, 4, 5, 6}, 2, 3);
    const auto all = model(input).logits;
    const auto some = model.logits_at(input, {5, 0});
    CHECK(some.row(0) == all.row(5));
    CHECK(some.row(1) == all.row(0));
    CHECK_THROWS_AS(model.logits_at(input, {6}), nf::InputError);
    CHECK_THROWS_AS(model.logits_at(input, {-1}), nf::InputError);
}

TEMPLATE_TEST_CASE("heads that need some rows give the same bits as with all of them", "[model]",
                   float, double) {
    // Asking for hidden states makes the last layer compute every row.
    for (const auto attention : {nf::Attention::exact, nf::Attention::nystrom}) {
        const nf::ForwardOptions some{.attention = attention, .num_landmarks = 4},
            all{.attention = attention, .num_landmarks = 4, .output_hidden_states = true};
        const auto classifier =
            nf::NystromformerForSequenceClassification<TestType>::from_pretrained(
                models / "sequence-single");
        const auto input = nf::ModelInput<TestType>::stacked(
            random_texts({3, 17, 1, 16}, classifier.config().vocab_size, 9));
        CHECK(classifier(input, some).logits == classifier(input, all).logits);
        const auto masked =
            nf::NystromformerForMaskedLM<TestType>::from_pretrained(models / "mlm-exact");
        CHECK(masked.logits_at(input, {20, 3, 3, 36}, some) ==
              masked.logits_at(input, {20, 3, 3, 36}, all));
        CHECK(masked.logits_at(input, {}, some).rows() == 0);
        nf::ModelInput<TestType> wrong = input;
        wrong.offsets.clear();
        CHECK_THROWS_AS(classifier(wrong, some), nf::InputError);
        CHECK_THROWS_AS(masked.logits_at(wrong, {0}, some), nf::InputError);
    }
}

TEST_CASE("an output that is used again holds the answers of the last call alone", "[model]") {
    const auto model = nf::NystromformerModel<float>::from_pretrained(models / "bare-nystrom");
    const auto texts = random_texts({16, 5}, model.config().vocab_size, 11);
    const auto first = nf::ModelInput<float>::stacked({texts[0]});
    const auto second = nf::ModelInput<float>::stacked({texts[1]});
    nf::BaseModelOutput<float> output;
    model(first, {.output_hidden_states = true, .output_attentions = true}, output);
    model(second, {}, output);
    CHECK(output.last_hidden_state == model(second).last_hidden_state);
    CHECK(output.hidden_states.empty());
    CHECK(output.attentions.empty());
}

TEST_CASE("more threads than heads give the same bits", "[model]") {
    auto load = [](Index threads) {
        return nf::NystromformerModel<float>::from_pretrained(bundled, {.num_threads = threads});
    };
    const auto one = load(1), many = load(40);
    for (const auto attention : {nf::Attention::exact, nf::Attention::nystrom}) {
        const auto input =
            nf::ModelInput<float>::stacked(random_texts({400}, one.config().vocab_size, 12));
        const nf::ForwardOptions options{.attention = attention};
        CHECK(one(input, options).last_hidden_state == many(input, options).last_hidden_state);
    }
}

TEST_CASE("save_pretrained is read back to the same answers, tied or not", "[model]") {
    for (const char* folder :
         {"mlm-exact", "mlm-untied", "mlm-legacy", "mlm-decoder-only", "mlm-both-sides"}) {
        INFO(folder);
        const TemporaryFolder saved;
        const auto model = nf::NystromformerForMaskedLM<double>::from_pretrained(models / folder);
        model.save_pretrained(saved.path / "new");
        const auto again = nf::NystromformerForMaskedLM<double>::from_pretrained(saved.path / "new",
                                                                                 {.strict = true});
        CHECK(again.unused_tensors().empty());
        const auto input =
            nf::ModelInput<double>::stacked(random_texts({9}, model.config().vocab_size, 6));
        CHECK(again(input).logits == model(input).logits);
        CHECK(again.config().architectures == std::vector<std::string>{"NystromformerForMaskedLM"});
    }
}

TEST_CASE("tensors of another head are reported, and refused where strict", "[model]") {
    const auto model = nf::NystromformerModel<float>::from_pretrained(models / "mlm-exact");
    REQUIRE_FALSE(model.unused_tensors().empty());
    for (const auto& name : model.unused_tensors()) CHECK(name.rfind("cls.predictions.", 0) == 0);
    CHECK_THROWS_AS(
        nf::NystromformerModel<float>::from_pretrained(models / "mlm-exact", {.strict = true}),
        nf::TensorError);
}

TEST_CASE("a missing or misshapen tensor is an error with its name, expected and found",
          "[model]") {
    try {
        (void)nf::NystromformerForTokenClassification<float>::from_pretrained(models / "mlm-exact");
        FAIL("accepted");
    } catch (const nf::TensorError& error) {
        INFO(error.what());
        CHECK(error.place().find("classifier.weight") != std::string::npos);
    }
    const TemporaryFolder changed;
    nf::NystromformerForMaskedLM<float>::from_pretrained(models / "mlm-exact")
        .save_pretrained(changed.path);
    auto config = nf::NystromformerConfig::from_pretrained(changed.path);
    config.intermediate_size += 1;
    write(changed.path / "config.json", config.to_json());
    try {
        (void)nf::NystromformerForMaskedLM<float>::from_pretrained(changed.path);
        FAIL("accepted");
    } catch (const nf::TensorError& error) {
        INFO(error.what());
        CHECK(error.place().find("encoder.layer.0.intermediate.dense.weight") != std::string::npos);
        CHECK(error.expected().find(std::to_string(config.intermediate_size)) != std::string::npos);
        CHECK(error.found().find(std::to_string(config.intermediate_size - 1)) !=
              std::string::npos);
    }
}

}  // namespace model_test
