// SPDX-License-Identifier: MIT
// Parity with Hugging Face: every case of tests/reference/data, in double and in float.
#include "support/catch.hpp"
#include "support/library.hpp"

#include <nystromformer/core/finite.hpp>
#include <nystromformer/nystromformer.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace parity_test {

namespace nf = nystromformer;
using nf::Index;
using nf::Matrix;

namespace {

const std::filesystem::path data =
    std::filesystem::path(NYSTROMFORMER_TEST_DATA) / "reference" / "data";

/// Relative to the largest number of the expected tensor, or to 1.
template <typename Scalar>
constexpr double tolerance = std::is_same_v<Scalar, double> ? 1e-9 : 3e-4;

/// One case: the options of the call, the input and the expected tensors.
class Case {
public:
    explicit Case(const nf::detail::Json& entry)
        : entry_(entry), file_(nf::SafetensorsFile::open(data / text("file"))) {}

    std::string text(const char* key) const { return entry_.at(key).get<std::string>(); }
    std::filesystem::path model() const { return data / "models" / text("model"); }

    nf::ForwardOptions options() const {
        nf::ForwardOptions options;
        if (text("attention") == "exact") options.attention = nf::Attention::exact;
        if (text("attention") == "nystrom") options.attention = nf::Attention::nystrom;
        if (text("inverse") == "batch") options.inverse = nf::InverseInit::batch;
        if (text("inverse") == "sequence") options.inverse = nf::InverseInit::sequence;
        if (text("inverse") == "matrix") options.inverse = nf::InverseInit::matrix;
        options.num_landmarks = std::stol(text("num_landmarks"));
        options.inverse_iterations = std::stol(text("inverse_iterations"));
        options.output_hidden_states = true;
        options.output_attentions = true;
        return options;
    }

    template <typename Scalar>
    nf::ModelInput<Scalar> input() const {
        nf::ModelInput<Scalar> input;
        const bool embeds = file_.find("input.inputs_embeds") != nullptr;
        auto shape = file_.find(embeds ? "input.inputs_embeds" : "input.input_ids")->shape;
        if (embeds) {
            const Index hidden = shape.back();
            shape.pop_back();
            input.inputs_embeds = tensor<Scalar>("input.inputs_embeds", hidden);
        }
        input.input_ids = integers("input.input_ids");
        input.num_choices = shape.size() == 3 ? shape[1] : 1;
        const Index sequences = shape.size() == 3 ? shape[0] * shape[1] : shape[0];
        input.offsets = nf::ModelInput<Scalar>::equal_offsets(sequences, shape.back());
        input.attention_mask = integers("input.attention_mask");
        input.token_type_ids = integers("input.token_type_ids");
        input.position_ids = integers("input.position_ids");
        input.labels = integers("input.labels");
        input.start_positions = integers("input.start_positions");
        input.end_positions = integers("input.end_positions");
        if (const auto* labels = file_.find("input.float_labels")) {
            input.float_labels.resize(static_cast<std::size_t>(labels->size()));
            nf::convert(*labels, input.float_labels.data());
        }
        return input;
    }

    /// Compares `found` with expected.NAME where that is stored; counts what it compared.
    template <typename Scalar>
    void check(const std::string& name, const Matrix<Scalar>& found) {
        const auto* expected = file_.find("expected." + name);
        if (expected == nullptr) return;
        REQUIRE(expected->size() == found.size());
        std::vector<double> numbers(static_cast<std::size_t>(found.size()));
        nf::convert(*expected, numbers.data());
        double largest = 1, error = 0;
        for (Index i = 0; i < found.size(); ++i) {
            const double number = numbers[static_cast<std::size_t>(i)];
            // With -Ofast std::isnan is false for every number.
            if (nf::detail::is_nan(number) && nf::detail::is_nan(found.data()[i])) continue;
            const double difference = std::abs(static_cast<double>(found.data()[i]) - number);
            largest = std::max(largest, std::abs(number));
            if (!(difference <= error)) error = difference;  // NaN is kept
        }
        INFO(name << " differs by " << error << " of " << largest);
        CHECK(error <= tolerance<Scalar> * largest);
        ++compared_;
    }
    template <typename Scalar>
    void check(const std::string& name, const std::optional<double>& found) {
        if (file_.find("expected." + name) == nullptr) return;
        REQUIRE(found);
        check<Scalar>(name, Matrix<Scalar>::Constant(1, 1, static_cast<Scalar>(*found)));
    }
    /// hidden_states.i, and attentions.i stacked as (sequences, heads, n, m).
    template <typename Scalar>
    void check_report(const nf::EncoderReport<Scalar>& report) {
        for (std::size_t i = 0; i < report.hidden_states.size(); ++i) {
            check("hidden_states." + std::to_string(i), report.hidden_states[i]);
        }
        for (std::size_t i = 0; i < report.attentions.size(); ++i) {
            check("attentions." + std::to_string(i), stacked(report.attentions[i]));
        }
    }

    template <typename Scalar>
    static Matrix<Scalar> stacked(const std::vector<Matrix<Scalar>>& parts) {
        Matrix<Scalar> all(0, parts.front().cols());
        for (const auto& part : parts) {
            all.conservativeResize(all.rows() + part.rows(), Eigen::NoChange);
            all.bottomRows(part.rows()) = part;
        }
        return all;
    }

    template <typename Scalar>
    Matrix<Scalar> tensor(const std::string& name, Index cols) const {
        const auto* view = file_.find(name);
        REQUIRE(view);
        Matrix<Scalar> result(view->size() / cols, cols);
        nf::convert(*view, result.data());
        return result;
    }
    bool has(const std::string& name) const { return file_.find(name) != nullptr; }
    const std::vector<Index>& shape(const std::string& name) const {
        return file_.find(name)->shape;
    }
    int compared() const { return compared_; }

private:
    std::vector<std::int64_t> integers(const std::string& name) const {
        const auto* view = file_.find(name);
        return view == nullptr ? std::vector<std::int64_t>{} : nf::to_int64(*view);
    }

    const nf::detail::Json& entry_;
    nf::SafetensorsFile file_;
    int compared_ = 0;
};

template <typename Model, typename Scalar, typename Check>
void run(Case& item, const Check& check) {
    const auto model = Model::from_pretrained(item.model(), {.num_threads = 2});
    const auto output = model(item.input<Scalar>(), item.options());
    item.check_report(output);
    check(output);
    CHECK(item.compared() > 0);
}

template <typename Scalar>
void run_head(Case& item) {
    const std::string head = item.text("head");
    const auto check_logits = [&](const auto& output) {
        item.check("logits", output.logits);
        item.check<Scalar>("loss", output.loss);
    };
    if (head == "model") {
        run<nf::NystromformerModel<Scalar>, Scalar>(item, [&](const auto& output) {
            item.check("last_hidden_state", output.last_hidden_state);
        });
    } else if (head == "masked-lm") {
        run<nf::NystromformerForMaskedLM<Scalar>, Scalar>(item, check_logits);
    } else if (head == "sequence-classification") {
        run<nf::NystromformerForSequenceClassification<Scalar>, Scalar>(item, check_logits);
    } else if (head == "multiple-choice") {
        run<nf::NystromformerForMultipleChoice<Scalar>, Scalar>(item, check_logits);
    } else if (head == "token-classification") {
        run<nf::NystromformerForTokenClassification<Scalar>, Scalar>(item, check_logits);
    } else {
        REQUIRE(head == "question-answering");
        run<nf::NystromformerForQuestionAnswering<Scalar>, Scalar>(item, [&](const auto& output) {
            item.check("start_logits", output.start_logits);
            item.check("end_logits", output.end_logits);
            item.check<Scalar>("loss", output.loss);
        });
    }
}

nf::detail::Json all_cases() {
    return nf::detail::read_json_file(data / "cases.json", 1 << 20).value["cases"];
}

}  // namespace

TEMPLATE_TEST_CASE("every output of every reference case equals Hugging Face's", "[parity]", double,
                   float) {
    const auto cases = all_cases();
    CHECK(cases.size() >= 60);
    for (const auto& entry : cases) {
        Case item(entry);
        INFO(item.text("file") << ": " << item.text("about"));
        run_head<TestType>(item);
    }
}

namespace {

/// The slice of matrix `part` of a stored (batch, heads, rows, cols) tensor.
template <typename Scalar>
Matrix<Scalar> slice(const Case& item, const std::string& name, Index part) {
    const auto& shape = item.shape(name);
    const Index rows = shape[shape.size() - 2], cols = shape.back();
    return item.tensor<Scalar>(name, cols).middleRows(part * rows, rows);
}

template <typename Scalar>
void check_close(const std::string& name, const Matrix<Scalar>& found,
                 const Matrix<Scalar>& expected) {
    REQUIRE(found.rows() == expected.rows());
    REQUIRE(found.cols() == expected.cols());
    const double error = static_cast<double>((found - expected).cwiseAbs().maxCoeff());
    INFO(name << " differs by " << error);
    CHECK(error <=
          tolerance<Scalar> * std::max(1.0, static_cast<double>(expected.cwiseAbs().maxCoeff())));
}

/// Each stage of the Nystrom form from the stored result of the stage before: the first wrong one
/// is named.
template <typename Scalar>
void check_nystrom_stages(const Case& item, Index part, Index iterations,
                          nf::detail::KeyMask key_mask) {
    namespace detail = nf::detail;
    auto stored = [&](const std::string& name) {
        return slice<Scalar>(item, "expected." + name, part);
    };
    const Matrix<Scalar> q = stored("q"), k = stored("k"), v = stored("v");
    const Matrix<Scalar> q_landmarks = stored("q_landmarks"), k_landmarks = stored("k_landmarks");
    detail::Scratch scratch;
    const auto m = q_landmarks.rows();
    const auto means = scratch.rows<Scalar>(m, q.cols());
    detail::segment_means<Scalar>(q, means);
    check_close<Scalar>("q_landmarks", means.map(), q_landmarks);
    detail::segment_means<Scalar>(k, means);
    check_close<Scalar>("k_landmarks", means.map(), k_landmarks);
    auto check_kernel = [&](const char* name, const Matrix<Scalar>& from, const Matrix<Scalar>& to,
                            detail::KeyMask mask) {
        const auto kernel = scratch.rows<Scalar>(from.rows(), to.rows());
        detail::softmax_kernel<Scalar>(from, to, 1, mask, kernel);
        check_close<Scalar>(name, kernel.map(), stored(name));
    };
    check_kernel("kernel_1", q, k_landmarks, {});
    check_kernel("kernel_2", q_landmarks, k_landmarks, {});
    check_kernel("kernel_3", q_landmarks, k, key_mask);
    const Matrix<Scalar> kernel_2 = stored("kernel_2");
    for (Index i = 0; i < iterations; ++i) {
        const auto z = scratch.rows<Scalar>(m, m);
        z.map() = stored("inverse." + std::to_string(i));
        detail::inverse_step<Scalar>(kernel_2, z);
        check_close<Scalar>("inverse", z.map(), stored("inverse." + std::to_string(i + 1)));
    }
    const Matrix<Scalar> context =
        stored("kernel_1") *
        (stored("inverse." + std::to_string(iterations)) * (stored("kernel_3") * v));
    check_close("context", context, stored("context"));
}

template <typename Scalar>
void check_head_stages(const Case& item, const nf::NystromformerConfig& config,
                       const Matrix<Scalar>& conv) {
    const auto& shape = item.shape("expected.q");  // (batch, heads, n, d)
    const auto mask = item.input<Scalar>().attention_mask;
    for (Index part = 0; part < shape[0] * shape[1]; ++part) {
        nf::detail::KeyMask key_mask = mask;
        if (!mask.empty()) {
            key_mask = key_mask.subspan(static_cast<std::size_t>(part / shape[1] * shape[2]),
                                        static_cast<std::size_t>(shape[2]));
        }
        if (item.has("expected.kernel_2")) {
            check_nystrom_stages<Scalar>(item, part, item.options().inverse_iterations, key_mask);
        } else {
            const auto q = slice<Scalar>(item, "expected.q", part);
            const auto k = slice<Scalar>(item, "expected.k", part);
            const auto v = slice<Scalar>(item, "expected.v", part);
            nf::detail::Scratch scratch;
            const auto context = scratch.rows<Scalar>(q.rows(), v.cols());
            nf::detail::exact_attention<Scalar>(q, k, v, 1, key_mask, context);
            check_close<Scalar>("context", context.map(),
                                slice<Scalar>(item, "expected.context", part));
        }
        if (!config.conv_kernel_size) continue;
        const auto v = slice<Scalar>(item, "expected.v", part);
        nf::detail::Scratch scratch;
        const auto convolved = scratch.rows<Scalar>(v.rows(), v.cols());
        convolved.map().setZero();
        nf::detail::add_depthwise_convolution(nf::detail::pack<Scalar>(v, scratch),
                                              conv.row(part % shape[1]).data(), conv.cols(), 0,
                                              convolved);
        check_close<Scalar>("convolution", convolved.map(),
                            slice<Scalar>(item, "expected.convolution", part));
    }
}

/// Layer 0 from the stored embeddings on, component by component.
template <typename Scalar>
void check_layer_stages(const Case& item) {
    const auto config = nf::NystromformerConfig::from_pretrained(item.model());
    const nf::detail::WeightLoader state(nf::Checkpoint::open(item.model()), {},
                                         std::make_shared<nf::ThreadPool>(1));
    const auto body = nf::detail::NystromformerBody<Scalar>::load(state, config);
    const auto& layer = body.encoder.layer.front();
    const auto input = item.input<Scalar>();
    nf::ThreadPool threads(2);
    const auto plan =
        nf::detail::resolve(item.options(), config, input.offsets, input.attention_mask, threads);
    auto stored = [&](const char* name) {
        return item.tensor<Scalar>(name, item.shape(name).back());
    };
    const auto embeddings = stored("expected.embeddings");
    Matrix<Scalar> sums(embeddings.rows(), embeddings.cols());
    body.embeddings(input, plan, sums);
    check_close("embeddings", sums, embeddings);
    const auto attended = stored("expected.attention_output");
    Matrix<Scalar> found = embeddings;
    layer.attention(found, plan);
    check_close("attention_output", found, attended);
    const auto wide = stored("expected.intermediate");
    nf::detail::Scratch scratch;
    check_close<Scalar>("intermediate", layer.intermediate(attended, threads, scratch).map(), wide);
    found = attended;
    layer.output(wide, found, threads);
    check_close("layer_output", found, stored("expected.layer_output"));
    check_head_stages(item, config, layer.attention.self.conv);
}

}  // namespace

TEMPLATE_TEST_CASE("every stage of layer 0 equals Hugging Face's, each from the one before",
                   "[parity]", double, float) {
    int with_stages = 0;
    for (const auto& entry : all_cases()) {
        const Case item(entry);
        if (!item.has("expected.q")) continue;
        INFO(item.text("file") << ": " << item.text("about"));
        check_layer_stages<TestType>(item);
        ++with_stages;
    }
    CHECK(with_stages >= 10);
}

}  // namespace parity_test
