// SPDX-License-Identifier: MIT
#include "commands/compare/comparison_output.hpp"

#include "terminal/terminal.hpp"

#include <nystromformer/isa.hpp>
#include <nystromformer/threads.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>

namespace compare_command {

using namespace command_line;

namespace {

/// A residual overflows when the inverse diverges, and JSON has no infinity.
Json finite(double value) { return std::isfinite(value) ? Json(value) : Json(); }

/// For each layer the mean and the largest of the heads' residuals.
Json residuals_json(const std::vector<std::vector<double>>& layers) {
    Json json = Json::array();
    for (const std::vector<double>& heads : layers) {
        const double sum = std::accumulate(heads.begin(), heads.end(), 0.0);
        json.push_back({{"mean", finite(sum / static_cast<double>(heads.size()))},
                        {"max", finite(*std::max_element(heads.begin(), heads.end()))}});
    }
    return json;
}

Json to_json(const ComparedAttention& attention) {
    const nf::ForwardOptions& options = attention.options;
    const bool nystrom = options.attention == nf::Attention::nystrom;
    const auto share = [](const auto& value) { return value ? Json(*value) : Json(); };
    Json json{{"attention", nystrom ? "nystrom" : "exact"},
              {"landmarks", nullptr},
              {"inverse", nullptr},
              {"iterations", nullptr},
              {"runs", attention.uses_landmarks ? "nystrom" : "exact"},
              {"min", attention.min_seconds()},
              {"median", attention.median_seconds()},
              {"memory_bytes", attention.memory_bytes},
              {"cosine_mean", attention.cosine_mean},
              {"cosine_min", attention.cosine_min},
              {"agreement", share(attention.agreement)},
              {"accuracy", share(attention.accuracy)},
              {"residuals", nullptr}};
    if (nystrom) {
        json["landmarks"] = options.num_landmarks;
        json["iterations"] = options.inverse_iterations;
        json["inverse"] = name_of(*options.inverse);
    }
    if (attention.uses_landmarks) json["residuals"] = residuals_json(attention.inverse_residuals);
    return json;
}

/// `value` in `width` columns: a number by `format`, or what stands for none.
std::string cell(const Json& value, int width, const char* format, double factor = 1) {
    char number[32] = "-";
    if (value.is_number())
        std::snprintf(number, sizeof number, format, value.get<double>() * factor);
    const std::string text = value.is_string() ? value.get<std::string>() : number;
    return std::string(static_cast<std::size_t>(std::max(2, width - static_cast<int>(text.size()))),
                       ' ') +
           text;
}

/// The first columns of a row.
std::string name_cells(const Json& run) {
    return cell(run["runs"], 9, "") + cell(run["landmarks"], 11, "%.0f") +
           cell(run["inverse"], 10, "") + cell(run["iterations"], 7, "%.0f");
}

/// The residuals by layer, mean/max of the heads, a few layers a block.
std::string residual_table(const Json& output) {
    constexpr std::size_t most = 6;
    const auto layers = output["layers"].get<std::size_t>();
    std::string text;
    for (std::size_t first = 0; first < layers; first += most) {
        const std::size_t end = std::min(first + most, layers);
        std::string lines;
        for (const Json& run : output["attentions"]) {
            if (run["residuals"].is_null()) continue;
            lines += name_cells(run);
            for (std::size_t layer = first; layer < end; ++layer) {
                const Json& residual = run["residuals"][layer];
                lines += cell(residual["mean"], 10, "%.2g") + '/' +
                         cell(residual["max"], 0, "%.2g").substr(2);
            }
            lines += '\n';
        }
        if (lines.empty()) return "";
        text += "\n  inverse residual ||K Z - I||, mean/max of the heads, layers " +
                std::to_string(first + 1) + " to " + std::to_string(end) + '\n' + lines;
    }
    return text;
}

}  // namespace

Json to_json(const AttentionComparisonResult& result, const AttentionComparison& compare,
             const AttentionComparisonOptions& options) {
    Json json{{"tokens", result.tokens},
              {"layers", compare.config().num_hidden_layers},
              {"heads", compare.config().num_attention_heads},
              {"threads", compare.threads().num_threads()},
              {"precision", nf::name(compare.precision())},
              {"isa", nf::name(nf::active_isa())},
              {"repeat", options.repeat},
              {"masks", nullptr},
              {"attentions", Json::array()}};
    for (const ComparedAttention& attention : result.attentions)
        json["attentions"].push_back(to_json(attention));
    if (!result.no_masks.empty()) {
        json["no_masks"] = result.no_masks;
    } else {
        json["masks"] = {{"count", result.masks},
                         {"passes", result.mask_passes},
                         {"share", AttentionComparison::mask_share},
                         {"seed", options.seed}};
    }
    return json;
}

std::string table(const Request& request) {
    const Json& output = request.output;
    std::string text = for_terminal(title_of(request.fields)) + "\n  " + summary_of(output) +
                       "\n     runs  landmarks   inverse  steps     min s  median s  memory MiB"
                       "  cosine     min  same word  right word\n";
    for (const Json& run : output["attentions"]) {
        text += name_cells(run) + cell(run["min"], 10, "%.4f") + cell(run["median"], 10, "%.4f") +
                cell(run["memory_bytes"], 12, "%.2f", 1. / (1 << 20)) +
                cell(run["cosine_mean"], 8, "%.4f") + cell(run["cosine_min"], 8, "%.4f") +
                cell(run["agreement"], 9, "%.1f %%", 100) +
                cell(run["accuracy"], 10, "%.1f %%", 100) + '\n';
    }
    return text + residual_table(output);
}

/// The file, or the start of the text.
std::string title_of(const Json& fields) {
    const auto file = fields.find("file");  // a line may have one of its own, whatever it is
    if (file != fields.end() && file->is_string()) return file->get<std::string>();
    std::string text = fields["text"].get<std::string>();
    std::size_t size = std::min<std::size_t>(text.size(), 60);
    while (size > 0 && size < text.size() && (text[size] & 0xC0) == 0x80)
        --size;  // whole characters
    return text.size() == size ? text : text.substr(0, size) + "...";
}

std::string summary_of(const Json& output) {
    const auto counted = [](const Json& count, const std::string& word) {
        return dump(count) + ' ' + word + (count == 1 ? "" : "s");
    };
    std::string text = counted(output["tokens"], "token") + "; " +
                       output["precision"].get<std::string>() + " on " +
                       output["isa"].get<std::string>() + ", " +
                       counted(output["threads"], "thread") + "; ";
    const Json& masks = output["masks"];
    if (masks.is_null()) return text + "no masks: " + output["no_masks"].get<std::string>();
    return text + counted(masks["count"], "mask") + " in " + dump(masks["passes"]) +
           (masks["passes"] == 1 ? " pass" : " passes") + ", seed " + dump(masks["seed"]);
}

}  // namespace compare_command
