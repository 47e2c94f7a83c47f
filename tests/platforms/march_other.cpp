// SPDX-License-Identifier: MIT
#include "platforms/march.hpp"

namespace march {

nystromformer::Matrix<float> made(nystromformer::Index rows, nystromformer::Index cols) {
    return nystromformer::Matrix<float>::Ones(rows, cols);
}

float consumed(nystromformer::Matrix<float> matrix) { return matrix.sum(); }

}  // namespace march
