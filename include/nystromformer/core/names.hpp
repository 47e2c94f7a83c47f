// SPDX-License-Identifier: MIT
// The names of an enum's values, in one list that is read in both directions.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace nystromformer::inline v0_2::detail {

/// `names[i]` is the name of the value whose number is i.
template <typename Enum, std::size_t size>
struct EnumNames {
    std::array<std::string_view, size> names;

    constexpr std::string_view operator[](Enum value) const {
        return names[static_cast<std::size_t>(value)];
    }
    constexpr std::optional<Enum> find(std::string_view name) const {
        for (std::size_t i = 0; i < size; ++i)
            if (names[i] == name) return static_cast<Enum>(i);
        return std::nullopt;
    }
    /// "a, b or c", for an error.
    std::string list() const {
        std::string text;
        for (std::size_t i = 0; i < size; ++i)
            text.append(i == 0 ? "" : i + 1 == size ? " or " : ", ").append(names[i]);
        return text;
    }
};

template <typename Enum, typename... Names>
constexpr EnumNames<Enum, sizeof...(Names)> enum_names(Names... names) {
    return {{std::string_view(names)...}};
}

}  // namespace nystromformer::inline v0_2::detail
