// SPDX-License-Identifier: MIT
// Numbers of tokenizer.json as Hugging Face's library reads them, which is not always as the
// nearest double: it parses with serde_json without its feature "float_roundtrip".
#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>

namespace nystromformer::inline v0_2::detail {

/// The double next to 10 to the power of `exponent`, which is from 0 to 308.
inline double power_of_ten(int exponent) {
    constexpr std::array exact = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                  1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    if (exponent < static_cast<int>(exact.size())) return exact[static_cast<std::size_t>(exponent)];
    return std::strtod(("1e" + std::to_string(exponent)).c_str(), nullptr);
}

/// The exponent of a number, after its "e"; one that does not fit becomes a large one of that sign.
inline std::int64_t exponent_value(std::string_view spelling) {
    if (spelling.starts_with('+')) spelling.remove_prefix(1);
    std::int32_t value = 0;
    const auto read = std::from_chars(spelling.data(), spelling.data() + spelling.size(), value);
    if (read.ec == std::errc()) return value;
    constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
    return spelling.starts_with('-') ? -most : most;
}

/// serde_json's value of a finite JSON number that is no integer: the digits as one integer, as
/// many as fit in 64 bits, rounded to a double, times or over a power of ten, rounded again.
/// https://github.com/serde-rs/json/blob/v1.0.140/src/de.rs (parse_integer to f64_from_parts)
inline double rust_value(std::string_view spelling) {
    const bool is_negative = spelling.starts_with('-');
    if (is_negative) spelling.remove_prefix(1);
    const std::size_t mark = spelling.find_first_of("eE");
    std::uint64_t digits = 0;
    std::int64_t exponent = 0;
    bool is_full = false, is_behind_point = false;
    for (const char c : spelling.substr(0, mark)) {
        if (c == '.') {
            is_behind_point = true;
            is_full = false;  // a smaller digit may still fit
            continue;
        }
        const auto digit = static_cast<std::uint64_t>(c - '0');
        is_full = is_full || digits > (std::numeric_limits<std::uint64_t>::max() - digit) / 10;
        if (!is_full) digits = digits * 10 + digit;
        if (is_full != is_behind_point) exponent += is_full ? 1 : -1;
    }
    if (mark != spelling.npos) exponent += exponent_value(spelling.substr(mark + 1));
    auto result = static_cast<double>(digits);
    for (; exponent < -308 && result != 0; exponent += 308) result /= 1e308;
    if (result != 0) {
        const double power = power_of_ten(static_cast<int>(std::abs(exponent)));
        result = exponent < 0 ? result / power : result * power;
    }
    return is_negative ? -result : result;
}

}  // namespace nystromformer::inline v0_2::detail
