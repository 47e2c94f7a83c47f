// SPDX-License-Identifier: MIT
// Matrices that two sources share, in one of which (march_other.cpp) Eigen uses AVX2. Each frees
// what the other has made.
#include "platforms/march.hpp"

#include <cstdio>
#include <utility>

namespace nf = nystromformer;

int main() {
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) {
        std::puts("this CPU has no AVX2");
        return 0;
    }
    float sum = 0, expected = 0;
    for (nf::Index rows = 1; rows < 50; ++rows) {
        for (nf::Index cols = 1; cols < 20; ++cols) {
            nf::Matrix<float> theirs = march::made(rows, cols);
            for (const float number : nf::row_of(theirs, rows - 1)) sum += number;
            theirs.resize(rows + 9, cols);
            nf::Matrix<float> own = nf::Matrix<float>::Ones(rows, cols);
            sum += march::consumed(std::move(own));
            expected += static_cast<float>(cols + rows * cols);
        }
    }
    std::printf("%.0f of %.0f\n", static_cast<double>(sum), static_cast<double>(expected));
    return sum == expected ? 0 : 1;
}
