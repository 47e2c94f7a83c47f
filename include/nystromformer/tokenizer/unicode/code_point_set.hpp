// SPDX-License-Identifier: MIT
// A set of code points as regular expressions write it: ranges, general categories, negations.
#pragma once

#include <nystromformer/tokenizer/unicode/unicode.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// Built by add and negate, and ready for contains after finish.
class CodePointSet {
public:
    CodePointSet() = default;
    explicit CodePointSet(char32_t point) { add(point, point); }

    void add(char32_t first, char32_t last) { ranges_.emplace_back(first, last); }
    /// General categories, a bit for each.
    void add_categories(std::uint32_t categories) { categories_ |= categories; }
    /// Oniguruma's \s, or \S.
    void add_white(bool wanted) {
        // White space is the separators and six of the controls.
        if (wanted) {
            add_categories(unicode::separators);
            add(0x09, 0x0D);
            add(0x85, 0x85);
        } else {
            constexpr auto controls = unicode::category_bit(unicode::Category::cc);
            add_categories(~(unicode::separators | controls));
            add(0x00, 0x08);
            add(0x0E, 0x1F);
            add(0x7F, 0x84);
            add(0x86, 0x9F);
        }
    }
    /// Oniguruma's \w, or \W. In brackets the superscripts and fractions of Latin-1 are no words.
    void add_word(bool wanted, bool in_brackets) {
        (wanted ? words_ : others_) = true;
        in_brackets_ = in_brackets;
    }
    void negate() { negated_ = !negated_; }
    /// Everything in `other`, too.
    void add(CodePointSet other) { also_.push_back(std::move(other)); }
    /// Nothing that is not in `other` as well; to be called after all that is added.
    void intersect(CodePointSet other) { only_.push_back(std::move(other)); }

    /// Everything that the parts hold now is looked up fast from here on.
    void finish() {
        for (CodePointSet& part : also_) part.finish();
        for (CodePointSet& part : only_) part.finish();
        std::sort(ranges_.begin(), ranges_.end());
        std::vector<std::pair<char32_t, char32_t>> merged;
        for (const auto& range : ranges_) {
            if (!merged.empty() && range.first <= merged.back().second) {
                merged.back().second = std::max(merged.back().second, range.second);
            } else {
                merged.push_back(range);
            }
        }
        ranges_.swap(merged);
        for (char32_t point = 0; point < 128; ++point)
            if (holds(point) != negated_) ascii_[point / 64] |= std::uint64_t{1} << point % 64;
    }

    bool has_ascii(char byte) const {
        const auto value = static_cast<unsigned char>(byte);
        return (ascii_[value / 64] >> value % 64 & 1) != 0;
    }
    bool contains(char32_t point) const {
        return point < 128 ? has_ascii(static_cast<char>(point)) : holds(point) != negated_;
    }
    const std::array<std::uint64_t, 2>& ascii() const { return ascii_; }
    /// False only if nothing beyond ASCII is in the set.
    bool may_hold_others() const {
        return negated_ || categories_ != 0 || words_ || others_ || !also_.empty() ||
               (!ranges_.empty() && ranges_.back().second >= 128);
    }

    /// The memory that the set takes, about.
    std::size_t bytes() const {
        std::size_t result = sizeof(*this) + ranges_.capacity() * sizeof(ranges_[0]);
        for (const CodePointSet& part : also_) result += part.bytes();
        for (const CodePointSet& part : only_) result += part.bytes();
        return result;
    }

private:
    bool holds(char32_t point) const {
        const auto has = [point](const CodePointSet& part) { return part.contains(point); };
        return (holds_itself(point) || std::any_of(also_.begin(), also_.end(), has)) &&
               std::all_of(only_.begin(), only_.end(), has);
    }
    bool holds_itself(char32_t point) const {
        const unicode::Record& record = unicode::record(point);
        if ((categories_ & unicode::category_bit(record.category)) != 0) return true;
        const bool is_latin_number = point < 256 && record.category == unicode::Category::no;
        const bool is_word =
            (record.flags & unicode::flag_onig_word) != 0 && !(in_brackets_ && is_latin_number);
        if (is_word ? words_ : others_) return true;
        const auto after =
            std::upper_bound(ranges_.begin(), ranges_.end(), point,
                             [](char32_t value, const auto& range) { return value < range.first; });
        return after != ranges_.begin() && point <= std::prev(after)->second;
    }

    std::vector<std::pair<char32_t, char32_t>> ranges_;  // first and last
    std::uint32_t categories_ = 0;
    bool words_ = false;
    bool others_ = false;  // code points that are not in words
    bool in_brackets_ = false;
    bool negated_ = false;
    std::vector<CodePointSet> also_, only_;
    std::array<std::uint64_t, 2> ascii_{};
};

/// The letters for a category's long name in lower case, without spaces and signs; else the name.
inline std::string_view short_category(std::string_view name) {
    static constexpr std::pair<std::string_view, std::string_view> names[] = {
        {"other", "C"},
        {"control", "Cc"},
        {"format", "Cf"},
        {"unassigned", "Cn"},
        {"privateuse", "Co"},
        {"letter", "L"},
        {"lowercaseletter", "Ll"},
        {"modifierletter", "Lm"},
        {"otherletter", "Lo"},
        {"titlecaseletter", "Lt"},
        {"uppercaseletter", "Lu"},
        {"mark", "M"},
        {"spacingmark", "Mc"},
        {"enclosingmark", "Me"},
        {"nonspacingmark", "Mn"},
        {"number", "N"},
        {"decimalnumber", "Nd"},
        {"letternumber", "Nl"},
        {"othernumber", "No"},
        {"punctuation", "P"},
        {"connectorpunctuation", "Pc"},
        {"dashpunctuation", "Pd"},
        {"closepunctuation", "Pe"},
        {"finalpunctuation", "Pf"},
        {"initialpunctuation", "Pi"},
        {"otherpunctuation", "Po"},
        {"openpunctuation", "Ps"},
        {"symbol", "S"},
        {"currencysymbol", "Sc"},
        {"modifiersymbol", "Sk"},
        {"mathsymbol", "Sm"},
        {"othersymbol", "So"},
        {"separator", "Z"},
        {"lineseparator", "Zl"},
        {"paragraphseparator", "Zp"},
        {"spaceseparator", "Zs"}};
    const auto* found = std::find_if(std::begin(names), std::end(names),
                                     [name](const auto& one) { return one.first == name; });
    return found == std::end(names) ? name : found->second;
}

/// A property's name in lower case, without the signs that do not count.
inline std::string plain_name(std::string_view name) {
    std::string result;
    for (const char c : name)
        if (c != ' ' && c != '_' && c != '-')
            result += static_cast<char>(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
    return result;
}

/// The categories that \p{name} stands for: a letter, or a letter and its kind, in either case, or
/// a long name.
inline std::optional<std::uint32_t> category_bits(std::string_view given) {
    constexpr std::string_view names = "CnCcCfCoLlLmLoLtLuMcMeMnNdNlNoPcPdPePfPiPoPsScSkSmSoZlZpZs";
    const std::string plain = plain_name(given);
    std::string name(short_category(plain));
    if (name.empty() || name.size() > 2) return std::nullopt;
    if (name[0] >= 'a' && name[0] <= 'z') name[0] = static_cast<char>(name[0] - 0x20);
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < names.size(); i += 2)
        if (names.substr(i, name.size()) == name) bits |= 1U << i / 2;
    return bits == 0 ? std::nullopt : std::optional(bits);
}

}  // namespace nystromformer::inline v0_2::detail
