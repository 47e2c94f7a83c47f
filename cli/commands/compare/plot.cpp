// SPDX-License-Identifier: MIT
#include "commands/compare/plot.hpp"

#include "commands/compare/comparison_output.hpp"
#include "commands/compare/svg_plot.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <set>
#include <utility>

namespace compare_command {

using namespace command_line;

namespace {

// Okabe and Ito's colours, which the colour-blind tell apart, too.
constexpr const char *grey = "#777777", *blue = "#0072b2", *orange = "#d55e00", *green = "#009e73";
constexpr std::array<const char*, 4> dashes{"", "6 4", "2 3", "9 3 2 3"};

using Start = std::pair<std::string, Index>;  // of the inverse, and its iterations

/// What distinguishes the lines of the plot.
struct Axes {
    std::vector<Index> landmarks;                         // ascending
    std::vector<Start> starts;                            // in the order of the runs
    std::map<std::pair<Index, Start>, const Json*> runs;  // those with landmarks
    const Json* exact;

    explicit Axes(const Json& output) : exact(&output["attentions"][0]) {
        std::set<Index> found;
        for (const Json& run : output["attentions"]) {
            if (run["attention"] != "nystrom") continue;
            const Start start{run["inverse"].get<std::string>(), run["iterations"].get<Index>()};
            const Index number = run["landmarks"].get<Index>();
            found.insert(number);
            if (std::find(starts.begin(), starts.end(), start) == starts.end())
                starts.push_back(start);
            runs[{number, start}] = &run;
        }
        landmarks.assign(found.begin(), found.end());
    }

    std::string dashes_of(std::size_t start) const { return dashes[start % dashes.size()]; }
    std::string name_of(std::size_t start) const {
        std::set<Index> iterations;
        for (const Start& each : starts) iterations.insert(each.second);
        return starts[start].first +
               (iterations.size() > 1 ? ", " + std::to_string(starts[start].second) : "");
    }

    /// A field of the runs against the landmarks.
    PlotLine line(const char* field, double factor, std::size_t start, const char* colour) const {
        PlotLine line{{}, {colour, dashes_of(start)}};
        for (const Index number : landmarks) {
            const auto run = runs.find({number, starts[start]});
            line.values.push_back(run == runs.end() ? std::nullopt
                                                    : value_of(*run->second, field, factor));
        }
        return line;
    }
    /// The same field of exact attention, a level.
    PlotLine level(const char* field, double factor, const char* colour) const {
        return {{value_of(*exact, field, factor)}, {colour, "1 3", false}};
    }
    static std::optional<double> value_of(const Json& run, const char* field, double factor) {
        return run[field].is_number() ? std::optional(run[field].get<double>() * factor)
                                      : std::nullopt;
    }
    PlotPanel panel(const std::string& title) const {
        PlotPanel panel{title, "landmarks", {}, {}, {}};
        for (const Index number : landmarks) panel.places.push_back(std::to_string(number));
        return panel;
    }
};

/// A panel of costs: exact attention as a level, a line for each start of the inverse.
PlotPanel cost_panel(const Axes& axes, const std::string& title, const char* field, double factor) {
    PlotPanel panel = axes.panel(title);
    panel.lines.push_back(axes.level(field, factor, grey));
    panel.keys.push_back({"exact", panel.lines.back().style});
    for (std::size_t start = 0; start < axes.starts.size(); ++start) {
        panel.lines.push_back(axes.line(field, factor, start, blue));
        panel.keys.push_back({axes.name_of(start), panel.lines.back().style});
    }
    return panel;
}

PlotPanel quality_panel(const Axes& axes, bool has_masks) {
    PlotPanel panel = axes.panel("Beside exact attention");
    panel.most = 1;
    const auto add = [&](const char* field, const char* label, const char* colour) {
        for (std::size_t start = 0; start < axes.starts.size(); ++start)
            panel.lines.push_back(axes.line(field, 1, start, colour));
        panel.keys.push_back({label, {colour, ""}});
    };
    add("cosine_mean", "cosine, mean", blue);
    if (has_masks) {
        add("agreement", "same word", orange);
        add("accuracy", "right word", green);
        panel.lines.push_back(axes.level("accuracy", 1, green));
        panel.keys.push_back({"right, exact", panel.lines.back().style});
    }
    if (axes.starts.size() > 1) {
        for (std::size_t start = 0; start < axes.starts.size(); ++start)
            panel.keys.push_back({axes.name_of(start), {grey, axes.dashes_of(start), false}});
    }
    return panel;
}

/// From light to dark, in steps that the eye tells apart.
std::string shade(std::size_t i, std::size_t count) {
    constexpr std::array<const char*, 6> shades{"#fdae61", "#f46d43", "#d53e4f",
                                                "#9e0142", "#5e4fa2", "#1b1f5c"};
    return shades[count < 2 ? 0 : i * (shades.size() - 1) / (count - 1)];
}

/// Means of the heads' residuals by layer, a line for each run with landmarks.
PlotPanel residual_panel(const Axes& axes, std::size_t layers) {
    PlotPanel panel{"Inverse residual, mean of the heads", "layer", {}, {}, {}};
    panel.may_be_logarithmic = true;
    for (std::size_t layer = 1; layer <= layers; ++layer)
        panel.places.push_back(std::to_string(layer));
    for (std::size_t i = 0; i < axes.landmarks.size(); ++i) {
        const std::string colour = shade(i, axes.landmarks.size());
        for (std::size_t start = 0; start < axes.starts.size(); ++start) {
            const auto run = axes.runs.find({axes.landmarks[i], axes.starts[start]});
            if (run == axes.runs.end() || (*run->second)["residuals"].is_null()) continue;
            PlotLine line{{}, {colour, axes.dashes_of(start)}};
            for (const Json& layer : (*run->second)["residuals"])
                line.values.push_back(layer["mean"].get<double>());
            panel.lines.push_back(std::move(line));
        }
        panel.keys.push_back({std::to_string(axes.landmarks[i]) + " landmarks", {colour, ""}});
    }
    if (axes.starts.size() > 1) {
        for (std::size_t start = 0; start < axes.starts.size(); ++start)
            panel.keys.push_back({axes.name_of(start), {grey, axes.dashes_of(start), false}});
    }
    return panel;
}

}  // namespace

std::string plot_of(const Json& output, const std::string& title) {
    const Axes axes(output);
    return svg_plot(title, summary_of(output),
                    {cost_panel(axes, "Time of a forward pass, s (fastest)", "min", 1),
                     cost_panel(axes, "Working memory, MiB", "memory_bytes", 1. / (1 << 20)),
                     quality_panel(axes, !output["masks"].is_null()),
                     residual_panel(axes, output["layers"].get<std::size_t>())});
}

}  // namespace compare_command
