// SPDX-License-Identifier: MIT
// TemplateProcessing: where the special tokens go around one text or two:
// https://github.com/huggingface/tokenizers/blob/3ba8ad00/tokenizers/src/processors/template.rs
#pragma once

#include <nystromformer/core/json.hpp>
#include <nystromformer/tokenizer/component.hpp>
#include <nystromformer/tokenizer/encoding.hpp>
#include <nystromformer/tokenizer/post_processors/offset_trimming.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// A template for one text and one for a pair.
class TemplateProcessing {
public:
    static constexpr auto type_names = types("TemplateProcessing");
    static TemplateProcessing load(const ComponentJson& component) {
        const TokenizerJson& json = component.json;
        const std::int64_t vocab_size = component.limits.vocab_size;
        TemplateProcessing result;
        const auto special = json.at("special_tokens").object();
        result.single_ = read(json.at("single").array(), special, 1, vocab_size);
        result.pair_ = read(json.at("pair").array(), special, 2, vocab_size);
        return result;
    }

    /// How many special tokens are added.
    Index added_tokens(bool is_pair) const {
        Index result = 0;
        for (const Step& step : is_pair ? pair_ : single_)
            result += static_cast<Index>(step.ids.size());
        return result;
    }

    /// One or two encodings become the parts of the template. Throws InputError if a template
    /// that has a text often would take much memory.
    void operator()(std::vector<Encoding>& parts, const Texts&, bool add_special_tokens) const {
        std::vector<Encoding> result;
        const std::vector<Step>& steps = parts.size() > 1 ? pair_ : single_;
        Index rows = 0;
        for (const Encoding& part : parts) rows += all_rows(part);
        check_rows_made(static_cast<Index>(steps.size()), rows, rows, "post_processor");
        for (std::size_t i = 0; i < steps.size(); ++i) {
            const Step& step = steps[i];
            if (step.sequence < 0) {
                if (add_special_tokens) result.push_back(special_rows(step));
                continue;
            }
            Encoding& text = parts[static_cast<std::size_t>(step.sequence)];
            std::fill(text.type_ids.begin(), text.type_ids.end(), step.type_id);
            const bool is_last_use =
                std::none_of(steps.begin() + static_cast<std::ptrdiff_t>(i) + 1, steps.end(),
                             [&](const Step& later) { return later.sequence == step.sequence; });
            if (is_last_use) {
                result.push_back(std::move(text));
            } else {
                result.push_back(text);
            }
        }
        parts.swap(result);
    }

private:
    /// A text (sequence 0 or 1), or special tokens (sequence -1).
    struct Step {
        int sequence = -1;
        std::int64_t type_id = 0;
        std::vector<std::int64_t> ids;
        std::vector<std::string> tokens;
    };

    static Encoding special_rows(const Step& step) {
        Encoding result;
        for (std::size_t i = 0; i < step.ids.size(); ++i)
            append_row(result, step.ids[i], step.tokens[i], step.type_id, false);
        return result;
    }

    static std::vector<Step> read(const JsonView<TokenizerError>& json,
                                  const JsonView<TokenizerError>& special, int texts,
                                  std::int64_t vocab_size) {
        constexpr std::size_t max_steps = 256;
        if (json.size() > max_steps) json.fail("at most " + std::to_string(max_steps) + " steps");
        std::vector<Step> steps;
        for (std::size_t i = 0; i < json.size(); ++i) {
            const auto entry = json.at(i).object();
            const bool is_text = entry.has("Sequence");
            if (entry.size() != 1 || (!is_text && !entry.has("SpecialToken")))
                entry.fail("{\"Sequence\": ...} or {\"SpecialToken\": ...}");
            const auto value = entry.at(is_text ? "Sequence" : "SpecialToken").object();
            Step step;
            step.type_id = value.at("type_id").integer(0, 0x7FFFFFFF);
            const std::string& id = value.at("id").string();
            if (is_text) {
                if (id != "A" && (id != "B" || texts < 2))
                    value.at("id").fail(texts < 2 ? "\"A\"" : "\"A\" or \"B\"");
                step.sequence = id == "A" ? 0 : 1;
            } else {
                if (!special.has(id.c_str()))
                    value.at("id").fail("the name of one of the special_tokens");
                read_special(special.at(id), step, vocab_size);
            }
            steps.push_back(std::move(step));
            check_added(json, steps);
        }
        return steps;
    }

    static void read_special(const JsonView<TokenizerError>& json, Step& step,
                             std::int64_t vocab_size) {
        constexpr std::size_t max_token = 4096;
        const auto ids = json.at("ids").array();
        const auto tokens = json.at("tokens").array();
        if (ids.size() != tokens.size())
            tokens.fail("as many as there are ids, " + std::to_string(ids.size()));
        for (std::size_t i = 0; i < ids.size(); ++i) {
            step.ids.push_back(ids.at(i).integer(0, vocab_size - 1));
            const auto token = tokens.at(i);
            if (token.string().size() > max_token)
                token.fail("at most " + std::to_string(max_token) + " bytes");
            step.tokens.push_back(token.string());
        }
    }

    /// A file has special tokens once and can name them in each of many steps.
    static void check_added(const JsonView<TokenizerError>& json, const std::vector<Step>& steps) {
        constexpr std::size_t max_added = 4096;
        std::size_t added = 0;
        for (const Step& step : steps) added += step.ids.size();
        if (added > max_added)
            json.fail("at most " + std::to_string(max_added) + " special tokens in all");
    }

    std::vector<Step> single_;
    std::vector<Step> pair_;
};

}  // namespace nystromformer::inline v0_2::detail
