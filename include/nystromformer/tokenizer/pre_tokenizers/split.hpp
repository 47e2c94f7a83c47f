// SPDX-License-Identifier: MIT
// Split, the pre-tokeniser that cuts at any text or regular expression:
// https://github.com/huggingface/tokenizers/blob/3ba8ad00/tokenizers/src/pre_tokenizers/split.rs
#pragma once

#include <nystromformer/tokenizer/component.hpp>
#include <nystromformer/tokenizer/piece_text.hpp>
#include <nystromformer/tokenizer/regex/pattern.hpp>

#include <cstddef>
#include <optional>
#include <string_view>

namespace nystromformer::inline v0_2::detail {

/// Cuts at the matches of a pattern, or with `invert` at what stands between them.
struct Split {
    Pattern pattern;
    SplitBehavior behavior = SplitBehavior::isolated;
    bool invert = false;

    static constexpr auto type_names = types("Split");
    static Split load(const ComponentJson& component) {
        return {read_pattern(component.at("pattern"), component.limits.budget),
                read_enum(component.at("behavior"), split_behaviors), component.flag("invert")};
    }

    void operator()(PieceText& target) const {
        std::optional<RegexSearch> search = make_search(pattern);
        cut_pieces(target, [&](std::string_view, const Piece& piece, auto& out) {
            Splitter splitter(behavior, out);
            std::size_t done = piece.begin;
            for_each_match(pattern, search, target.text(piece),
                           [&](std::size_t begin, std::size_t end) {
                               if (done < piece.begin + begin)
                                   splitter(done, piece.begin + begin, invert);
                               done = piece.begin + end;
                               splitter(piece.begin + begin, done, !invert);
                           });
            if (done < piece.end) splitter(done, piece.end, invert);
            splitter.finish();
        });
    }
};

}  // namespace nystromformer::inline v0_2::detail
