// SPDX-License-Identifier: MIT
// The post-processors of tokenizer.json: what stands around one text or two, and where offsets end:
// https://github.com/huggingface/tokenizers/tree/3ba8ad00/tokenizers/src/processors
#pragma once

#include <nystromformer/core/json.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/tokenizer/component.hpp>
#include <nystromformer/tokenizer/encoding.hpp>
#include <nystromformer/tokenizer/post_processors/offset_trimming.hpp>
#include <nystromformer/tokenizer/post_processors/template_processing.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace nystromformer::inline v0_2::detail {

struct SpecialToken {
    std::string text;
    std::int64_t id = 0;

    /// [token, id] under `key`.
    static SpecialToken load(const ComponentJson& component, const char* key) {
        const auto json = component.at(key);
        if (json.array().size() != 2) json.fail("[token, id]");
        return {json.at(std::size_t{0}).string(),
                json.at(1).integer(0, component.limits.vocab_size - 1)};
    }
};

/// Puts special tokens around `encoding` and its windows; null for none.
inline void enclose(Encoding& encoding, const SpecialToken* before, std::int64_t type_before,
                    const SpecialToken& after, std::int64_t type_after) {
    Encoding result;
    if (before != nullptr) append_row(result, before->id, before->text, type_before, false);
    result.overflowing = std::move(encoding.overflowing);
    // What another post-processor added counts as text from here on.
    std::fill(encoding.special_tokens_mask.begin(), encoding.special_tokens_mask.end(), 0);
    auto& sequences = encoding.sequence_ids;
    if (!sequences.empty())
        std::fill(sequences.begin(), sequences.end(),
                  Index{*std::max_element(sequences.begin(), sequences.end())});
    append_rows(result, std::move(encoding));
    append_row(result, after.id, after.text, type_after, false);
    for (Encoding& window : result.overflowing)
        enclose(window, before, type_before, after, type_after);
    encoding = std::move(result);
}

/// `cls text sep`, `cls text sep pair sep`, with type 1 from the pair on.
struct BertProcessing {
    SpecialToken sep, cls;

    static constexpr auto type_names = types("BertProcessing");
    static BertProcessing load(const ComponentJson& component) {
        return {SpecialToken::load(component, "sep"), SpecialToken::load(component, "cls")};
    }

    Index added_tokens(bool is_pair) const { return is_pair ? 3 : 2; }

    void operator()(std::vector<Encoding>& parts, const Texts&, bool add_special_tokens) const {
        for (std::size_t i = 0; i < parts.size() && add_special_tokens; ++i) {
            if (i == 0) {
                enclose(parts[i], &cls, 0, sep, 0);
            } else {
                enclose(parts[i], nullptr, 0, sep, 1);
            }
        }
    }
};

/// `cls text sep`, `cls text sep sep pair sep`, all of type 0.
struct RobertaProcessing {
    SpecialToken sep, cls;
    bool trim_offsets = true;
    bool add_prefix_space = true;

    static constexpr auto type_names = types("RobertaProcessing");
    static RobertaProcessing load(const ComponentJson& component) {
        return {SpecialToken::load(component, "sep"), SpecialToken::load(component, "cls"),
                component.flag("trim_offsets"), component.flag("add_prefix_space")};
    }

    Index added_tokens(bool is_pair) const { return is_pair ? 4 : 2; }

    void operator()(std::vector<Encoding>& parts, const Texts& texts,
                    bool add_special_tokens) const {
        for (std::size_t i = 0; i < parts.size(); ++i) {
            Encoding& part = parts[i];
            if (trim_offsets) OffsetTrimmer(texts, add_prefix_space)(part);
            std::fill(part.type_ids.begin(), part.type_ids.end(), 0);
            if (!add_special_tokens) continue;
            for (Encoding& window : part.overflowing)
                std::fill(window.type_ids.begin(), window.type_ids.end(), 0);
            enclose(part, i == 0 ? &cls : &sep, 0, sep, 0);
        }
    }
};

/// Adds nothing; the offsets leave out spaces.
struct ByteLevelProcessing {
    bool trim_offsets = true;
    bool add_prefix_space = true;

    static constexpr auto type_names = types("ByteLevel");
    static ByteLevelProcessing load(const ComponentJson& component) {
        return {component.flag("trim_offsets"), component.flag("add_prefix_space")};
    }

    Index added_tokens(bool) const { return 0; }

    void operator()(std::vector<Encoding>& parts, const Texts& texts, bool) const {
        if (!trim_offsets) return;
        for (Encoding& part : parts) OffsetTrimmer(texts, add_prefix_space)(part);
    }
};

/// The chain at /post_processor; a Sequence is flat.
class PostProcessor {
public:
    /// Throws TokenizerError, or UnsupportedError for a type that is not known or a second
    /// template.
    static PostProcessor load(const TokenizerJson& json, const ComponentLimits& limits) {
        PostProcessor result;
        read_components(json, "processors", limits, result.steps_);
        const auto templates = std::count_if(
            result.steps_.begin(), result.steps_.end(),
            [](const Step& step) { return std::holds_alternative<TemplateProcessing>(step); });
        if (templates > 1)
            throw UnsupportedError(
                {json.file(), json.path(), "one template", std::to_string(templates)});
        return result;
    }

    /// How many special tokens are added.
    Index added_tokens(bool is_pair) const {
        Index result = 0;
        for (const Step& step : steps_)
            result += std::visit([&](const auto& s) { return s.added_tokens(is_pair); }, step);
        return result;
    }

    /// One encoding of one or two.
    Encoding operator()(std::vector<Encoding> parts, const Texts& texts,
                        bool add_special_tokens) const {
        for (const Step& step : steps_)
            std::visit([&](const auto& s) { s(parts, texts, add_special_tokens); }, step);
        check_windows(parts);
        Encoding result;
        for (Encoding& part : parts) merge(result, std::move(part));
        return result;
    }

private:
    using Step =
        std::variant<TemplateProcessing, BertProcessing, RobertaProcessing, ByteLevelProcessing>;

    /// Every window of a part is joined with every window of the others.
    static void check_windows(const std::vector<Encoding>& parts) {
        constexpr Index max_windows = Index{1} << 30;
        Index windows = 1, longest = 0, rows = 0;
        for (const Encoding& part : parts) {
            windows =
                std::min(max_windows, windows * (static_cast<Index>(part.overflowing.size()) + 1));
            Index row = part.size();
            for (const Encoding& window : part.overflowing) row = std::max(row, window.size());
            longest += row;
            rows += all_rows(part);
        }
        check_rows_made(windows, longest, rows, "truncation");
    }

    std::vector<Step> steps_;
};

}  // namespace nystromformer::inline v0_2::detail
