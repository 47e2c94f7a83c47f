// SPDX-License-Identifier: MIT
// NaN, infinity and denormals: they stay in their own sequence, are reported on request, and cost
// no time; the caller's floating-point mode stays as it was.
#include "support/catch.hpp"
#include "support/library.hpp"

#include <nystromformer/nystromformer.hpp>
#include "checkpoint/bytes.hpp"

#include <nystromformer/core/float_mode.hpp>
#include <nystromformer/models.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <functional>
#include <limits>
#include <string>
#include <vector>

namespace numbers_test {

namespace nf = nystromformer;
namespace fs = std::filesystem;
using nf::testing::TemporaryFolder;

namespace {

const fs::path bundled = fs::path(NYSTROMFORMER_MODELS) / "nystromformer-small-en";
const fs::path tiny = fs::path(NYSTROMFORMER_TEST_DATA) / "reference" / "sentences" / "dense";
constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();

/// A folder whose weights are those of `from`, in F32, after `change(name, values)`.
class ChangedFolder {
public:
    ChangedFolder(const fs::path& from,
                  const std::function<void(const std::string&, std::vector<float>&)>& change) {
        fs::copy_file(from / "config.json", folder_ / "config.json");
        const auto file = nf::SafetensorsFile::open(from / "model.safetensors");
        std::vector<std::vector<float>> values;
        std::vector<nf::TensorView> tensors;
        for (const nf::TensorView& tensor : file.tensors()) {
            values.emplace_back(static_cast<std::size_t>(tensor.size()));
            nf::convert(tensor, values.back().data());
            change(tensor.name, values.back());
            const auto* bytes = reinterpret_cast<const std::byte*>(values.back().data());
            tensors.push_back(
                {tensor.name, nf::DType::f32, tensor.shape, {bytes, values.back().size() * 4}, {}});
        }
        nf::save_safetensors(folder_ / "model.safetensors", tensors);
    }
    const fs::path& path() const { return folder_.path(); }

private:
    TemporaryFolder folder_;
};

/// Three sequences of 7, 20 and 12 rows.
nf::ModelInput<float> embeddings() {
    nf::ModelInput<float> input;
    input.offsets = {0, 7, 27, 39};
    input.inputs_embeds.resize(39, 8);
    for (nf::Index i = 0; i < input.inputs_embeds.size(); ++i)
        input.inputs_embeds.data()[i] = static_cast<float>((i * 7919) % 101) / 50 - 1;
    return input;
}

const std::vector<nf::ForwardOptions>& ways() {
    using nf::Attention;
    using nf::InverseInit;
    static const std::vector<nf::ForwardOptions> options{
        {.attention = Attention::exact},
        {.attention = Attention::nystrom, .num_landmarks = 4, .inverse = InverseInit::sequence},
        {.attention = Attention::nystrom, .num_landmarks = 4, .inverse = InverseInit::matrix},
        {.attention = Attention::nystrom, .num_landmarks = 8, .inverse = InverseInit::sequence}};
    return options;
}

/// Equal to the bit.
bool same(const nf::Matrix<float>& a, const nf::Matrix<float>& b) {
    return a.rows() == b.rows() && a.cols() == b.cols() &&
           std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * 4) == 0;
}

std::string message_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const nf::NumericError& error) {
        return std::string("NumericError ") + error.what();
    } catch (const nf::TensorError& error) {
        return std::string("TensorError ") + error.what();
    }
    return "none";
}

}  // namespace

TEST_CASE("NaN and infinity in a sequence's embeddings stay in it", "[numbers]") {
    for (const auto precision : {nf::Precision::fp32, nf::Precision::bf16, nf::Precision::int8}) {
        const auto model = nf::NystromformerModel<float>::from_pretrained(
            tiny, {.num_threads = 2, .precision = precision});
        const auto input = embeddings();
        for (const nf::ForwardOptions& options : ways()) {
            const auto expected = model(input, options).last_hidden_state;
            REQUIRE(expected.allFinite());
            for (const float value : {not_a_number, infinity, -infinity, 3e38f}) {
                for (const nf::Index row : {7, 15, 26}) {
                    auto wrong = input;
                    wrong.inputs_embeds(row, 3) = value;
                    const auto found = model(wrong, options).last_hidden_state;
                    CHECK(same(found.topRows(7), expected.topRows(7)));
                    CHECK(same(found.bottomRows(12), expected.bottomRows(12)));
                    if (!std::isfinite(value)) CHECK(std::isnan(found(row, 0)));
                }
            }
        }
    }
}

TEST_CASE("NaN in the embedding of one id stays in the sequences that have it", "[numbers]") {
    const ChangedFolder folder(tiny, [](const std::string& name, std::vector<float>& values) {
        if (name == "embeddings.word_embeddings.weight") values[100 * 8 + 2] = not_a_number;
    });
    const auto good = nf::NystromformerModel<float>::from_pretrained(tiny, {.num_threads = 1});
    const auto bad =
        nf::NystromformerModel<float>::from_pretrained(folder.path(), {.num_threads = 1});
    const auto input = nf::ModelInput<float>::stacked({{5, 6, 7, 8, 9}, {5, 100, 7}, {99, 101}});
    for (const nf::ForwardOptions& options : ways()) {
        const auto expected = good(input, options).last_hidden_state;
        const auto found = bad(input, options).last_hidden_state;
        CHECK(same(found.topRows(5), expected.topRows(5)));
        CHECK(same(found.bottomRows(2), expected.bottomRows(2)));
        CHECK(std::isnan(found(6, 0)));
    }
}

TEST_CASE("sequences that are masked altogether have finite states", "[numbers]") {
    const auto model = nf::NystromformerModel<float>::from_pretrained(tiny, {.num_threads = 2});
    auto input = embeddings();
    input.attention_mask.assign(39, 0);
    for (const nf::ForwardOptions& options : ways()) {
        CHECK(model(input, options).last_hidden_state.allFinite());
        input.attention_mask[38] = 1;
        CHECK(model(input, options).last_hidden_state.allFinite());
        input.attention_mask[38] = 0;
    }
}

TEST_CASE("weights that are NaN or infinite are reported on request, with tensor and element",
          "[numbers]") {
    const auto file = nf::SafetensorsFile::open(tiny / "model.safetensors");
    for (const float value : {not_a_number, infinity, -infinity}) {
        for (const nf::TensorView& tensor : file.tensors()) {
            if (tensor.name.find("pooler") != std::string::npos) continue;  // not used
            INFO(tensor.name);
            const auto last = static_cast<std::size_t>(tensor.size() - 1);
            const ChangedFolder folder(tiny, [&](const std::string& name, std::vector<float>& all) {
                if (name == tensor.name) all[last] = value;
            });
            const auto load = [&](bool check) {
                return nf::NystromformerModel<float>::from_pretrained(
                    folder.path(), {.num_threads = 1, .check_finite = check});
            };
            CHECK_NOTHROW(load(false));
            const std::string message = message_of([&] { load(true); });
            CHECK(message.starts_with("TensorError " + folder.path().string()));
            CHECK(message.find("\"" + tensor.name + "\" element " + std::to_string(last) + ":") !=
                  std::string::npos);
        }
    }
    CHECK_NOTHROW(nf::NystromformerModel<float>::from_pretrained(tiny, {.check_finite = true}));
}

TEST_CASE("states that are not finite are reported on request, with layer, sequence and row",
          "[numbers]") {
    const auto model = nf::NystromformerModel<float>::from_pretrained(tiny, {.num_threads = 1});
    auto input = embeddings();
    for (nf::ForwardOptions options : ways()) {
        options.check_finite = true;
        CHECK(same(model(embeddings(), options).last_hidden_state, [&] {
            options.check_finite = false;
            return model(embeddings(), options).last_hidden_state;
        }()));
        options.check_finite = true;
        input.inputs_embeds(20, 3) = not_a_number;
        const std::string message = message_of([&] { (void)model(input, options); });
        CHECK(message.starts_with("NumericError embeddings sequence 1 row 13: "));
        const std::vector<nf::Index> rows{30};
        CHECK(message_of([&] { (void)model.states_at(input, rows, options); }) == message);
    }
    const ChangedFolder folder(tiny, [](const std::string& name, std::vector<float>& values) {
        if (name == "encoder.layer.0.output.LayerNorm.bias") values[2] = infinity;
    });
    const auto bad =
        nf::NystromformerModel<float>::from_pretrained(folder.path(), {.num_threads = 1});
    CHECK(message_of([&] {
              (void)bad(embeddings(), {.check_finite = true});
          }).starts_with("NumericError layer 0 sequence 0 row 0: "));
    const std::vector<nf::Index> rows{30};
    CHECK(message_of([&] {
              (void)bad.states_at(embeddings(), rows, {.check_finite = true});
          }).starts_with("NumericError layer 0 sequence 2 row 3: "));
}

TEST_CASE("an inverse that diverges is reported on request, with layer and head", "[numbers]") {
    const auto model = nf::NystromformerModel<float>::from_pretrained(tiny, {.num_threads = 1});
    // Rows that differ in their last bits: kernel_2 has eigenvalues below the rounding errors of 1,
    // which grow with each step.
    nf::ModelInput<float> input;
    input.offsets = {0, 5, 45};
    input.position_ids.assign(45, 4);
    input.inputs_embeds.resize(45, 8);
    for (nf::Index i = 0; i < 45; ++i) {
        for (nf::Index k = 0; k < 8; ++k) {
            const auto noise = static_cast<float>((i * 7919 + k * 104729) % 101);
            input.inputs_embeds(i, k) = static_cast<float>(k % 3) - 1 + 1e-6f * noise;
        }
    }
    nf::ForwardOptions options{
        .attention = nf::Attention::nystrom, .num_landmarks = 8, .inverse_iterations = 1000};
    CHECK(message_of([&] { (void)model(input, options); }) == "none");
    options.check_finite = true;
    const std::string message = message_of([&] { (void)model(input, options); });
    INFO(message);
    CHECK(message.starts_with("NumericError layer 0 sequence 1 head "));
    CHECK(message.find("expected an inverse with a residual of at most 5.6") != std::string::npos);
    options.inverse_iterations = 6;
    CHECK(message_of([&] { (void)model(input, options); }) == "none");
}

TEST_CASE("the caller's floating-point mode is kept, and used by every thread of a loop",
          "[numbers]") {
    using nf::detail::float_mode;
    const auto mode = [] { return float_mode() & ~nf::detail::float_flags; };
    const auto before = mode();
    const auto model = nf::NystromformerModel<float>::from_pretrained(tiny, {.num_threads = 2});
    (void)model(embeddings());
    CHECK(mode() == before);
    auto wrong = embeddings();
    wrong.offsets.back() = 40;
    CHECK_THROWS_AS(model(wrong), nf::InputError);
    wrong = embeddings();
    wrong.inputs_embeds(0, 0) = not_a_number;
    CHECK_THROWS_AS(model(wrong, {.check_finite = true}), nf::NumericError);
    CHECK(mode() == before);
    nf::ThreadPool threads(3);
    for (const bool flush : {true, false}) {
        const nf::detail::FloatModeScope scope(flush ? before | nf::detail::flush_denormals
                                                     : before);
        const auto own = mode();
        std::vector<int> equal(64, 0);
        threads.parallel_for(
            64, [&](nf::Index i) { equal[static_cast<std::size_t>(i)] = mode() == own; });
        CHECK(equal == std::vector<int>(64, 1));
    }
    CHECK(mode() == before);
}

namespace {

/// The bundled model with states of 1e-39 from the first norm to the last.
ChangedFolder denormal_model() {
    return ChangedFolder(bundled, [](const std::string& name, std::vector<float>& values) {
        const bool norm = name.ends_with("LayerNorm.weight"), bias = name.ends_with("bias");
        for (float& value : values) value = norm ? 1e-39f : bias ? 0.0f : value;
    });
}

nf::ModelInput<float> three_hundred_ids() {
    std::vector<std::int64_t> ids(300);
    for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::int64_t>(i * 31 % 8000);
    return nf::ModelInput<float>::stacked({ids});
}

}  // namespace

TEST_CASE("no state of a forward pass is a denormal", "[numbers]") {
    if (nf::detail::flush_denormals == 0) return;  // a CPU without the flag
    const ChangedFolder folder = denormal_model();
    const auto model =
        nf::NystromformerModel<float>::from_pretrained(folder.path(), {.num_threads = 3});
    for (const auto attention : {nf::Attention::exact, nf::Attention::nystrom}) {
        const auto output =
            model(three_hundred_ids(), {.attention = attention, .output_hidden_states = true});
        REQUIRE(output.hidden_states.size() > 2);
        for (const auto& states : output.hidden_states) CHECK((states.array() == 0).all());
        CHECK((output.last_hidden_state.array() == 0).all());
    }
}

#if defined(CLOCK_THREAD_CPUTIME_ID)
// Not among the tests that are run without a name: it compares times, which a busy machine blurs.
TEST_CASE("denormals do not slow a forward pass by more than 2 x", "[.][time]") {
    const ChangedFolder folder = denormal_model();
    const auto input = three_hundred_ids();
    const auto load = [](const fs::path& path) {
        return nf::NystromformerForMaskedLM<float>::from_pretrained(path, {.num_threads = 1});
    };
    const auto good = load(bundled), slow = load(folder.path());
    const std::vector<nf::Index> rows{3};
    const auto seconds = [&](const auto& model, const nf::ForwardOptions& options) {
        timespec begin{}, end{};
        ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
        (void)model.logits_at(input, rows, options);
        ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
        return static_cast<double>(end.tv_sec - begin.tv_sec) +
               1e-9 * static_cast<double>(end.tv_nsec - begin.tv_nsec);
    };
    for (const auto attention : {nf::Attention::exact, nf::Attention::nystrom}) {
        double least_good = 1e9, least_slow = 1e9;
        for (int round = 0; round < 5; ++round) {
            least_good = std::min(least_good, seconds(good, {.attention = attention}));
            least_slow = std::min(least_slow, seconds(slow, {.attention = attention}));
        }
        INFO(least_slow << " s with denormals, " << least_good << " s without");
        CHECK(least_slow < 2 * least_good);
    }
}
#endif

}  // namespace numbers_test
