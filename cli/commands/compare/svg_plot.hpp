// SPDX-License-Identifier: MIT
// A small writer of SVG plots: panels of lines over a few places.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace compare_command {

/// How a line is drawn.
struct PlotStyle {
    std::string colour;    ///< as in SVG
    std::string dashes;    ///< lengths of dashes and gaps; empty: solid
    bool markers = true;   ///< a dot at each place
    bool has_line = true;  ///< the dots are joined
};

struct PlotLine {
    std::vector<std::optional<double>> values;  ///< one a place, or one for all: a level
    PlotStyle style;
};

struct PlotKey {
    std::string label;
    PlotStyle style;
};

struct PlotPanel {
    std::string title;
    std::string x_label;
    std::vector<std::string> places;  ///< labels under the x axis, at equal distances
    std::vector<PlotLine> lines;
    std::vector<PlotKey> keys;        ///< the legend, under the axis
    std::optional<double> most = {};  ///< end of the y axis; nothing: by the values
    bool may_be_logarithmic = false;  ///< if values spread over more than a factor of 30
};

/// The panels of a plot, two a row, as a whole SVG file.
std::string svg_plot(const std::string& title, const std::string& subtitle,
                     const std::vector<PlotPanel>& panels);

}  // namespace compare_command
