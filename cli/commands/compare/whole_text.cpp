// SPDX-License-Identifier: MIT
#include "commands/compare/whole_text.hpp"

#include <nystromformer/error.hpp>

#include <algorithm>
#include <cstddef>
#include <string>

namespace compare_command {

using nystromformer::Index;

nf::Tokenizer tokenizer_of(const std::filesystem::path& folder, const nf::LoadOptions& options) {
    nf::FileOptions files = options.files;
    if (options.on_notice) files.on_notice = options.on_notice;
    return nf::Tokenizer::from_pretrained(folder, false, files);
}

nf::Encoding encode_whole(const nf::Tokenizer& tokenizer, const nf::NystromformerConfig& config,
                          std::string_view text, const nf::LongText& long_text) {
    nf::EncodeOptions options{.truncation = nf::no_truncation, .padding = nf::no_padding};
    nf::Encoding encoding = tokenizer.encode(text, options);
    const Index max_length = config.max_length();
    const Index cut_length =
        std::min(max_length, tokenizer.model_max_length().value_or(max_length));
    if (long_text.truncation && encoding.size() > cut_length) {
        if (long_text.on_truncation) long_text.on_truncation({0, encoding.size(), cut_length, 1});
        options.truncation = {.max_length = cut_length};
        encoding = tokenizer.encode(text, options);
    }
    if (encoding.size() == 0) throw nf::InputError({"", "", "at least one token", "none"});
    if (encoding.size() > max_length) {
        throw nf::LengthError(
            {"", "", "at most the model's " + std::to_string(max_length) + " tokens",
             std::to_string(encoding.size())},
            encoding.ids.size(), static_cast<std::size_t>(max_length));
    }
    // As transformers 5 does where the tokenizer's files do not say.
    if (!tokenizer.gives_token_type_ids().value_or(false))
        std::fill(encoding.type_ids.begin(), encoding.type_ids.end(), 0);
    return encoding;
}

}  // namespace compare_command
