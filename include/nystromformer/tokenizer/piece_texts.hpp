// SPDX-License-Identifier: MIT
// Many short texts, one behind the other in one string.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// A list of texts that takes four bytes more than their own for each; below 4 GiB in all (a file
/// has less).
class PieceTexts {
public:
    void add(std::string_view text) {
        bytes_.append(text);
        ends_.push_back(static_cast<std::uint32_t>(bytes_.size()));
    }

    std::size_t size() const { return ends_.size(); }
    std::size_t bytes() const { return bytes_.size(); }
    std::string_view operator[](std::size_t i) const {
        const std::size_t begin = i == 0 ? 0 : ends_[i - 1];
        return std::string_view(bytes_).substr(begin, ends_[i] - begin);
    }

private:
    std::string bytes_;
    std::vector<std::uint32_t> ends_;
};

}  // namespace nystromformer::inline v0_2::detail
