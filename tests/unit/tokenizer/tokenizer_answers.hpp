// SPDX-License-Identifier: MIT
// What the tests of tokenizers compare with recorded answers of Hugging Face's library.
#pragma once

#include <nystromformer/tokenizer.hpp>

#include <algorithm>
#include <iterator>
#include <string>

namespace nf = nystromformer;
using nf::detail::Json;

/// What record.py keeps of an encoding: nothing empty, no mask of ones only, no zeros only.
inline Json to_json(const nf::Encoding& encoding) {
    Json result = {{"ids", encoding.ids},
                   {"tokens", encoding.tokens},
                   {"offsets", encoding.offsets},
                   {"type_ids", encoding.type_ids},
                   {"attention_mask", encoding.attention_mask},
                   {"special_tokens_mask", encoding.special_tokens_mask},
                   {"word_ids", encoding.word_ids},
                   {"sequence_ids", encoding.sequence_ids}};
    for (const nf::Encoding& window : encoding.overflowing) {
        result["overflowing"].push_back(to_json(window));
        result["overflowing"].back().erase("sequence_ids");
    }
    if (std::count(encoding.attention_mask.begin(), encoding.attention_mask.end(), 0) == 0)
        result.erase("attention_mask");
    for (const char* key : {"type_ids", "special_tokens_mask", "sequence_ids"}) {
        const auto is_zero = [](const Json& value) { return value == 0; };
        if (result.contains(key) && std::all_of(result[key].begin(), result[key].end(), is_zero))
            result.erase(key);
    }
    for (auto entry = result.begin(); entry != result.end();)
        entry = entry->empty() ? result.erase(entry) : std::next(entry);
    return result;
}

inline Json answer(const nf::Tokenizer& tokenizer, const Json& request) {
    try {
        const auto text = request.at("text").get<std::string>();
        const nf::Encoding encoding =
            request.contains("pair") ? tokenizer.encode(text, request.at("pair").get<std::string>())
                                     : tokenizer.encode(text);
        Json result = to_json(encoding);
        result["decoded"] = {tokenizer.decode(encoding.ids),
                             tokenizer.decode(encoding.ids, {.skip_special_tokens = false})};
        return result;
    } catch (const nf::InputError&) {
        return "refused";
    } catch (const nf::TokenizerError&) {
        return "refused";
    }
}

/// The error of `action`, as "class place".
template <typename Action>
std::string refusal_of(Action&& action) {
    try {
        action();
        return "none";
    } catch (const nf::TokenizerError& error) {
        return "TokenizerError " + error.place();
    } catch (const nf::InputError& error) {
        return "InputError " + error.place();
    } catch (const nf::UnsupportedError& error) {
        return "UnsupportedError " + error.place();
    } catch (const nf::FormatError& error) {
        return "FormatError " + error.place();
    } catch (const nf::IoError&) {
        return "IoError";
    }
}
