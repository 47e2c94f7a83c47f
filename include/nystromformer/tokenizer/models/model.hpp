// SPDX-License-Identifier: MIT
// The model of a tokenizer.json, whichever of the four it is.
#pragma once

#include <nystromformer/core/json.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/tokenizer/component.hpp>
#include <nystromformer/tokenizer/models/bpe.hpp>
#include <nystromformer/tokenizer/models/unigram.hpp>
#include <nystromformer/tokenizer/models/vocabulary.hpp>
#include <nystromformer/tokenizer/models/word_level.hpp>
#include <nystromformer/tokenizer/models/wordpiece.hpp>
#include <nystromformer/tokenizer/tokenizer_file.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <variant>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// Cuts a word into tokens; immutable.
class Model {
    template <typename Visitor>
    auto visit(Visitor&& visitor) const {
        return std::visit([&](const auto& model) { return visitor(model.vocabulary()); }, model_);
    }

public:
    /// What one call needs; reused from word to word.
    struct Workspace {
        std::vector<ModelToken> tokens;
        std::tuple<Unigram::Workspace, Bpe::Workspace, WordPiece::Workspace, WordLevel::Workspace>
            of_models;
    };

    /// Takes /model out of `file`. Throws FormatError, TokenizerError, or UnsupportedError for a
    /// type that is not known.
    static Model load(TokenizerFile& file) {
        const auto json = file.root().at("model");
        const std::string type = type_of(json.object());
        Model result;
        result.load(type, file, std::type_identity<Kinds>());
        return result;
    }

    /// Files of 2020 do not name the type; Hugging Face tries them in this order.
    static std::string type_of(const JsonView<TokenizerError>& json) {
        if (json.has("type")) return json.at("type").string();
        if (json.at("vocab").is_array()) return "Unigram";
        if (json.has("merges")) return "BPE";
        return json.has("continuing_subword_prefix") && json.has("max_input_chars_per_word")
                   ? "WordPiece"
                   : "WordLevel";
    }

    bool is_bpe() const { return std::holds_alternative<Bpe>(model_); }

    /// How many pieces there are; ids may leave gaps.
    std::size_t size() const {
        return visit([](const auto& vocabulary) { return vocabulary.size(); });
    }
    /// Ids are below this.
    std::int64_t id_end() const {
        return visit([](const auto& vocabulary) { return vocabulary.id_end(); });
    }
    /// The piece of `id`, or none.
    std::optional<std::string_view> piece(std::int64_t id) const {
        return visit([id](const auto& vocabulary) { return vocabulary.piece(id); });
    }
    /// The id of `piece`, or -1.
    std::int32_t find(std::string_view piece) const {
        return visit([piece](const auto& vocabulary) { return vocabulary.find(piece); });
    }

    /// The tokens of `text` (valid UTF-8), in workspace.tokens. Throws InputError, or
    /// TokenizerError if the text needs an unknown token that the model does not have.
    void tokenize(std::string_view text, Workspace& workspace) const {
        if (text.size() >= 0xFFFFFFFF)
            throw InputError({"", "text", "words below 4 GiB", std::to_string(text.size())});
        workspace.tokens.clear();
        std::visit(
            [&](const auto& model) {
                using Kind = std::decay_t<decltype(model)>;
                model.tokenize(text, std::get<typename Kind::Workspace>(workspace.of_models),
                               workspace.tokens);
            },
            model_);
    }

private:
    using Kinds = std::variant<Unigram, Bpe, WordPiece, WordLevel>;

    template <typename... Kind>
    void load(const std::string& type, TokenizerFile& file,
              std::type_identity<std::variant<Kind...>>) {
        const auto load_if_named = [&]<typename One>(std::type_identity<One>) {
            if (is_named<One>(type)) model_ = One::load(file);
            return is_named<One>(type);
        };
        if ((load_if_named(std::type_identity<Kind>()) || ...)) return;
        const auto json = file.root().at("model").at("type");
        throw UnsupportedError(
            {json.file(), json.path(), "one of " + names_of_types<Kind...>(), in_quotes(type)});
    }

    Kinds model_;
};

}  // namespace nystromformer::inline v0_2::detail
