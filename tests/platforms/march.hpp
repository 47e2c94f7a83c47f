// SPDX-License-Identifier: MIT
// What march_other.cpp, compiled with another -march than march_main.cpp, does with matrices.
#pragma once

#include <nystromformer/matrix.hpp>

namespace march {

/// (rows, cols) of ones.
nystromformer::Matrix<float> made(nystromformer::Index rows, nystromformer::Index cols);
/// The sum of the numbers of a matrix, which is freed.
float consumed(nystromformer::Matrix<float> matrix);

}  // namespace march
