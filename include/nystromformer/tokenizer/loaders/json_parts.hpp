// SPDX-License-Identifier: MIT
// Parts of a tokenizer.json that several loaders write.
#pragma once

#include <nystromformer/core/json.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::detail {

/// One step of a template: a text ("$A", "$B") or a special token.
struct TemplateStep {
    std::string name;
    int type_id = 0;
};

/// A TemplateProcessing; `special` are its tokens with their ids.
inline Json template_json(const std::vector<TemplateStep>& single,
                          const std::vector<TemplateStep>& pair,
                          const std::vector<std::pair<std::string, std::int64_t>>& special) {
    const auto steps = [](const std::vector<TemplateStep>& from) {
        Json result = Json::array();
        for (const TemplateStep& step : from) {
            const bool is_text = step.name == "$A" || step.name == "$B";
            const std::string id = is_text ? step.name.substr(1) : step.name;
            result.push_back(
                {{is_text ? "Sequence" : "SpecialToken", {{"id", id}, {"type_id", step.type_id}}}});
        }
        return result;
    };
    Json tokens = Json::object();
    for (const auto& [token, id] : special)
        tokens[token] = {
            {"id", token}, {"ids", Json::array({id})}, {"tokens", Json::array({token})}};
    return {{"type", "TemplateProcessing"},
            {"single", steps(single)},
            {"pair", steps(pair)},
            {"special_tokens", tokens}};
}

/// The id of `content` in a list /added_tokens, which has it, once.
inline std::int64_t added_id(const Json& added_tokens, std::string_view content) {
    std::int64_t id = -1;
    for (const Json& token : added_tokens)
        if (token["content"] == content) id = token["id"].get<std::int64_t>();
    return id;
}

/// Puts Lowercase before the normalizer of a tokenizer.json, unless it is that or a Sequence with
/// one. What is no tokenizer.json stays, for its reader to refuse.
inline void lower_case_first(Json& tokenizer) {
    if (!tokenizer.is_object()) return;
    const Json lower_case = {{"type", "Lowercase"}};
    Json& normalizer = tokenizer["normalizer"];
    const bool is_sequence = normalizer.is_object() && normalizer.contains("normalizers") &&
                             normalizer["normalizers"].is_array();
    const Json steps = is_sequence            ? normalizer["normalizers"]
                       : normalizer.is_null() ? Json::array()
                                              : Json::array({normalizer});
    Json all = Json::array({lower_case});
    for (const Json& step : steps) {
        if (step == lower_case) return;
        all.push_back(step);
    }
    normalizer = {{"type", "Sequence"}, {"normalizers", all}};
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

}  // namespace nystromformer::detail
