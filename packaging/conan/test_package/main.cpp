// SPDX-License-Identifier: MIT
// What a package must give: headers that compile, their dependencies, and bodies that link.
#include <nystromformer/tokenizer.hpp>
#include <nystromformer/version.hpp>

#include <iostream>

int main() {
    const auto tokenizer = nystromformer::Tokenizer::from_json(
        R"({"model": {"type": "WordLevel", "unk_token": "?", "vocab": {"?": 0, "hello": 1}}})");
    std::cout << "nystromformer " << nystromformer::version() << ": "
              << tokenizer.encode("hello").ids.at(0) << '\n';
    return tokenizer.encode("hello").ids.at(0) == 1 ? 0 : 1;
}
