// SPDX-License-Identifier: MIT
// How large products are cut into tasks, and into blocks that stay in the caches.
#pragma once

#include <nystromformer/core/matrix.hpp>
#include <nystromformer/core/memory.hpp>
#include <nystromformer/kernels/activate.hpp>
#include <nystromformer/kernels/backend.hpp>
#include <nystromformer/threads.hpp>

#include <algorithm>
#include <functional>

namespace nystromformer::inline v0_2 {

/// Weights while they are packed: a call with (first, count, to) writes the rows
/// [first, first + count) of a (out, in) matrix to `to`, in row-major order. Called from several
/// threads.
template <typename Scalar>
using WeightRows = std::function<void(Index first, Index count, Scalar* to)>;

namespace detail {

inline Index blocks_of(Index count, Index size) { return (count + size - 1) / size; }

/// Rows that are enough for a task if no kernel says otherwise.
inline constexpr Index task_rows = 84;

/// Calls body(row) for every row, in parallel. `work` is that of parallel_for.
template <typename Body>
void for_rows(Index rows, ThreadPool& threads, Index work, const Body& body) {
    const auto block_body = [&](Index block) {
        const Index last = std::min(rows, (block + 1) * task_rows);
        for (Index row = block * task_rows; row < last; ++row) body(row);
    };
    threads.parallel_for(blocks_of(rows, task_rows), block_body, work);
}

/// Calls pack(panel, rows) for every panel of weights (num_rows, num_cols), in parallel: `rows` are
/// those that become its columns, at most `columns`.
template <typename Scalar, typename Pack>
void for_each_panel(Index num_rows, Index num_cols, Index columns, const WeightRows<Scalar>& weight,
                    ThreadPool& threads, const Pack& pack) {
    threads.parallel_for(blocks_of(num_rows, columns), [&](Index panel) {
        Scratch scratch;
        const Index first = panel * columns, count = std::min(columns, num_rows - first);
        Scalar* rows = scratch.array<Scalar>(count * num_cols);
        weight(first, count, rows);
        pack(panel, Rows<const Scalar>(rows, count, num_cols, num_cols));
    });
}

/// A product by blocks: the columns of a panel and the rows that a family of kernels takes at once,
/// and the depth.
struct BlockShape {
    Index columns, rows_at_once, depth;
};

/// Writes one panel of a product to `to`, also if that is the last one and narrower than the
/// others.
template <typename Scalar, typename MultiplyPanel>
void multiply_one_panel(Index panel, Index columns, Index first_row, const Rows<Scalar>& to,
                        const MultiplyPanel& multiply_panel) {
    if (to.cols == columns) return multiply_panel(panel, first_row, to);
    Scalar edge[max_rows_at_once * max_columns];
    const Rows<Scalar> whole(edge, to.rows, columns, max_columns);
    multiply_panel(panel, first_row, whole);
    for (Index i = 0; i < to.rows; ++i) std::copy_n(whole.row(i), to.cols, to.row(i));
}

/// out (n, columns) := activation(a product), by blocks of rows and groups of panels, the
/// activation while a group is in the cache. multiply_panel(panel, first, to) writes one whole
/// panel of the rows [first, first + to.rows) to `to`.
template <typename Scalar, typename MultiplyPanel>
void multiply_blocks(const BlockShape& shape, Rows<Scalar> out, ThreadPool& threads,
                     Activation activation, const MultiplyPanel& multiply_panel) {
    constexpr Index group_panels = 8;
    const Index width = shape.columns, panels = blocks_of(out.cols, width);
    const Index row_blocks = blocks_of(out.rows, shape.rows_at_once);
    const Index groups = blocks_of(panels, group_panels);
    const auto multiply_group = [&](Index task) {
        const Index block = task / groups, group = task % groups;
        const Index first = out.rows * block / row_blocks;
        const Index rows = out.rows * (block + 1) / row_blocks - first;
        const Rows<Scalar> out_rows = out.middle_rows(first, rows);
        const Index last = std::min(panels, (group + 1) * group_panels);
        for (Index panel = group * group_panels; panel < last; ++panel) {
            const Index columns = std::min(width, out.cols - panel * width);
            multiply_one_panel(panel, width, first, out_rows.middle_cols(panel * width, columns),
                               multiply_panel);
        }
        if (activation == Activation::linear) return;
        const Index column = group * group_panels * width;
        const Index columns = std::min(out.cols, last * width) - column;
        for (Index row = 0; row < rows; ++row)
            activate_row(activation, out_rows.row(row) + column, columns);
    };
    threads.parallel_for(row_blocks * groups, multiply_group, out.rows * out.cols * shape.depth);
}

}  // namespace detail
}  // namespace nystromformer::inline v0_2
