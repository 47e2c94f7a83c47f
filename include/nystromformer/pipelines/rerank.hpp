// SPDX-License-Identifier: MIT
// RerankPipeline's body: logits of pairs to scores, and the order of the texts.
#pragma once

#include <nystromformer/checkpoint.hpp>
#include <nystromformer/config.hpp>
#include <nystromformer/core/embeddings.hpp>
#include <nystromformer/core/mode.hpp>
#include <nystromformer/core/names.hpp>
#include <nystromformer/embeddings.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/models.hpp>
#include <nystromformer/pipelines/bad_inputs.hpp>
#include <nystromformer/pipelines/batches.hpp>
#include <nystromformer/pipelines/scores.hpp>
#include <nystromformer/pipelines/sentence/dense_activation.hpp>
#include <nystromformer/pipelines/sentence/rerank_folder.hpp>
#include <nystromformer/pipelines/text_model.hpp>
#include <nystromformer/pipelines/windows.hpp>
#include <nystromformer/rerank.hpp>
#include <nystromformer/tokenizer.hpp>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2 {

namespace detail {
inline constexpr auto rerank_activation_names = enum_names<RerankActivation>("identity", "sigmoid");
}  // namespace detail

struct RerankPipeline::Body : detail::TextModel<NystromformerForSequenceClassification<float>> {
    detail::RerankFolder folder;
    Index max_length;

    Body(const std::filesystem::path& root, const LoadOptions& options)
        : Body(detail::RerankFolder::load(root, detail::file_options(options)), options) {}
    Body(detail::RerankFolder files, const LoadOptions& options)
        : Body(files, load_model(files.model, options),
               Tokenizer::from_pretrained(files.model, files.limits.do_lower_case,
                                          detail::file_options(options))) {}
    Body(detail::RerankFolder files, const NystromformerForSequenceClassification<float>& loaded,
         const Tokenizer& own)
        : TextModel(loaded, own),
          folder(std::move(files)),
          max_length(std::min(config().max_length(),
                              folder.limits.max_seq_length.value_or(TextModel::max_length()))) {}

    /// A folder that names no class for scores has one, as in sentence-transformers.
    static NystromformerForSequenceClassification<float> load_model(
        const std::filesystem::path& folder, const LoadOptions& options) {
        const FileOptions files = detail::file_options(options);
        auto config = NystromformerConfig::from_pretrained(folder, files);
        const auto& names = config.architectures;
        const bool is_named = std::any_of(names.begin(), names.end(), [](const std::string& name) {
            return name.ends_with("ForSequenceClassification");
        });
        if (!is_named) {
            config.num_labels = 1;
            config.id2label = {{0, "LABEL_0"}};
        }
        return NystromformerForSequenceClassification<float>::from_checkpoint(
            config, Checkpoint::open(folder, files), options);
    }

    /// The logits of the pairs of each input: those of input i are the rows from first_pair[i].
    /// `text(i, k)` is the k-th text of input i, `query(i)` its query.
    template <typename Query, typename Text>
    Matrix<float> scores(const std::vector<std::size_t>& first_pair, const RerankOptions& options,
                         const Query& query, const Text& text) const {
        const std::string prompt = prompt_of(options);
        const auto encode = [&](std::size_t i, std::size_t k, const LongText& long_text) {
            const std::string first = prompt + query(i);
            const auto strategy = long_text.stride ? TruncationStrategy::only_second
                                                   : TruncationStrategy::longest_first;
            return windows_of(
                {.text = first, .pair = text(i, k), .number = i, .strategy = strategy}, long_text,
                options.max_length.value_or(max_length));
        };
        Matrix<float> logits =
            pair_logits(first_pair, config().num_labels, options.long_text, options.run, encode);
        return activated(std::move(logits), options);
    }

    /// LengthError for a pair of more than `length` tokens that is neither cut nor split.
    std::vector<Encoding> windows_of(const detail::TextInput& input, const LongText& long_text,
                                     Index length) const {
        std::vector<Encoding> windows = encode_all(input, long_text, length);
        if (const Index tokens = windows.front().size(); tokens > length) {
            throw LengthError({"", "",
                               "at most " + std::to_string(length) +
                                   " tokens of query and text (truncation cuts, stride reads in "
                                   "windows)",
                               std::to_string(tokens), input.number},
                              static_cast<std::size_t>(tokens), static_cast<std::size_t>(length));
        }
        return windows;
    }

    /// Source: CrossEncoder._inference
    Matrix<float> activated(Matrix<float> x, const RerankOptions& options) const {
        const detail::DenseFunction* function = folder.activation;
        if (options.activation_fn || function == nullptr) {
            const bool is_sigmoid = options.activation_fn.value_or(
                                        config().num_labels == 1 ? RerankActivation::sigmoid
                                                                 : RerankActivation::identity) ==
                                    RerankActivation::sigmoid;
            function = is_sigmoid ? &detail::dense_functions[5] : &detail::dense_functions[0];
        }
        x = detail::applied(*function, std::move(x));
        if (!options.apply_softmax || x.cols() == 1) return x;
        for (Index i = 0; i < x.rows(); ++i) {
            RowVector<float> row = x.row(i);
            detail::softmax_row(row);
            x.row(i) = row;
        }
        return x;
    }

    /// InputError if options are out of range or against each other.
    void check(const RerankOptions& options) const {
        detail::check_options(options.run, config());
        const Index most = config().max_length();
        const Index length = options.max_length.value_or(max_length);
        if (length < 1 || length > most)
            throw InputError(
                {"", "max_length", "1 to " + std::to_string(most), std::to_string(length)});
        detail::check_long_text(options.long_text, length, tokenizer);
        if (options.top_k.value_or(1) < 1)
            throw InputError({"", "top_k", "at least 1", std::to_string(*options.top_k)});
        prompt_of(options);
    }
    /// InputError for a model that cannot rank.
    void check_ranks(const RerankOptions& options) const {
        check(options);
        if (config().num_labels == 1) return;
        throw InputError({"", "model",
                          "one label, whose score is the relevance (predict and text "
                          "classification take several)",
                          std::to_string(config().num_labels)});
    }

    std::string prompt_of(const RerankOptions& options) const {
        if (options.prompt) return *options.prompt;
        return detail::prompt_named(
            folder.prompts, options.prompt_name ? options.prompt_name : folder.default_prompt_name);
    }

    std::vector<std::vector<RerankAnswer>> batch(std::span<const RerankInput> inputs,
                                                 const RerankOptions& options) const {
        check_ranks(options);
        std::vector<std::size_t> first_pair{0};
        for (const RerankInput& input : inputs)
            first_pair.push_back(first_pair.back() + input.texts.size());
        const Matrix<float> rows = scores(
            first_pair, options,
            [&](std::size_t i) -> const std::string& { return inputs[i].query; },
            [&](std::size_t i, std::size_t k) -> const std::string& { return inputs[i].texts[k]; });
        std::vector<std::vector<RerankAnswer>> results(inputs.size());
        for (std::size_t i = 0; i < inputs.size(); ++i) {
            for (std::size_t k = 0; k < inputs[i].texts.size(); ++k) {
                results[i].push_back(
                    {static_cast<Index>(k),
                     static_cast<double>(rows(static_cast<Index>(first_pair[i] + k), 0))});
            }
            sort(results[i], options);
        }
        return results;
    }

    /// The first pair of each of `count` inputs that have one.
    static std::vector<std::size_t> one_pair_each(std::size_t count) {
        std::vector<std::size_t> first_pair(count + 1);
        std::iota(first_pair.begin(), first_pair.end(), std::size_t{0});
        return first_pair;
    }

    /// The texts in order. With on_error those that have no score are left out.
    std::vector<RerankAnswer> rank(const std::string& query, const std::vector<std::string>& texts,
                                   const RerankOptions& options) const {
        check_ranks(options);
        std::vector<bool> is_bad(texts.size());
        RerankOptions reported = options;
        if (options.run.on_error) {
            reported.run.on_error = [&](const InputError& error) {
                is_bad[*error.input()] = true;
                options.run.on_error(error);
            };
        }
        const auto score_some = [&](std::span<const std::string> some, const RerankOptions& part) {
            return scores(
                one_pair_each(some.size()), part,
                [&](std::size_t) -> const std::string& { return query; },
                [&](std::size_t i, std::size_t) -> const std::string& { return some[i]; });
        };
        const Embeddings rows =
            detail::rows_apart(std::span<const std::string>(texts), reported, 1, score_some);
        std::vector<RerankAnswer> answers;
        for (std::size_t i = 0; i < texts.size(); ++i)
            if (!is_bad[i])
                answers.push_back({static_cast<Index>(i), static_cast<double>(rows.values[i])});
        sort(answers, options);
        return answers;
    }
    /// The most relevant first, as many as top_k says.
    static void sort(std::vector<RerankAnswer>& answers, const RerankOptions& options) {
        std::stable_sort(answers.begin(), answers.end(),
                         [](const auto& a, const auto& b) { return a.score > b.score; });
        const auto count = static_cast<std::size_t>(options.top_k.value_or(0));
        if (options.top_k && count < answers.size()) answers.resize(count);
    }

    Matrix<float> predict(std::span<const RerankPair> pairs, const RerankOptions& options) const {
        check(options);
        return scores(
            one_pair_each(pairs.size()), options,
            [&](std::size_t i) -> const std::string& { return pairs[i].query; },
            [&](std::size_t i, std::size_t) -> const std::string& { return pairs[i].text; });
    }
};

NYSTROMFORMER_INLINE std::string_view name(RerankActivation activation) {
    return detail::rerank_activation_names[activation];
}
NYSTROMFORMER_INLINE std::optional<RerankActivation> rerank_activation_named(
    std::string_view name) {
    return detail::rerank_activation_names.find(name);
}

NYSTROMFORMER_INLINE RerankPipeline::RerankPipeline(const std::filesystem::path& folder,
                                                    const LoadOptions& options)
    : body_(std::make_shared<const Body>(folder, options)) {}
NYSTROMFORMER_INLINE RerankPipeline::RerankPipeline(
    const NystromformerForSequenceClassification<float>& model, const Tokenizer& tokenizer)
    : body_(std::make_shared<const Body>(detail::RerankFolder{}, model, tokenizer)) {}

NYSTROMFORMER_INLINE std::vector<RerankAnswer> RerankPipeline::operator()(
    std::string_view query, std::vector<std::string> texts, const RerankOptions& options) const {
    return body_->rank(std::string(query), texts, options);
}
NYSTROMFORMER_INLINE std::vector<std::vector<RerankAnswer>> RerankPipeline::batch(
    std::span<const RerankInput> inputs, const RerankOptions& options) const {
    return detail::answer_apart<std::vector<RerankAnswer>>(
        inputs, options, [&](auto some, const auto& part) { return body_->batch(some, part); });
}
NYSTROMFORMER_INLINE Embeddings RerankPipeline::predict(std::span<const RerankPair> pairs,
                                                        const RerankOptions& options) const {
    return detail::rows_apart(
        pairs, options, body_->config().num_labels,
        [&](auto some, const auto& part) { return body_->predict(some, part); });
}
NYSTROMFORMER_INLINE void RerankPipeline::check(const RerankOptions& options) const {
    body_->check(options);
}
NYSTROMFORMER_INLINE Index RerankPipeline::max_length() const { return body_->max_length; }
NYSTROMFORMER_INLINE const std::map<std::string, std::string>& RerankPipeline::prompts() const& {
    return body_->folder.prompts;
}
NYSTROMFORMER_INLINE const NystromformerForSequenceClassification<float>& RerankPipeline::model()
    const& {
    return body_->model;
}
NYSTROMFORMER_INLINE const Tokenizer& RerankPipeline::tokenizer() const& {
    return body_->tokenizer;
}

}  // namespace nystromformer::inline v0_2
