// SPDX-License-Identifier: MIT
// What a tokenizer says of itself besides encodings, as JSON.
#pragma once

#include <nystromformer/tokenizer.hpp>

#include <nlohmann/json.hpp>

inline nlohmann::json tokenizer_facts(const nystromformer::Tokenizer& tokenizer) {
    using Json = nlohmann::json;
    const auto or_null = [](const auto& value) { return value ? Json(*value) : Json(); };
    const auto name = [](nystromformer::Direction side) {
        return side == nystromformer::Direction::left ? "left" : "right";
    };
    return {{"mask_token", or_null(tokenizer.mask_token())},
            {"pad_token", or_null(tokenizer.pad_token())},
            {"unk_token", or_null(tokenizer.unk_token())},
            {"cls_token", or_null(tokenizer.cls_token())},
            {"sep_token", or_null(tokenizer.sep_token())},
            {"model_max_length", or_null(tokenizer.model_max_length())},
            {"gives_token_type_ids", or_null(tokenizer.gives_token_type_ids())},
            {"truncation_side", name(tokenizer.truncation_side())},
            {"padding_side", name(tokenizer.padding_side())}};
}
