// SPDX-License-Identifier: MIT
// The second source of the consumer: one definition of everything must serve both.
#include <nystromformer/tokenizer.hpp>

#include <cstddef>
#include <string>

std::size_t count_tokens(const nystromformer::Tokenizer& tokenizer, const std::string& text) {
    return tokenizer.encode(text).ids.size();
}
