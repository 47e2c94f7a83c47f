// SPDX-License-Identifier: MIT
// nystromformer bench
#include "commands/commands.hpp"
#include "options/common_options.hpp"
#include "options/usage.hpp"
#include "platform/platform.hpp"
#include "requests/json_line.hpp"
#include "streams/standard_streams.hpp"

#include <nystromformer/isa.hpp>
#include <nystromformer/models.hpp>
#include <nystromformer/threads.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <random>

namespace bench_command {

using namespace command_line;
namespace nf = nystromformer;

constexpr Index max_tokens = Index{1} << 24;  // of a forward pass

struct Options : CommonOptions {
    std::vector<Index> lengths{128, 512};
    Index batch = 1;
    Index repeat = 10;

    nf::ForwardOptions forward_options(const nf::NystromformerConfig& config) const {
        return {.attention = attention_mode(), .num_landmarks = used_landmarks(config)};
    }
};

/// Null if the system does not say.
Json peak_rss_mib() {
    const std::optional<double> mib = peak_memory_mib();
    return mib ? Json(*mib) : Json();
}

/// The attention that texts of `length` tokens get.
std::string attention_of(const nf::NystromformerModel<float>& model, const Options& options,
                         Index length) {
    return std::string(nf::name(
        nf::resolved_attention(options.forward_options(model.config()), model.config(), length)));
}

/// Ids of any tokens, the same in every run.
nf::ModelInput<float> random_input(const nf::NystromformerConfig& config, Index batch,
                                   Index length) {
    std::mt19937_64 random;
    std::vector<std::int64_t> ids(static_cast<std::size_t>(batch * length));
    for (std::int64_t& id : ids) {
        id = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(config.vocab_size));
    }
    return nf::ModelInput<float>::batch(std::move(ids), batch, length);
}

/// Seconds of each of `repeat` forward passes, sorted, after one that warms up.
std::vector<double> time_forward(const nf::NystromformerModel<float>& model,
                                 const nf::ModelInput<float>& input, const Options& options) {
    using Clock = std::chrono::steady_clock;
    std::vector<double> seconds;
    for (Index i = 0; i <= options.repeat; ++i) {
        const Clock::time_point start = Clock::now();
        (void)model(input, options.forward_options(model.config()));
        if (i > 0) seconds.push_back(std::chrono::duration<double>(Clock::now() - start).count());
    }
    std::sort(seconds.begin(), seconds.end());
    return seconds;
}

Json measure(const nf::NystromformerModel<float>& model, const Options& options, Index length) {
    const nf::ModelInput<float> input = random_input(model.config(), options.batch, length);
    const std::vector<double> seconds = time_forward(model, input, options);
    const std::size_t half = seconds.size() / 2;
    const double median =
        seconds.size() % 2 ? seconds[half] : (seconds[half - 1] + seconds[half]) / 2;
    return {{"length", length},
            {"batch", options.batch},
            {"threads", model.threads().num_threads()},
            {"min", seconds.front()},
            {"median", median},
            {"tokens_per_second", static_cast<double>(options.batch * length) / median},
            {"peak_rss_mib", peak_rss_mib()},
            {"isa", nf::name(nf::active_isa())},
            {"precision", nf::name(model.precision())},
            {"attention", attention_of(model, options, length)}};
}

std::string table(const Json& line) {
    const auto number = [&line](const char* field) {
        return line[field].is_null() ? 0.0 : line[field].get<double>();
    };
    const auto word = [&line](const char* field) { return line[field].get<std::string>(); };
    char text[160];
    std::snprintf(text, sizeof text, "%8.0f %6.0f %8.0f %10.5f %10.5f %10.0f %10.1f  %s %s %s\n",
                  number("length"), number("batch"), number("threads"), number("min"),
                  number("median"), number("tokens_per_second"), number("peak_rss_mib"),
                  word("isa").c_str(), word("precision").c_str(), word("attention").c_str());
    return text;
}

/// A length that is too long is an error at once, not after minutes of measuring the others.
void check_lengths(const Options& options, const nf::NystromformerConfig& config) {
    for (const Index length : options.lengths) {
        if (options.batch > max_tokens / length) {
            throw UsageError("--batch times --lengths: at most " + std::to_string(max_tokens) +
                             " tokens");
        }
        if (length <= config.max_length()) continue;
        throw nf::InputError(
            {"", "--lengths",
             "at most the model's " + std::to_string(config.max_length()) + " tokens",
             std::to_string(length)});
    }
}

int run(const Options& options) {
    const nf::LoadOptions load_options = options.load_options();
    const auto config = nf::NystromformerConfig::from_pretrained(options.folder());
    check_lengths(options, config);
    options.note_idle_landmarks(config);
    const auto model =
        nf::NystromformerModel<float>::from_pretrained(options.folder(), load_options);
    const bool json = options.writes_json();
    if (!json) {
        write_out(
            "  length  batch  threads      min s   median s   tokens/s   peak MiB  runs in\n");
    }
    for (const Index length : options.lengths) {
        const Json line = measure(model, options, length);
        write_out(json ? dump(line) + '\n' : table(line));
    }
    return good;
}

}  // namespace bench_command

void add_bench(command_line::Program& program) {
    using namespace bench_command;
    auto options = std::make_shared<Options>();
    Command command = program.add("bench", "Times the encoder without a head on random ids");
    options->add_model(command);
    command.option("--lengths", options->lengths, "tokens of a text (default: 128,512)")
        .in_range(Index{1}, Index{1} << 20)
        .type("N,N,...");
    command.option("--batch", options->batch, "texts of a forward pass (default: 1)")
        .in_range(Index{1}, Index{1} << 16)
        .type("N");
    command
        .option("--repeat", options->repeat,
                "forward passes to time, after one that warms up (default: 10)")
        .in_range(Index{1}, Index{1} << 20)
        .type("N");
    options->add_forward(command);
    options->add_json(command);
    command.footer(
        "peak_rss_mib is the most memory that the process has held so far. A length shows its own\n"
        "if it is the first one or longer than those before it.");
    command.runs([options](const auto&) { return run(*options); });
}
