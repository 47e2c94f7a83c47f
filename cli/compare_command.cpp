// SPDX-License-Identifier: MIT
// nystromformer compare
#include "command_line.hpp"
#include "compare_plot.hpp"
#include "text_file.hpp"

#include <nystromformer/core/file.hpp>
#include <nystromformer/kernels/isa.hpp>
#include "compare/attention_comparison.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <memory>
#include <numeric>

#include <unistd.h>

namespace compare_command {

using namespace command_line;
namespace nf = nystromformer;

const std::map<std::string, nf::InverseInit> inverses{{"batch", nf::InverseInit::batch},
                                                      {"sequence", nf::InverseInit::sequence},
                                                      {"matrix", nf::InverseInit::matrix}};

struct Options : CommonOptions {
    nf::AttentionComparisonOptions comparison;
    std::vector<std::string> inverse{"sequence", "matrix"};
    std::string file, plot;

    nf::AttentionComparisonOptions of_comparison() const {
        nf::AttentionComparisonOptions options = comparison;
        options.inverses.clear();
        for (const std::string& name : inverse) options.inverses.push_back(inverses.at(name));
        return options;
    }
};

// ---- what is put out

/// A residual overflows where the inverse diverges; JSON has no infinity.
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

Json to_json(const nf::ComparedAttention& attention) {
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
        for (const auto& [name, inverse] : inverses)
            if (inverse == options.inverse) json["inverse"] = name;
    }
    if (attention.uses_landmarks) json["residuals"] = residuals_json(attention.inverse_residuals);
    return json;
}

Json to_json(const nf::AttentionComparisonResult& result, const nf::AttentionComparison& compare,
             const Options& options) {
    Json json{{"tokens", result.tokens},
              {"layers", compare.config().num_hidden_layers},
              {"heads", compare.config().num_attention_heads},
              {"threads", compare.threads().num_threads()},
              {"precision", options.precision},
              {"isa", nf::name(nf::active_isa())},
              {"repeat", options.comparison.repeat},
              {"masks", nullptr},
              {"attentions", Json::array()}};
    for (const nf::ComparedAttention& attention : result.attentions)
        json["attentions"].push_back(to_json(attention));
    if (!result.no_masks.empty()) {
        json["no_masks"] = result.no_masks;
    } else {
        json["masks"] = {{"count", result.masks},
                         {"passes", result.mask_passes},
                         {"share", nf::AttentionComparison::mask_share},
                         {"seed", options.comparison.seed}};
    }
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

// ---- the run

/// Shows how many forward passes are done, on a terminal for messages.
std::function<void(Index, Index)> progress_shower() {
    if (isatty(STDERR_FILENO) == 0) return {};
    return [](Index done, Index total) {
        std::fprintf(stderr, "\r%lld of %lld passes", static_cast<long long>(done),
                     static_cast<long long>(total));
        if (done == total) std::fputs("\r\33[K", stderr);  // the line is cleared
    };
}

/// The fields of the text to compare with and, apart from them, the text of a file.
std::vector<Json> fields_of(const Options& options, const std::vector<std::string>& texts,
                            std::string& file_text) {
    if (!options.plot.empty() && texts.size() + !options.file.empty() != 1)
        throw UsageError("--plot draws one text: a TEXT or --file");
    if (options.file.empty()) return text_fields(texts);
    if (!texts.empty()) throw UsageError("--file or a TEXT, not both");
    const std::string bytes = nf::detail::read_file(options.file, std::uint64_t{16} << 20);
    file_text = without_mark(bytes, options.file);
    return {{{"file", options.file}}};
}

int run(const Options& options, const std::vector<std::string>& texts) {
    std::string file_text;
    const std::vector<Json> arguments = fields_of(options, texts, file_text);
    const nf::AttentionComparison compare(options.model, options.load_options());
    nf::AttentionComparisonOptions each = options.of_comparison();
    try {
        compare.check(each);
    } catch (const nf::InputError& error) {
        throw UsageError(error.what());
    }
    each.progress = progress_shower();
    Json shown;  // the last output and its title
    const auto answer = [&](const std::vector<Request*>& requests) {
        for (Request* request : requests) {
            guard(*request, [&] {
                each.long_text.on_truncation = cut_noter({&request, 1});
                const std::string& text = options.file.empty() ? request->text("text") : file_text;
                request->output = to_json(compare(text, each), compare, options);
                shown = {{"title", title_of(request->fields)}, {"output", request->output}};
            });
        }
    };
    const int code = answer_all(arguments, options, {answer, table, 1});
    if (!options.plot.empty() && code == good) {
        nf::detail::write_file(options.plot,
                               plot_of(shown["output"], shown["title"].get<std::string>()));
    }
    return code;
}

}  // namespace compare_command

void add_compare(CLI::App& app, command_line::Session& session) {
    using namespace compare_command;
    auto options = std::make_shared<Options>();
    CLI::App& command = *app.add_subcommand(
        "compare", "Nystrom beside exact attention: time, memory, what changes");
    options->add_model(command);
    add_texts(command);
    const std::string texts_footer = command.get_footer();
    command.add_option("--file", options->file, "a file that is one text, in the place of TEXTs")
        ->type_name("PATH");
    nf::AttentionComparisonOptions& comparison = options->comparison;
    const auto list = [&command](const char* name, auto& values, const char* what) {
        return command.add_option(name, values, what)
            ->delimiter(',')
            ->allow_extra_args(false)
            ->type_name("A,B,...");
    };
    list("--landmarks", comparison.num_landmarks,
         "numbers of landmarks (default: 16,32,64,128,256)")
        ->check(CLI::Range(Index{1}, Index{1} << 20));
    list("--inverse", options->inverse,
         "starts of the inverse: sequence, matrix, or batch, which is sequence for a single text "
         "(default: sequence,matrix)")
        ->check(CLI::IsMember({"batch", "sequence", "matrix"}));
    list("--iterations", comparison.inverse_iterations, "iterations of the inverse (default: 6)")
        ->check(CLI::Range(Index{0}, Index{1000}));
    const auto number = [&command](const char* name, auto& value, const char* what, Index least) {
        command.add_option(name, value, what)
            ->check(CLI::Range(least, Index{1} << 20))
            ->type_name("N");
    };
    number("--repeat", comparison.repeat, "timed passes of each attention (default: 5)", 1);
    number("--mask-passes", comparison.mask_passes,
           "passes with 15 % of the tokens masked, others each time (default: 1)", 1);
    number("--seed", comparison.seed, "of the choice of the masked tokens (default: 0)", 0);
    command.add_option("--plot", options->plot, "draw the comparison of one text as SVG")
        ->type_name("FILE");
    add_truncation(command, comparison.long_text.truncation);
    options->add_threads(command);
    options->add_precision(command);
    options->add_lines(command);
    command.footer(
        texts_footer +
        "\n\n"
        "Each attention runs the encoder over the whole text. Times are seconds of --repeat such\n"
        "passes, the attentions taking turns, after one that warms up. Memory is what a pass "
        "takes\n"
        "beside weights and text: its hidden states and the most scratch memory that it has in "
        "use\n"
        "at once on each thread, counted where it is taken (not the process's size, in which the\n"
        "system keeps what earlier passes left). Cosines are those of the tokens' last hidden\n"
        "states to exact attention's. For \"same word\" and \"right word\" tokens are masked, and\n"
        "the likeliest token for each compared with exact attention's and with the text's own;\n"
        "null where the folder has no masked-LM head. The residual is the Frobenius norm of\n"
        "kernel_2 times its inverse minus I, which is sqrt(landmarks) for an inverse of zeros.\n"
        "Where a text has no more tokens than landmarks, exact attention runs.");
    command.callback([options, &command, &session] {
        session.exit_code = run(*options, texts_of(command, session));
    });
}
