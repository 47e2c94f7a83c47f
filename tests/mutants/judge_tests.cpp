// SPDX-License-Identifier: MIT
// For mutants.py: the tests of the loaders without Catch2, but for those that change files at
// random, which only look for crashes. judge_tests [--long]: also one with a million tensors.
#include "unit/checkpoint/checkpoint_test.cpp"
#include "unit/checkpoint/quantized_weights_test.cpp"
#include "unit/checkpoint/tensor_test.cpp"
#include "unit/checkpoint/torch_archive_test.cpp"

int main(int count, char**) {
    for (const auto& test : small_catch::tests()) {
        const std::string name = test.name;
        if (name.starts_with("a changed") || (count == 1 && name.starts_with("many empty")))
            continue;
        try {
            test.run();
        } catch (const std::exception& error) {
            small_catch::fail(name + ": " + error.what(), 0);
        }
    }
}
