// SPDX-License-Identifier: MIT
// The library as a WebAssembly module: one function, a line of JSON in and a line of JSON out. The
// worker of the page, and Node in the tests, write the models into Emscripten's file system first.
#include <nystromformer/answers_json.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/fill_mask.hpp>
#include <nystromformer/semantic_search.hpp>
#include <nystromformer/sentence_embedding.hpp>
#include <nystromformer/text_classification.hpp>
#include <nystromformer/token_classification.hpp>
#include <nystromformer/version.hpp>

#include <nlohmann/json.hpp>

#include <emscripten/emscripten.h>

#include "commands/attention/attention_picture.hpp"

#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace {

namespace nf = nystromformer;
using Json = nlohmann::json;

/// What has been loaded.
struct Models {
    std::optional<nf::FillMaskPipeline> fill_mask;
    std::optional<nf::TextClassificationPipeline> classify;
    std::optional<nf::TokenClassificationPipeline> tag;
    std::optional<nf::SentenceEmbeddingPipeline> embed;  // by the encoder of fill_mask
    std::optional<nf::SemanticIndex> index;
};

/// One line; invalid UTF-8 becomes U+FFFD.
std::string dump(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Models& models() {
    static Models all;
    return all;
}

template <typename Pipeline>
const Pipeline& loaded(const std::optional<Pipeline>& pipeline, const char* task) {
    if (!pipeline) throw nf::InputError({"", "task", std::string(task) + " to be loaded", "no"});
    return *pipeline;
}

std::string load(const Json& request) {
    const std::string task = request.at("task"), folder = request.at("folder");
    const nf::LoadOptions options{.num_threads = 1};
    if (task == "fill-mask") {
        models().fill_mask.emplace(folder, options);
        models().embed.emplace(models().fill_mask->model().base_model(),
                               models().fill_mask->tokenizer());
    } else if (task == "classify") {
        models().classify.emplace(folder, options);
    } else if (task == "tag") {
        models().tag.emplace(folder, options);
    } else if (task == "index") {
        models().index.emplace(nf::SemanticIndex::load(folder));
    } else {
        throw nf::InputError({"", "task", "fill-mask, classify, tag or index", task});
    }
    return "{}";
}

std::string fill_mask(const Json& request) {
    const nf::FillMaskOptions options{.top_k = request.value("top_k", nf::Index{5})};
    const std::string text = request.at("text");
    return nf::to_json(loaded(models().fill_mask, "fill-mask").each_mask(text, options));
}

std::string classify(const Json& request) {
    const std::string text = request.at("text");
    nf::TextClassificationOptions options{.top_k = std::nullopt};
    options.long_text.stride = 32;
    return nf::to_json(loaded(models().classify, "classify")(text, options));
}

std::string tag(const Json& request) {
    const std::string text = request.at("text");
    nf::TokenClassificationOptions options{.aggregation_strategy = nf::AggregationStrategy::first,
                                           .ignore_labels = {}};
    options.long_text.stride = 32;
    return nf::to_json(loaded(models().tag, "tag")(text, options));
}

/// The passages of the index most like the query.
std::string search(const Json& request) {
    const auto& embed = loaded(models().embed, "fill-mask");
    const auto& index = loaded(models().index, "index");
    const std::vector<std::string> queries{request.at("query").get<std::string>()};
    return nf::to_json(
        index.search(embed.batch(queries), {.top_k = request.value("top_k", nf::Index{5})})
            .front());
}

/// An index of the texts of a request in place of the one before.
std::string index(const Json& request) {
    const std::vector<std::string> texts = request.at("texts");
    nf::SentenceEmbeddingOptions options;
    options.long_text.truncation = true;
    const nf::Embeddings rows = loaded(models().embed, "fill-mask").batch(texts, options);
    auto& all = models().index;
    if (all && request.value("append", false)) {
        all.emplace(all->append(rows));
    } else {
        all.emplace(rows);
    }
    return dump({{"rows", all->rows()}});
}

/// Writes the index to a file.
std::string save(const Json& request) {
    loaded(models().index, "index").save(request.at("path").get<std::string>());
    return "{}";
}

std::string attention(const Json& request) {
    attention_command::AttentionPictureOptions options;
    options.layer = request.value("layer", options.layer);
    options.head = request.value("head", options.head);
    options.num_landmarks = request.value("num_landmarks", options.num_landmarks);
    options.inverse_iterations = request.value("inverse_iterations", options.inverse_iterations);
    options.inverse = compare_command::inverse_named(
        request.value("inverse", "matrix") == "sequence" ? "sequence" : "matrix");
    const std::string text = request.at("text");
    const auto& pipeline = loaded(models().fill_mask, "fill-mask");
    const attention_command::PicturedModel model{pipeline.tokenizer(),
                                                 compare_command::ComparedModel(pipeline.model())};
    return dump(to_json(draw_attention(model, text, options)));
}

std::string about(const Json&) {
    Json about{{"version", nf::version()}};
    if (models().fill_mask) {
        const auto& config = models().fill_mask->model().config();
        about["layers"] = config.num_hidden_layers;
        about["heads"] = config.num_attention_heads;
        about["mask_token"] = models().fill_mask->tokenizer().mask_token().value_or("");
    }
    return dump(about);
}

std::string answer(const Json& request) {
    using Function = std::string (*)(const Json&);
    static const std::pair<const char*, Function> functions[] = {
        {"load", load}, {"fill-mask", fill_mask}, {"classify", classify},
        {"tag", tag},   {"search", search},       {"index", index},
        {"save", save}, {"attention", attention}, {"about", about}};
    const std::string wanted = request.at("do");
    for (const auto& [name, function] : functions)
        if (wanted == name) return function(request);
    throw nf::InputError({"", "do", "a function of this module", wanted});
}

}  // namespace

/// The answer to `request`, both JSON; an error is {"refusal": text}. Valid until the next call.
extern "C" EMSCRIPTEN_KEEPALIVE const char* nystromformer_call(const char* request) {
    static std::string result;
    try {
        result = answer(Json::parse(request));
    } catch (const std::exception& error) {
        result = dump({{"refusal", error.what()}});
    }
    return result.c_str();
}
