// SPDX-License-Identifier: MIT
#include "commands/compare/svg_plot.hpp"

#include "terminal/terminal.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <utility>

namespace compare_command {

using command_line::for_terminal;

namespace {

constexpr double panel_width = 470, plot_left = 58, plot_right = 20, plot_top = 42;
constexpr double plot_height = 220, axis_height = 46, key_height = 19, head_height = 62;
constexpr double plot_width = panel_width - plot_left - plot_right;
constexpr std::size_t keys_in_row = 3;

/// A number as short as `%g` has it.
std::string number(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.6g", value);
    return text;
}
/// A coordinate; hundredths of a pixel are enough.
std::string at(double value) { return number(std::round(value * 100) / 100); }

/// Text that is XML: markup escaped, and what XML cannot hold: control characters, invalid UTF-8,
/// U+FFFE and U+FFFF.
std::string escaped(const std::string& text) {
    std::string shown = for_terminal(text);
    for (const auto& [character, name] :
         {std::pair("\xEF\xBF\xBE", "\\ufffe"), std::pair("\xEF\xBF\xBF", "\\uffff")}) {
        for (auto at = shown.find(character); at != shown.npos; at = shown.find(character, at))
            shown.replace(at, 3, name);
    }
    std::string result;
    for (const char character : shown) {
        switch (character) {
            case '&':
                result += "&amp;";
                break;
            case '<':
                result += "&lt;";
                break;
            case '>':
                result += "&gt;";
                break;
            case '"':
                result += "&quot;";
                break;
            default:
                result += character;
        }
    }
    return result;
}

std::string text_at(double x, double y, const std::string& text, const std::string& attributes) {
    return "<text x=\"" + at(x) + "\" y=\"" + at(y) + "\" " + attributes + '>' + escaped(text) +
           "</text>\n";
}

std::string line_from(double x1, double y1, double x2, double y2, const std::string& attributes) {
    return "<line x1=\"" + at(x1) + "\" y1=\"" + at(y1) + "\" x2=\"" + at(x2) + "\" y2=\"" +
           at(y2) + "\" " + attributes + "/>\n";
}

std::string stroke(const PlotStyle& style) {
    return "fill=\"none\" stroke=\"" + style.colour + "\" stroke-width=\"1.8\"" +
           (style.dashes.empty() ? "" : " stroke-dasharray=\"" + style.dashes + '"');
}

std::string marker(double x, double y, const PlotStyle& style) {
    // One that is not on a line is hollow.
    return "<circle cx=\"" + at(x) + "\" cy=\"" + at(y) + "\" r=\"3\" fill=\"" +
           (style.has_line ? style.colour : "white") + "\" stroke=\"" + style.colour +
           "\" stroke-width=\"1.2\"/>\n";
}

/// The y axis: from the values of a panel to heights in it.
class Scale {
public:
    explicit Scale(const PlotPanel& panel) {
        double least = std::numeric_limits<double>::infinity(), most = 0;
        for (const PlotLine& line : panel.lines) {
            for (const auto& value : line.values) {
                if (!value || !std::isfinite(*value)) continue;
                most = std::max(most, *value);
                if (*value > 0) least = std::min(least, *value);
            }
        }
        if (panel.most) most = *panel.most;
        logarithmic_ = panel.may_be_logarithmic && most > 30 * least;
        if (logarithmic_) {
            for (double tick = std::pow(10, std::floor(std::log10(least)));; tick *= 10) {
                ticks_.push_back(tick);
                if (tick >= most) break;
            }
        } else {
            const double step = nice_step((most > 0 ? most : 1) / 5);
            for (int i = 0;; ++i) {
                ticks_.push_back(i * step);
                if (ticks_.back() >= most * (1 - 1e-9) && i > 0) break;
            }
        }
    }

    const std::vector<double>& ticks() const { return ticks_; }
    /// The y of a value; nothing if it cannot be drawn.
    std::optional<double> operator()(double value) const {
        if (!std::isfinite(value) || (logarithmic_ && value <= 0)) return std::nullopt;
        const double first = scaled(ticks_.front()), last = scaled(ticks_.back());
        return plot_top + plot_height * (1 - (scaled(value) - first) / (last - first));
    }

private:
    double scaled(double value) const { return logarithmic_ ? std::log10(value) : value; }
    /// 1, 2 or 5 times a power of ten, at least `least`.
    static double nice_step(double least) {
        const double power = std::pow(10, std::floor(std::log10(least)));
        for (const double factor : {1., 2., 5.})
            if (factor * power >= least) return factor * power;
        return 10 * power;
    }

    std::vector<double> ticks_;
    bool logarithmic_ = false;
};

double place_x(const PlotPanel& panel, std::size_t place) {
    const auto count = static_cast<double>(panel.places.size());
    return plot_left + plot_width * (static_cast<double>(place) + 0.5) / count;
}

std::string axes(const PlotPanel& panel, const Scale& scale) {
    std::string svg = text_at(plot_left, plot_top - 14, panel.title, "class=\"title\"");
    const double right = plot_left + plot_width, bottom = plot_top + plot_height;
    for (const double tick : scale.ticks()) {
        const double y = *scale(tick);
        svg += line_from(plot_left, y, right, y, "stroke=\"#e3e3e3\"");
        svg += text_at(plot_left - 8, y + 4, number(tick), "text-anchor=\"end\"");
    }
    svg += line_from(plot_left, bottom, right, bottom, "stroke=\"#888888\"");
    // As many labels as there is room for, each of about 34 pixels.
    const std::size_t every = 1 + panel.places.size() * 34 / static_cast<std::size_t>(plot_width);
    for (std::size_t place = 0; place < panel.places.size(); place += every) {
        const double x = place_x(panel, place);
        svg += line_from(x, bottom, x, bottom + 4, "stroke=\"#888888\"");
        svg += text_at(x, bottom + 18, panel.places[place], "text-anchor=\"middle\"");
    }
    return svg + text_at(plot_left + plot_width / 2, bottom + 36, panel.x_label,
                         "text-anchor=\"middle\"");
}

std::string drawn(const PlotPanel& panel, const PlotLine& line, const Scale& scale) {
    if (line.values.size() == 1) {
        const auto y = line.values[0] ? scale(*line.values[0]) : std::nullopt;
        return y ? line_from(plot_left, *y, plot_left + plot_width, *y, stroke(line.style)) : "";
    }
    std::string points, markers;
    for (std::size_t place = 0; place < line.values.size(); ++place) {
        const auto y = line.values[place] ? scale(*line.values[place]) : std::nullopt;
        if (!y) continue;
        const double x = place_x(panel, place);
        points += (points.empty() ? "" : " ") + at(x) + ',' + at(*y);
        if (line.style.markers) markers += marker(x, *y, line.style);
    }
    const bool has_line = line.style.has_line && !points.empty();
    return (has_line ? "<polyline points=\"" + points + "\" " + stroke(line.style) + "/>\n" : "") +
           markers;
}

std::string legend(const PlotPanel& panel) {
    std::string svg;
    for (std::size_t i = 0; i < panel.keys.size(); ++i) {
        const auto& [label, style] = panel.keys[i];
        const double x = plot_left + static_cast<double>(i % keys_in_row) * (plot_width / 3 + 6);
        const double y = plot_top + plot_height + axis_height +
                         key_height * static_cast<double>(i / keys_in_row) + 8;
        if (style.has_line) svg += line_from(x, y, x + 26, y, stroke(style));
        if (style.markers) svg += marker(x + 13, y, style);
        svg += text_at(x + 32, y + 4, label, "");
    }
    return svg;
}

double height_of(const PlotPanel& panel) {
    const std::size_t rows = (panel.keys.size() + keys_in_row - 1) / keys_in_row;
    return plot_top + plot_height + axis_height + key_height * static_cast<double>(rows) + 16;
}

}  // namespace

std::string svg_plot(const std::string& title, const std::string& subtitle,
                     const std::vector<PlotPanel>& panels) {
    std::string body = text_at(20, 28, title, "class=\"head\"") + text_at(20, 48, subtitle, "");
    double y = head_height;
    for (std::size_t i = 0; i < panels.size(); i += 2) {
        double row_height = 0;
        for (std::size_t j = i; j < std::min(i + 2, panels.size()); ++j) {
            const PlotPanel& panel = panels[j];
            const Scale scale(panel);
            body += "<g transform=\"translate(" + at(panel_width * static_cast<double>(j - i)) +
                    ' ' + at(y) + ")\">\n" + axes(panel, scale);
            for (const PlotLine& line : panel.lines) body += drawn(panel, line, scale);
            body += legend(panel) + "</g>\n";
            row_height = std::max(row_height, height_of(panel));
        }
        y += row_height;
    }
    const std::string width = at(2 * panel_width + 10), height = at(y);
    return "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + width + "\" height=\"" + height +
           "\" viewBox=\"0 0 " + width + ' ' + height +
           "\" font-family=\"Helvetica, Arial, DejaVu Sans, sans-serif\" font-size=\"12\" "
           "fill=\"#333333\">\n<style>.title{font-size:14px;font-weight:bold}"
           ".head{font-size:17px;font-weight:bold}</style>\n<rect width=\"" +
           width + "\" height=\"" + height + "\" fill=\"white\"/>\n" + body + "</svg>\n";
}

}  // namespace compare_command
