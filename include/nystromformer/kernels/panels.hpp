// SPDX-License-Identifier: MIT
// Matrices packed in panels for one call, and products of small matrices.
#pragma once

#include <nystromformer/core/matrix.hpp>
#include <nystromformer/core/memory.hpp>
#include <nystromformer/kernels/blocking.hpp>

#include <algorithm>

namespace nystromformer::inline v0_2::detail {

/// One panel (x.cols, columns of a panel) := the rows of factor x, at most as many as it has
/// columns, the other columns 0.
template <typename Scalar>
void pack_rows(ConstRows<Scalar> x, Scalar factor, Scalar* panel) {
    const FloatKernels<Scalar>& kernels = float_kernels<Scalar>();
    const Index width = kernels.columns;
    if (x.rows == width) return kernels.pack(x.data, x.stride, x.cols, factor, panel);
    std::fill_n(panel, x.cols * width, Scalar(0));
    for (Index row = 0; row < x.rows; ++row)
        for (Index col = 0; col < x.cols; ++col)
            panel[col * width + row] = factor * x.row(row)[col];
}

/// Columns of b in panels `[cols / columns of a panel][depth][columns of a panel]`, for a b.
template <typename Scalar>
struct Panels {
    Scalar* data = nullptr;
    Index depth = 0, cols = 0;

    Panels() = default;
    Panels(Index panel_depth, Index num_cols, Scratch& scratch)
        : depth(panel_depth), cols(num_cols) {
        data = scratch.array<Scalar>(count() * depth * width());
    }
    static Index width() { return float_kernels<Scalar>().columns; }
    Index count() const { return blocks_of(cols, width()); }
    Scalar* panel(Index i) const { return data + i * depth * width(); }
    /// Some of the columns; `first` is that of a panel.
    Panels middle_cols(Index first, Index num_cols) const {
        Panels part = *this;
        part.data = panel(first / width());
        part.cols = num_cols;
        return part;
    }
};

/// The columns of `factor * x'`: x (n, d) gives n columns of depth d.
template <typename Scalar>
Panels<Scalar> pack_transposed(ConstRows<Scalar> x, Scalar factor, Scratch& scratch) {
    const Panels<Scalar> panels(x.cols, x.rows, scratch);
    const Index width = panels.width();
    for (Index i = 0; i < panels.count(); ++i) {
        const Index first = i * width;
        pack_rows<Scalar>(x.middle_rows(first, std::min(width, x.rows - first)), factor,
                          panels.panel(i));
    }
    return panels;
}

/// The columns of x (n, d): d columns of depth n.
template <typename Scalar>
Panels<Scalar> pack(ConstRows<Scalar> x, Scratch& scratch) {
    const Panels<Scalar> panels(x.rows, x.cols, scratch);
    const Index width = panels.width();
    for (Index i = 0; i < panels.count(); ++i) {
        const Index columns = std::min(width, x.cols - i * width);
        Scalar* to = panels.panel(i);
        for (Index row = 0; row < x.rows; ++row, to += width) {
            std::copy_n(x.row(row) + i * width, columns, to);
            std::fill(to + columns, to + width, Scalar(0));
        }
    }
    return panels;
}

/// out (n, columns) := a (n, depth) times the columns of `panels`; the rows of out are Scratch's.
template <typename Scalar>
void multiply(ConstRows<Scalar> a, const Panels<Scalar>& panels, Rows<Scalar> out) {
    for (Index i = 0; i < panels.count(); ++i) {
        float_kernels<Scalar>().multiply({.a = a.data,
                                          .a_stride = a.stride,
                                          .panel = panels.panel(i),
                                          .c = out.data + i * panels.width(),
                                          .c_stride = out.stride,
                                          .rows = a.rows,
                                          .depth = panels.depth});
    }
}

/// out (n, m) := factor a b' for a (n, d) and b (m, d); the rows of out are Scratch's.
template <typename Scalar>
void product_transposed(ConstRows<Scalar> a, ConstRows<Scalar> b, Scalar factor, Rows<Scalar> out) {
    Scratch scratch;
    multiply(a, pack_transposed<Scalar>(b, factor, scratch), out);
}

/// out (n, m) := a b for a (n, d) and b (d, m); the rows of out are Scratch's, and may be b.
template <typename Scalar>
void product(ConstRows<Scalar> a, ConstRows<Scalar> b, Rows<Scalar> out) {
    Scratch scratch;
    multiply(a, pack<Scalar>(b, scratch), out);
}

}  // namespace nystromformer::inline v0_2::detail
