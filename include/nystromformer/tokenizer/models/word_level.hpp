// SPDX-License-Identifier: MIT
// The WordLevel model: a word is one token, known or not:
// https://github.com/huggingface/tokenizers/blob/3ba8ad00/tokenizers/src/models/wordlevel/mod.rs
#pragma once

#include <nystromformer/error.hpp>
#include <nystromformer/tokenizer/models/vocabulary.hpp>
#include <nystromformer/tokenizer/tokenizer_file.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// Words and their ids; immutable.
class WordLevel {
public:
    struct Workspace {};

    static constexpr auto type_names = types("WordLevel");
    /// Takes /model out of `file`. Throws FormatError or TokenizerError.
    static WordLevel load(TokenizerFile& file) {
        const auto json = file.root().at("model");
        WordLevel model;
        model.vocabulary_ = Vocabulary(file);
        const std::string& unknown = json.at("unk_token").string();
        model.unknown_ = {unknown, model.vocabulary_.find(unknown)};
        return model;
    }

    const Vocabulary& vocabulary() const { return vocabulary_; }

    /// The token of `text`, in `tokens`. Throws TokenizerError for an unknown word without a token.
    void tokenize(std::string_view text, Workspace&, std::vector<ModelToken>& tokens) const {
        std::int32_t id = vocabulary_.find(text);
        if (id < 0) id = unknown_();
        tokens.push_back({id, 0, static_cast<std::uint32_t>(text.size()), true});
    }

private:
    Vocabulary vocabulary_;
    UnknownToken unknown_;
};

}  // namespace nystromformer::inline v0_2::detail
