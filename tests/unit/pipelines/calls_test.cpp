// SPDX-License-Identifier: MIT
// How programs call the public classes: what does not compile, what is refused, and handles whose
// contents were moved away.
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

#include <nystromformer/nystromformer.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace calls_test {

namespace nf = nystromformer;

namespace {

const std::filesystem::path models = NYSTROMFORMER_MODELS;
const std::filesystem::path small = models / "nystromformer-small-en";

// The message of the error that `call` throws.
template <typename Call>
std::string error_of(const Call& call) {
    try {
        call();
    } catch (const nf::InputError& error) {
        return error.what();
    }
    return "no error";
}

}  // namespace

// std::string{"a", "b"} takes the two texts for the ends of one.
template <typename T>
concept TakesTwoBraces = requires(const T& call) {
    call.batch({{"a", "b"}});
};
template <typename T>
concept TakesOneBrace = requires(const T& call) {
    call.batch({"a", "b"});
};
static_assert(!TakesTwoBraces<nf::FillMaskPipeline> && TakesOneBrace<nf::FillMaskPipeline>);
static_assert(!TakesTwoBraces<nf::FeatureExtractionPipeline>);
static_assert(TakesOneBrace<nf::FeatureExtractionPipeline>);
static_assert(!TakesTwoBraces<nf::TokenClassificationPipeline>);
static_assert(TakesOneBrace<nf::TokenClassificationPipeline>);
static_assert(!TakesTwoBraces<nf::SentenceEmbeddingPipeline>);
static_assert(TakesOneBrace<nf::SentenceEmbeddingPipeline>);
template <typename T>
concept TakesLabelsInTwoBraces = requires(const T& call) {
    call("text", {{"a", "b"}});
};
template <typename T>
concept TakesLabels = requires(const T& call) {
    call("text", {"a", "b"});
};
static_assert(!TakesLabelsInTwoBraces<nf::ZeroShotClassificationPipeline>);
static_assert(TakesLabels<nf::ZeroShotClassificationPipeline>);
static_assert(!TakesLabelsInTwoBraces<nf::RerankPipeline> && TakesLabels<nf::RerankPipeline>);
static_assert(!TakesLabelsInTwoBraces<nf::MultipleChoicePipeline>);
static_assert(TakesLabels<nf::MultipleChoicePipeline>);

// Bytes of a file: an array of bytes and a literal have a length, a pointer has none.
static_assert(std::constructible_from<nf::FileBytes, const unsigned char (&)[4]>);
static_assert(std::constructible_from<nf::FileBytes, const std::array<unsigned char, 4>&>);
static_assert(!std::constructible_from<nf::FileBytes, const char*>);
static_assert(!std::constructible_from<nf::FileBytes, std::string>);
template <typename Bytes>
concept ParsedAs = requires(Bytes (*bytes)()) {
    nf::SafetensorsFile::parse(bytes(), "file");
};
static_assert(!ParsedAs<std::vector<std::byte>> && ParsedAs<std::span<const std::byte>>);

// A row of embeddings that are gone at once.
template <typename T>
concept HasRow = requires(T embeddings) {
    static_cast<T>(embeddings).row(0);
};
static_assert(HasRow<nf::Embeddings&> && !HasRow<nf::Embeddings&&>);

static_assert(requires(const nf::TextClassificationPipeline& classify,
                       const std::array<std::string, 2>& texts) { classify.batch(texts); });

// 0 is a number, not a null pointer.
static_assert(requires(const nf::StateDict& state) { state["layer"][0]; });
static_assert(requires(const nf::StateWriter& writer) { writer["layer"][0]; });

TEST_CASE("a literal in memory ends before its NUL, and an array of bytes is taken whole",
          "[calls]") {
    static const unsigned char bytes[] = {'{', 0, '}'};
    CHECK(nf::FileBytes("{}").view() == "{}");
    CHECK(nf::FileBytes(bytes).view() == std::string_view("{\0}", 3));
}

TEST_CASE("a pipeline and an index whose contents were moved away still answer", "[calls]") {
    nf::FillMaskPipeline fill_mask(small);
    const auto other = std::move(fill_mask);
    CHECK(fill_mask("A [MASK].").size() == other("A [MASK].").size());
    nf::SemanticIndex index(nf::Embeddings{1, 2, {1, 2}});
    const auto moved = std::move(index);
    CHECK(index.rows() == moved.rows());
    CHECK(index.search({1.0f, 2.0f}).size() == 1);
}

TEST_CASE("landmarks are refused where the config makes attention exact", "[calls]") {
    const auto model = nf::NystromformerModel<>::from_pretrained(small);
    const auto input = nf::ModelInput<>::stacked({{2, 5, 6, 3}});
    REQUIRE(model.config().uses_exact_attention());
    CHECK(error_of([&] { (void)model(input, {.num_landmarks = 2}); }) ==
          "num_landmarks: expected 0 or attention \"nystrom\": the config's is exact, found 2");
    (void)model(input, {.attention = nf::Attention::nystrom, .num_landmarks = 2});
    const nf::FillMaskPipeline fill_mask(small);
    CHECK_THROWS_AS(fill_mask.check({.run = {.num_landmarks = 2}}), nf::InputError);
    fill_mask.check({.run = {.attention = nf::Attention::exact, .num_landmarks = 2}});
    fill_mask.check({.run = {.attention = nf::Attention::nystrom, .num_landmarks = 2}});
}

TEST_CASE("a model tells a sequence that is too long from a bad one", "[calls]") {
    const auto model = nf::NystromformerModel<>::from_pretrained(small);
    const auto length = static_cast<std::size_t>(model.config().max_length()) + 1;
    const auto input = nf::ModelInput<>::stacked({{5}, std::vector<std::int64_t>(length, 5)});
    try {
        (void)model(input);
        FAIL("no error");
    } catch (const nf::LengthError& error) {
        CHECK(error.tokens() == length);
        CHECK(error.limit() == length - 1);
        CHECK(error.input() == std::optional<std::size_t>(1));
    }
}

TEST_CASE("an input of ids takes encodings after them", "[calls]") {
    const auto model = nf::NystromformerModel<>::from_pretrained(small);
    const auto tokenizer = nf::Tokenizer::from_pretrained(small);
    const auto encoding = tokenizer.encode("A garden.");
    auto input = nf::ModelInput<>::stacked({encoding.ids});
    input.append(encoding);
    const auto states = model(input).last_hidden_state;
    const auto rows = static_cast<nf::Index>(encoding.ids.size());
    REQUIRE(states.rows() == 2 * rows);
    CHECK(states.topRows(rows) == states.bottomRows(rows));
    CHECK(model.states_at(input, {0, rows}).last_hidden_state.rows() == 2);
}

TEST_CASE("encodings with and without type ids and masks mix in any order", "[calls]") {
    const auto model = nf::NystromformerModel<>::from_pretrained(small);
    const auto tokenizer = nf::Tokenizer::from_pretrained(small);
    const nf::Encoding whole = tokenizer.encode("A garden.", "A door.");
    nf::Encoding bare;
    bare.ids = {2, 5, 3};
    nf::Encoding padded = bare;
    padded.attention_mask = {1, 1, 0};
    const auto states = [&](const std::vector<nf::Encoding>& encodings) {
        return model(nf::ModelInput<>::of_encodings(encodings)).last_hidden_state;
    };
    const auto alone = states({bare});
    CHECK(states({whole, bare}).bottomRows(3) == alone);
    CHECK(states({bare, whole}).topRows(3) == alone);
    CHECK(states({padded, bare, whole}).middleRows(3, 3) == alone);
    CHECK(states({whole, bare, padded}).bottomRows(3) == states({padded}));

    nf::Encoding uneven = bare;
    uneven.type_ids = {0, 0};
    CHECK(error_of([&] {
              (void)states({whole, uneven});
          }) ==
          "encoding: expected 3 values in attention_mask and type_ids, one for each id, found 2");

    nf::ModelInput<> without_offsets;
    without_offsets.input_ids = {2, 5, 3};
    CHECK(error_of([&] { without_offsets.append(whole); }) ==
          "offsets: expected the ends of the sequences in input_ids, found nothing");
}

TEST_CASE("classes and numbers for one loss are refused", "[calls]") {
    using Model = nf::NystromformerForSequenceClassification<>;
    const auto model = Model::from_pretrained(models / "nystromformer-small-en-sentiment");
    auto input = nf::ModelInput<>::stacked({{2, 5, 3}});
    input.labels = {1};
    CHECK(model(input).loss > 0);
    input.float_labels = {0, 1, 0};
    CHECK(error_of([&] { (void)model(input); }) ==
          "labels: expected labels or float_labels, found both");
}

TEST_CASE("a model that cannot be saved leaves no folder", "[calls]") {
    const auto model =
        nf::NystromformerModel<>::from_pretrained(small, {.precision = nf::Precision::bf16});
    const TemporaryFolder folder;
    const auto target = folder.path / "copy";
    CHECK_THROWS_AS(model.save_pretrained(target), nf::UnsupportedError);
    CHECK_FALSE(std::filesystem::exists(target));
}

template <typename Function>
concept TakesTwoTexts = requires(Function function) {
    function({"a", "b"});
};
template <typename Tokenizer>
concept EncodesTwoTexts = requires(Tokenizer tokenizer) {
    tokenizer.encode({"a", "b"});
};
template <typename Function>
concept TakesTwoTextsAndLabels = requires(Function function) {
    function({"a", "b"}, {std::string("c")});
};

TEST_CASE("two texts in braces are not one text between two pointers", "[calls]") {
    STATIC_REQUIRE_FALSE(TakesTwoTexts<nf::FillMaskPipeline>);
    STATIC_REQUIRE_FALSE(TakesTwoTexts<nf::TextClassificationPipeline>);
    STATIC_REQUIRE_FALSE(TakesTwoTexts<nf::TokenClassificationPipeline>);
    STATIC_REQUIRE_FALSE(TakesTwoTexts<nf::FeatureExtractionPipeline>);
    STATIC_REQUIRE_FALSE(TakesTwoTexts<nf::SentenceEmbeddingPipeline>);
    STATIC_REQUIRE_FALSE(TakesTwoTextsAndLabels<nf::ZeroShotClassificationPipeline>);
    STATIC_REQUIRE_FALSE(EncodesTwoTexts<nf::Tokenizer>);
    const auto tokenizer = nf::Tokenizer::from_pretrained(small);
    const char text[] = "A door, and more";
    CHECK(tokenizer.encode({text, 6}).ids == tokenizer.encode("A door").ids);
}

TEST_CASE("an array of chars is a file of all its bytes, unless it is a text", "[calls]") {
    static constexpr char bytes[] = {'{', '}'};
    CHECK(nf::FileBytes(bytes).view() == "{}");
    CHECK(nf::FileBytes("{}").view() == "{}");
    STATIC_REQUIRE_FALSE(std::is_constructible_v<nf::FileBytes, char(&)[3]>);
}

template <typename Handle>
concept GivesModel = requires(Handle handle) {
    std::forward<Handle>(handle).model();
};
template <typename Handle>
concept GivesTensors = requires(Handle handle) {
    std::forward<Handle>(handle).tensors();
};
template <typename Handle>
concept GivesThreads = requires(Handle handle) {
    std::forward<Handle>(handle).threads();
};

TEST_CASE("nothing that a temporary owns is given away by reference", "[calls]") {
    STATIC_REQUIRE(GivesModel<nf::FillMaskPipeline&>);
    STATIC_REQUIRE_FALSE(GivesModel<nf::FillMaskPipeline>);
    STATIC_REQUIRE(GivesTensors<const nf::Checkpoint&>);
    STATIC_REQUIRE_FALSE(GivesTensors<nf::Checkpoint>);
    STATIC_REQUIRE_FALSE(GivesTensors<nf::SafetensorsFile>);
    STATIC_REQUIRE(GivesThreads<const nf::NystromformerModel<>&>);
    STATIC_REQUIRE_FALSE(GivesThreads<nf::NystromformerModel<>>);
    using Model = nf::NystromformerModel<>;
    STATIC_REQUIRE(
        std::is_same_v<decltype(std::declval<Model>().config()), nf::NystromformerConfig>);
    STATIC_REQUIRE(std::is_same_v<decltype(std::declval<nf::Tokenizer>().mask_token()),
                                  std::optional<std::string>>);
    CHECK(nf::Tokenizer::from_pretrained(small).mask_token() == "[MASK]");
    CHECK(Model::from_pretrained(small).config().vocab_size == 8192);
    CHECK(Model::from_pretrained(small).unused_tensors().size() > 0);
}

TEST_CASE("the states of no rows are none", "[calls]") {
    const auto model = nf::NystromformerModel<>::from_pretrained(small);
    const auto input = nf::ModelInput<>::stacked({{2, 5, 3}});
    const auto output = model.states_at(input, {}, {.output_hidden_states = true});
    CHECK(output.last_hidden_state.rows() == 0);
    CHECK(output.last_hidden_state.cols() == model.config().hidden_size);
    CHECK(output.hidden_states.back().rows() == 3);
}

TEST_CASE("the masks of an encoding are those of an input", "[calls]") {
    const auto encoding = nf::Tokenizer::from_pretrained(small).encode("A garden.");
    nf::ModelInput<> input;
    input.attention_mask = encoding.attention_mask;
    CHECK(input.attention_mask == std::vector<std::int64_t>(encoding.ids.size(), 1));
}

TEST_CASE("options that would do nothing are refused", "[calls]") {
    const auto pool = std::make_shared<nf::ThreadPool>(1);
    CHECK(error_of([&] {
              nf::FillMaskPipeline(small, {.num_threads = 3, .threads = pool});
          }).starts_with("num_threads: expected 0 beside a pool"));
    const nf::SentenceEmbeddingPipeline embed(small, {.num_threads = 1});
    CHECK(error_of([&] { embed.check({.prompt = "a", .prompt_name = "query"}); }) ==
          "prompt_name: expected a prompt or a prompt_name, found both");
}

TEST_CASE("pipelines on one encoder make embeddings that others of its folder may search",
          "[calls]") {
    const auto model = nf::NystromformerModel<>::from_pretrained(small);
    const nf::SentenceEmbeddingPipeline shared(model, nf::Tokenizer::from_pretrained(small));
    const nf::SentenceEmbeddingPipeline loaded(small);
    const nf::SentenceEmbeddingPipeline foreign(models / "nystromformer-small-en-tags");
    const nf::SemanticIndex index(shared.batch({"A garden."}));
    CHECK(index.fingerprint() == loaded.batch({"The sea."}).fingerprint);
    CHECK(index.search(loaded.batch({"The sea."})).size() == 1);
    CHECK(index.fingerprint() == loaded.fingerprint());
    CHECK_THROWS_AS(index.search(foreign.batch({"The sea."})), nf::InputError);
    CHECK(nf::NystromformerForMaskedLM<>::from_pretrained(small).base_model().fingerprint() ==
          model.fingerprint());
}

TEST_CASE("an index with rows of an unknown model has no fingerprint", "[calls]") {
    const nf::Embeddings unknown{1, 2, {1, 2}}, known{1, 2, {1, 2}, 7};
    CHECK(nf::SemanticIndex(unknown).append(known).fingerprint() == 0);
    CHECK(nf::SemanticIndex(known).append(unknown).fingerprint() == 0);
    CHECK(nf::SemanticIndex(known).append(known).fingerprint() == 7);
    CHECK(nf::SemanticIndex(nf::Embeddings{0, 2}).append(known).fingerprint() == 7);
    CHECK(nf::SemanticIndex(nf::Embeddings{}).append(known).search({1, 2}).size() == 1);
}

TEST_CASE("zero-shot classification says that no label means entailment", "[calls]") {
    std::vector<std::string> notices;
    nf::LoadOptions options;
    options.on_notice = [&](const nf::Notice& notice) { notices.push_back(notice.place); };
    const nf::ZeroShotClassificationPipeline zero_shot(models / "nystromformer-small-en-sentiment",
                                                       options);
    CHECK_FALSE(zero_shot.entailment_id());
    CHECK(std::find(notices.begin(), notices.end(), "/label2id") != notices.end());
    notices.clear();
    const nf::ZeroShotClassificationPipeline shared(zero_shot.model(), zero_shot.tokenizer(),
                                                    options.on_notice);
    CHECK(notices == std::vector<std::string>{"/label2id"});
}

TEST_CASE("the answers of a text in JSON are a list", "[calls]") {
    const nf::FillMaskPipeline fill_mask(small);
    const std::string json = nf::to_json(fill_mask("A [MASK].", {.top_k = 2}));
    CHECK(json.starts_with("[{\"score\":"));
    CHECK(json.ends_with("}]"));
}

}  // namespace calls_test
