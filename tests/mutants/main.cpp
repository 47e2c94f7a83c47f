// SPDX-License-Identifier: MIT
// The tests of the loaders without Catch2, for mutants.py.
#include "../checkpoint_test.cpp"

int main() {
    for (const auto& test : small_catch::tests()) {
        try {
            test.run();
        } catch (const std::exception& error) {
            small_catch::fail(test.name + std::string(": ") + error.what(), 0);
        }
    }
}
