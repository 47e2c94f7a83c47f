// SPDX-License-Identifier: MIT
// A tokenizer.json as it was read, or as a loader of older files made it: its JSON, and the lists
// of its model, which can have millions of entries, apart from that.
#pragma once

#include <nystromformer/core/json.hpp>
#include <nystromformer/core/memory_budget.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/options.hpp>
#include <nystromformer/tokenizer/added_token_finder.hpp>
#include <nystromformer/tokenizer/component.hpp>
#include <nystromformer/tokenizer/models/merge_table.hpp>
#include <nystromformer/tokenizer/models/model_lists.hpp>
#include <nystromformer/tokenizer/rust_numbers.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// A token to add, and where it stands.
struct PlacedToken {
    AddedToken token;
    std::optional<std::int64_t> id;  ///< that the file has for it
    bool is_listed = false;          ///< in the tokenizer.json itself
    std::string file = {}, place = {};
};

/// The id of a token, or nothing.
using TokenLookup = std::function<std::optional<std::int64_t>(std::string_view)>;

/// What a tokenizer is made of.
class TokenizerFile {
public:
    /// An empty one; `name` is its file in errors, `size` the bytes that it is read from. Throws
    /// FormatError for more than can be numbered.
    TokenizerFile(std::string name, std::size_t size) : budget(std::move(name), size, 2) {
        constexpr std::size_t most = std::size_t{1} << 30;
        if (size <= most) return;
        throw FormatError({budget.file(), "", "at most " + std::to_string(most) + " bytes",
                           std::to_string(size)});
    }

    /// Reads the text of a tokenizer.json. Throws FormatError; what is wrong with the lists is
    /// thrown when they are asked for.
    static TokenizerFile parse(std::string_view text, const std::string& name) {
        TokenizerFile file(name, text.size());
        file.budget.take(text.size());
        JsonRules rules;
        rules.float_value = rust_value;
        rules.streams.push_back({{"model", "vocab"}, [&file](const auto* piece, const Json& value) {
                                     file.read_piece(piece, value);
                                 }});
        rules.streams.push_back({{"model", "merges"}, [&file](const auto*, const Json& value) {
                                     file.read_merge(value);
                                 }});
        file.json = parse_json(text, file.budget, rules);
        file.budget.give(text.size());
        return file;
    }

    /// Reads the text of an object {piece: id} as its pieces. Throws FormatError, or
    /// TokenizerError for a text that is no object.
    void read_vocabulary(std::string_view text) {
        budget.take(text.size());
        vocab_path_ = "/";
        JsonRules rules;
        rules.streams.push_back(
            {{}, [this](const auto* piece, const Json& value) { read_piece(piece, value); }});
        const JsonTree shell = parse_json(text, budget, rules);
        (void)TokenizerJson(shell, name()).object();
        has_ids = true;
        budget.give(text.size());
    }

    const std::string& name() const { return budget.file(); }
    const std::string& name_of_merges() const { return merges_name.empty() ? name() : merges_name; }
    TokenizerJson root() const { return {json, name()}; }

    /// Adds a piece with its id or score. Throws FormatError if the budget is not enough.
    void add_piece(std::string_view piece, double value) { pieces.add(piece, value, budget); }

    /// The pieces {piece: id} or [[piece, score]] of /model/vocab. Throws FormatError or
    /// TokenizerError for entries of another form.
    PieceList& pieces_of_object() { return checked_pieces(true, "an object"); }
    PieceList& pieces_of_array() { return checked_pieces(false, "an array"); }

    /// The id of `piece`, or -1, before a model has taken the pieces.
    std::int64_t find(std::string_view piece) {
        const auto number = pieces.find(piece);
        if (!number) return -1;
        return static_cast<std::int64_t>(has_ids ? pieces.value(*number)
                                                 : static_cast<double>(*number));
    }

    /// The same of the last piece of this text in a list without ids.
    std::int64_t find_last(std::string_view piece) {
        std::int64_t id = find(piece);
        const auto is_again = [&](std::int64_t number) {
            return pieces.text(static_cast<std::size_t>(number)) == piece;
        };
        const auto size = static_cast<std::int64_t>(pieces.size());
        for (std::int64_t later = id + 1; id >= 0 && !has_ids && later < size; ++later)
            if (is_again(later)) id = later;
        return id;
    }

    /// Where piece `i` stands, before a model has taken the pieces; `part`: of its entry in a
    /// tokenizer.json.
    std::string piece_path(std::size_t i, const char* part = "") const {
        if (piece_place) return piece_place(i);
        if (is_lines)
            return "line " + std::to_string(static_cast<std::uint64_t>(pieces.value(i)) + 1);
        return vocab_path_ + (has_ids ? printable(pieces.text(i)) : std::to_string(i)) + part;
    }

    /// The merges of /model/merges. Throws TokenizerError for entries of another form.
    const MergeList& checked_merges() const {
        (void)root().at("model").at("merges").array();
        if (merges_fault_) std::rethrow_exception(merges_fault_);
        return merges;
    }
    /// Where merge `i` stands: lines with a version are none.
    std::string merge_path(std::size_t i) const {
        if (merge_place) return merge_place(i);
        for (const std::size_t version : versions_) i += version <= i ? 1U : 0U;
        return "/model/merges/" + std::to_string(i);
    }

    MemoryBudget budget;  ///< what else may be made of the file
    JsonTree json = Json();
    PieceList pieces;
    bool has_ids = false;  ///< the pieces, that is; else they have scores, and are numbered
    MergeList merges;
    std::vector<PlacedToken> more_tokens;  ///< are added after those of /added_tokens
    bool split_special_tokens = false;     ///< special tokens in a text are text
    /// Makes /post_processor when every token has its id.
    std::function<Json(const TokenLookup&)> post_processor;
    /// Where the piece of that number stands in a file that is no tokenizer.json.
    std::function<std::string(std::size_t)> piece_place;
    bool is_lines = false;  ///< a piece stands in the line after its id
    /// Where the merge of that number stands in the file `merges_name`.
    std::function<std::string(std::size_t)> merge_place;
    std::string merges_name;
    FileOptions files;  ///< where notices go

private:
    /// Has `read` add an entry of a list, unless one before it was wrong. If it throws it is
    /// called again with the entry's path, which would take most of the time.
    template <typename Path, typename Read>
    void read_entry(const Json& value, std::exception_ptr& fault, const Path& path,
                    const Read& read) {
        if (fault) return;
        try {
            read(TokenizerJson(value, name()));
        } catch (const TokenizerError&) {
            try {
                const std::string place = path();
                read(TokenizerJson(value, name(), place));
            } catch (const TokenizerError&) {
                fault = std::current_exception();
            }
        }
    }

    void read_piece(const std::string* piece, const Json& value) {
        has_ids = piece != nullptr;
        const auto path = [&] {
            return vocab_path_ + (has_ids ? printable(*piece) : std::to_string(pieces.size()));
        };
        read_entry(value, pieces_fault_, path, [&](const TokenizerJson& entry) {
            if (has_ids)
                return add_piece(*piece, static_cast<double>(entry.integer(0, 0x7FFFFFFE)));
            if (entry.array().size() != 2) entry.fail("[piece, score]");
            add_piece(entry.at(std::size_t{0}).string(), entry.at(std::size_t{1}).number());
        });
    }

    void read_merge(const Json& value) {
        if (value.is_string() && value.get_ref<const std::string&>().starts_with("#version")) {
            budget.take(2 * sizeof(std::size_t));
            versions_.push_back(merges.size() + versions_.size());
            return;
        }
        const auto path = [&] { return merge_path(merges.size()); };
        read_entry(value, merges_fault_, path, [&](const TokenizerJson& entry) {
            const auto sides = sides_of(value);
            if (!sides) entry.fail("\"left right\" or [left, right]");
            merges.add(sides->first, sides->second, budget);
        });
    }

    /// Both sides of a merge in either of its JSON forms.
    static std::optional<std::pair<std::string_view, std::string_view>> sides_of(
        const Json& merge) {
        if (merge.is_array()) {
            if (merge.size() != 2 || !merge[0].is_string() || !merge[1].is_string())
                return std::nullopt;
            return std::pair<std::string_view, std::string_view>(
                merge[0].get_ref<const std::string&>(), merge[1].get_ref<const std::string&>());
        }
        if (!merge.is_string()) return std::nullopt;
        return split_merge(merge.get_ref<const std::string&>());
    }

    PieceList& checked_pieces(bool is_object, const char* form) {
        const auto vocab = root().at("model").at("vocab");
        if (is_object ? !vocab.is_object() : !vocab.is_array()) {
            if (pieces.size() == 0) vocab.fail(form);
            throw TokenizerError({name(), vocab.path(), form,
                                  std::string(is_object ? "an array" : "an object") + " of " +
                                      std::to_string(pieces.size())});
        }
        if (pieces_fault_) std::rethrow_exception(pieces_fault_);
        return pieces;
    }

    std::exception_ptr pieces_fault_, merges_fault_;
    const char* vocab_path_ = "/model/vocab/";
    std::vector<std::size_t> versions_;  // where /model/merges has a line with a version
};

}  // namespace nystromformer::inline v0_2::detail
