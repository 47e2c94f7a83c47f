// SPDX-License-Identifier: MIT
// How the rows of a product are cut into tiles of the heights that are compiled; sizes of AMX's
// tiles.
#pragma once

#include <nystromformer/core/index.hpp>

namespace nystromformer::inline v0_2::detail {

/// For every number of rows the height of the first tile.
struct TilePlan {
    static constexpr int max_rows = 96;  // beyond that the first tile is the tallest
    unsigned char heights[max_rows + 1];
    int tallest;

    constexpr int next(Index rows) const { return rows > max_rows ? tallest : heights[rows]; }
    constexpr Index count(Index rows) const {
        Index tiles = 0;
        for (; rows > 0; rows -= next(rows)) ++tiles;
        return tiles;
    }
};

/// The plan of the least cost. A step of the depth costs a tile its rows, but not less than four:
/// as long takes a multiply-add before the next one can use its sum. The half row is for the start
/// and the end of a tile.
template <int... compiled>
consteval TilePlan plan_tiles() {
    constexpr int latency = 4;
    TilePlan plan{};
    int costs[TilePlan::max_rows + 1]{};
    for (int rows = 1; rows <= TilePlan::max_rows; ++rows) {
        costs[rows] = 1 << 20;
        for (const int height : {compiled...}) {
            if (height > plan.tallest) plan.tallest = height;
            if (height > rows) continue;
            const int cost = costs[rows - height] + 2 * (height < latency ? latency : height) + 1;
            if (cost > costs[rows]) continue;  // of equal ones the taller
            costs[rows] = cost;
            plan.heights[rows] = static_cast<unsigned char>(height);
        }
    }
    return plan;
}

template <int... compiled>
struct TileHeights {
    static constexpr TilePlan plan = plan_tiles<compiled...>();
};

/// The sizes of AMX's eight tiles, as the CPU reads them.
struct TileSizes {
    unsigned char palette = 1, start_row = 0, reserved[14] = {};
    unsigned short row_bytes[16] = {};
    unsigned char rows[16] = {};
};
static_assert(sizeof(TileSizes) == 64);

}  // namespace nystromformer::inline v0_2::detail
