// SPDX-License-Identifier: MIT
// Parts of a tokenizer.json that several loaders write.
#pragma once

#include <nystromformer/core/json.hpp>
#include <nystromformer/core/memory_budget.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// One step of a template: a text ("$A", "$B") or a special token.
struct TemplateStep {
    std::string name;
    int type_id = 0;
};

/// A value that stands for a "$name" in a text of JSON.
struct JsonPart {
    std::string_view name;
    Json value;
};

/// Replaces each name of a part by its value.
inline void put_parts(Json& json, std::span<JsonPart> parts) {
    if (const auto* text = json.get_ptr<const std::string*>()) {
        const auto part = std::find_if(parts.begin(), parts.end(),
                                       [&](const JsonPart& each) { return each.name == *text; });
        if (part != parts.end()) json = part->value;
    } else if (json.is_structured()) {
        for (Json& item : json) put_parts(item, parts);
    }
}

/// The value of `text`, JSON in which each part's name, as a string, stands for the part's value.
inline Json json_of(std::string_view text, std::vector<JsonPart> parts) {
    MemoryBudget budget("", text.size(), 1);
    JsonTree tree = parse_json(text, budget);
    put_parts(tree.value, parts);
    return std::move(tree.value);
}

/// A TemplateProcessing; `special` are its tokens with their ids, of equal ones the last.
inline Json template_json(const std::vector<TemplateStep>& single,
                          const std::vector<TemplateStep>& pair,
                          const std::vector<std::pair<std::string, std::int64_t>>& special) {
    const auto steps = [](const std::vector<TemplateStep>& from) {
        Json result = Json::array();
        for (const TemplateStep& step : from) {
            const bool is_text = step.name == "$A" || step.name == "$B";
            Json& piece = result.emplace_back()[is_text ? "Sequence" : "SpecialToken"];
            piece["id"] = is_text ? step.name.substr(1) : step.name;
            piece["type_id"] = step.type_id;
        }
        return result;
    };
    Json tokens = Json::object();
    for (const auto& [token, id] : special) {
        Json& entry = tokens[token];
        entry["id"] = token;
        entry["ids"] = Json::array({id});
        entry["tokens"] = Json::array({token});
    }
    Json result;
    result["type"] = "TemplateProcessing";
    result["single"] = steps(single);
    result["pair"] = steps(pair);
    result["special_tokens"] = std::move(tokens);
    return result;
}

/// Puts Lowercase before the normalizer of a tokenizer.json, unless it is that or a Sequence with
/// one. What is no tokenizer.json stays, for its reader to refuse.
inline void lower_case_first(Json& tokenizer) {
    if (!tokenizer.is_object()) return;
    Json lower_case;
    lower_case["type"] = "Lowercase";
    Json& normalizer = tokenizer["normalizer"];
    const bool is_sequence = normalizer.is_object() && normalizer.contains("normalizers") &&
                             normalizer["normalizers"].is_array();
    Json all = Json::array();
    all.push_back(lower_case);
    if (is_sequence) {
        for (const Json& step : normalizer["normalizers"]) {
            if (step == lower_case) return;
            all.push_back(step);
        }
    } else if (!normalizer.is_null()) {
        if (normalizer == lower_case) return;
        all.push_back(normalizer);
    }
    Json sequence;
    sequence["type"] = "Sequence";
    sequence["normalizers"] = std::move(all);
    normalizer = std::move(sequence);
}

inline std::string encode_base64(std::string_view bytes) {
    constexpr char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::uint32_t group = 0;
        for (std::size_t k = i; k < i + 3; ++k)
            group = group << 8 | (k < bytes.size() ? static_cast<unsigned char>(bytes[k]) : 0U);
        for (std::size_t k = 0; k < 4; ++k)
            text += i + k > bytes.size() ? '=' : alphabet[(group >> (18 - 6 * k)) & 63];
    }
    return text;
}

}  // namespace nystromformer::inline v0_2::detail
