// SPDX-License-Identifier: MIT
// Fuzz targets: tokenizer_json, built_tokenizer, charsmap, spiece, encode, decode.
#include "built_tokenizer.hpp"
#include "fuzz.hpp"

#include <nystromformer/tokenizer.hpp>
#include <nystromformer/tokenizer/tokenizer.hpp>

#include <fuzzer/FuzzedDataProvider.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::fuzz {
namespace {

using detail::Json;
namespace utf8 = detail::utf8;

Json read_data(const char* name) {
    const auto path = std::filesystem::path(NYSTROMFORMER_TEST_DATA) / "tokenizer" / name;
    return detail::read_json_file(path, 1 << 22);
}

/// Each model, post-processor, decoder, normaliser and pre-tokeniser of the recorded cases.
std::vector<Tokenizer> load_tokenizers() {
    std::vector<Tokenizer> result;
    const Json models = read_data("models.json");
    for (const Json& one : models.at("cases")) {
        Json json = one.at("tokenizer");
        json["model"] = models.at("models").at(json.at("model").get<std::string>());
        result.push_back(Tokenizer::from_json(json.dump()));
    }
    const Json components = read_data("components.json");
    for (const Json& one : components.at("cases")) {
        Json json;
        json["model"] = Json::parse(R"({"type": "Unigram", "unk_id": 0, "vocab":
            [["<unk>", 0.0], ["a", -1.0], ["ab", -1.5], ["\u2581", -2.0]]})");
        json["normalizer"] = one.at("normalizer");
        json["pre_tokenizer"] = one.at("pre_tokenizer");
        result.push_back(Tokenizer::from_json(json.dump()));
    }
    return result;
}

const std::vector<Tokenizer>& tokenizers() {
    static const std::vector<Tokenizer> result = set_up(load_tokenizers);
    return result;
}

/// In code points, each ill-formed part is one.
struct Lengths {
    Index bytes = 0, points = 0;
};

Lengths lengths_of(std::string_view text) {
    const std::size_t points =
        utf8::is_valid(text) ? utf8::count(text) : utf8::count(utf8::repair(text).text);
    return {static_cast<Index>(text.size()), static_cast<Index>(points)};
}

/// Rows are of equal number, ids below vocab_size, offsets in the texts.
void check_encoding(const Tokenizer& tokenizer, const Encoding& encoding,
                    const std::array<Lengths, 2>& texts) {
    detail::for_each_row_vector(
        [&](const auto& rows) { require(rows.size() == encoding.ids.size(), "equal rows"); },
        encoding);
    for (std::size_t i = 0; i < encoding.ids.size(); ++i) {
        const bool is_padding = encoding.attention_mask[i] == 0;  // its id is a file's own affair
        require(encoding.ids[i] >= 0 && (is_padding || encoding.ids[i] < tokenizer.vocab_size()),
                "a known id");
        const Index which = encoding.sequence_ids[i];
        require(which >= -1 && which <= 1, "one of two texts");
        const auto [begin, end] = encoding.offsets[i];
        const auto [first, last] = encoding.byte_offsets[i];
        require(0 <= begin && begin <= end && 0 <= first && first <= last, "offsets in order");
        const Lengths most = which < 0 ? Lengths{} : texts[static_cast<std::size_t>(which)];
        require(end <= most.points, "offsets in the text");
        require(last <= most.bytes, "byte offsets in the text");
        require(utf8::is_valid(encoding.tokens[i]), "tokens in UTF-8");
    }
    for (const Encoding& window : encoding.overflowing) check_encoding(tokenizer, window, texts);
}

/// Tokens without truncation and of one text begin where the one before began, or later. A second
/// post-processor takes the special tokens of the first, whose offsets are 0, for part of the text.
void check_monotone(const Encoding& encoding) {
    const auto is_in_text = [&](std::size_t i) {
        return encoding.sequence_ids[i] == 0 && encoding.byte_offsets[i].second != 0;
    };
    for (std::size_t i = 1; i < encoding.ids.size(); ++i) {
        if (!is_in_text(i) || !is_in_text(i - 1)) continue;
        require(encoding.byte_offsets[i - 1].first <= encoding.byte_offsets[i].first &&
                    encoding.byte_offsets[i - 1].second <= encoding.byte_offsets[i].second,
                "monotone offsets");
    }
}

void use(const Tokenizer& tokenizer, std::string_view text) {
    allow_errors([&] {
        const Encoding encoding = tokenizer.encode(text);
        check_encoding(tokenizer, encoding, {lengths_of(text), Lengths{}});
        require(utf8::is_valid(tokenizer.decode(encoding.ids)), "decoded to UTF-8");
    });
    allow_errors([&] {
        check_encoding(tokenizer, tokenizer.encode(text, "ab c"),
                       {lengths_of(text), lengths_of("ab c")});
    });
}

/// A tokenizer.json, and where it loads, some texts through it. The end of the file is one of them,
/// so that the fuzzer can shape both.
void tokenizer_json(std::string_view data) {
    const Tokenizer tokenizer = Tokenizer::from_json(data);
    require(tokenizer.vocab_size() >= 0, "a size");
    for (const std::string_view text :
         {std::string_view("Hello, w\u00f6rld! 12 caf\u00e9"), std::string_view(""),
          std::string_view("\xFF\0a\u0301\u4e00 [MASK] aaaa", 18),
          data.substr(data.size() - std::min<std::size_t>(data.size(), 64))})
        use(tokenizer, text);
    (void)tokenizer.decode(std::vector<std::int64_t>{0, 1, 2, 3, tokenizer.vocab_size()});
}

/// The map, walked by an independent reading of it: the shortest prefix wins.
std::optional<std::string> find_again(std::string_view blob, std::string_view key) {
    const auto unit = [&](std::size_t i) {
        std::uint32_t value = 0;
        std::memcpy(&value, blob.data() + 4 + 4 * i, 4);
        return value;
    };
    std::uint32_t size = 0;
    std::memcpy(&size, blob.data(), 4);
    const auto leads_to = [](std::uint32_t u) {
        return std::size_t{u >> 10} << ((u & (1u << 9)) != 0 ? 8 : 0);
    };
    std::size_t node = leads_to(unit(0));
    for (const char c : key) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte == 0) return std::nullopt;
        node ^= byte;
        require(node < size / 4, "checked at load");
        if ((unit(node) & 0x800000FFu) != byte) return std::nullopt;
        const std::uint32_t u = unit(node);
        node ^= leads_to(u);
        require(node < size / 4, "checked at load");
        if ((u >> 8 & 1) == 0) continue;
        const std::size_t start = 4 + size + (unit(node) & 0x7FFFFFFFu);
        require(start < blob.size(), "checked at load");
        return std::string(blob.data() + start, strnlen(blob.data() + start, blob.size() - start));
    }
    return std::nullopt;
}

void charsmap(std::string_view data) {
    const detail::Charsmap map(data, "f", "/m");
    for (unsigned a = 0; a < 256; ++a) {
        const char key[] = {static_cast<char>(a), 'a', static_cast<char>(0xCC)};
        for (std::size_t size = 1; size <= 3; ++size) {
            const auto found = map.find({key, size});
            const auto again = find_again(data, {key, size});
            require(found.has_value() == again.has_value() && (!found || *found == *again),
                    "the same replacement");
        }
    }
    const detail::Precompiled normalizer(map);
    std::string text = "A\u0301 \uFB01 \u2460\u1100\u1161 \U0001F1E9\U0001F1EA ab\r\nc";
    text += utf8::repair(data.substr(data.size() - std::min<std::size_t>(data.size(), 48))).text;
    detail::NormalizedText target;
    target.append_original(text, 0, text.size());
    normalizer(target);
    require(utf8::is_valid(target.text), "still UTF-8");
    require(target.spans.size() == target.text.size(), "a span a byte");
    for (const auto& span : target.spans)
        require(span.begin <= span.end && span.end <= text.size(), "spans in the text");
}

/// One field of one unit changes; the rest stays a trie.
void mutate_charsmap(std::string& data, unsigned seed, std::size_t most) {
    std::uint32_t size = 0;
    if (data.size() >= 4) std::memcpy(&size, data.data(), 4);
    if (data.size() < 8 || size < 4 || size > data.size() - 4) {
        data.resize(LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(data.data()), data.size(),
                                     data.size()));
        return;
    }
    FuzzedDataProvider random(reinterpret_cast<const std::uint8_t*>(&seed), sizeof seed);
    const std::size_t count = size / 4;
    const std::size_t at = 4 + 4 * (seed % count);
    std::uint32_t unit = 0;
    std::memcpy(&unit, data.data() + at, 4);
    switch (seed / count % 6) {
        case 0:
            unit ^= 1u << 8;  // leaf
            break;
        case 1:
            unit ^= 1u << 9;  // far offset
            break;
        case 2:
            unit = (unit & ~0xFFu) | (seed >> 7 & 0xFF);  // label
            break;
        case 3:
            unit = (unit & 0x3FFu) | (seed >> 5 & 0x1FF) << 10;  // offset
            break;
        case 4:
            unit = 0x80000000u | (seed >> 5 & 0xFF);  // value
            break;
        default:
            if (data.size() + 1 < most) data.insert(data.size() - 1, 1, 'x');
    }
    std::memcpy(data.data() + at, &unit, 4);
}

/// A SentencePiece model as the three classes of tokenizers read it; the size says which one.
void spiece(std::string_view data) {
    detail::TokenizerFile file("f", data.size());
    const auto model = detail::SentencePieceModel::parse(data, file.budget);
    detail::FolderConfig config("/nowhere");
    if (data.size() % 4 == 1) {
        detail::fill_xlm_roberta(model, config, file);
    } else if (data.size() % 4 == 2) {
        detail::fill_camembert(model, config, file);
    } else {
        detail::fill_albert(model, config, file);
    }
    detail::FolderFiles::add_tokens(config, file);
    const Tokenizer tokenizer(std::make_shared<const detail::TokenizerBody>(
        detail::TokenizerBody{detail::TokenizerParts::load(file), {}}));
    use(tokenizer, "a 5,[MASK] \u00e9t\u00e9 xyz");
}

/// Encodes with every choice of options and decodes what that gave.
void use_with_options(const Tokenizer& tokenizer, FuzzedDataProvider& input,
                      const std::array<std::string, 2>& texts) {
    EncodeOptions options;
    const auto flags = input.ConsumeIntegral<std::uint8_t>();
    options.add_special_tokens = (flags & 1) != 0;
    if ((flags & 2) != 0) {
        options.truncation = Truncation{.max_length = flags >> 4, .stride = flags >> 6};
        options.padding = Padding{.strategy = PaddingStrategy::fixed, .length = 1 + (flags >> 3)};
    }
    const auto lengths = std::array{lengths_of(texts[0]), lengths_of(texts[1])};
    for (const bool is_pair : {false, true}) {
        allow_errors([&] {
            const Encoding encoding = is_pair ? tokenizer.encode(texts[0], texts[1], options)
                                              : tokenizer.encode(texts[0], options);
            check_encoding(tokenizer, encoding, lengths);
            for (const bool skips : {false, true})
                require(
                    utf8::is_valid(tokenizer.decode(encoding.ids, {.skip_special_tokens = skips})),
                    "decoded to UTF-8");
        });
    }
}

/// A tokenizer.json that is made of the input, and texts of the same strings.
void built_tokenizer(std::string_view data) {
    FuzzedDataProvider input(reinterpret_cast<const std::uint8_t*>(data.data()), data.size());
    BuiltTokenizer built(input);
    const Tokenizer tokenizer = Tokenizer::from_json(built.json().dump());
    for (int i = 0; i < 3; ++i) use_with_options(tokenizer, input, {built.text(), built.text()});
    use(tokenizer, data.substr(0, 64));
}

/// The first bytes choose the tokenizer and how it is called, the rest is text.
void encode(std::string_view data) {
    FuzzedDataProvider input(reinterpret_cast<const std::uint8_t*>(data.data()), data.size());
    const auto& all = tokenizers();
    const Tokenizer& tokenizer = all[input.ConsumeIntegral<std::uint8_t>() % all.size()];
    EncodeOptions options;
    const auto flags = input.ConsumeIntegral<std::uint8_t>();
    options.add_special_tokens = (flags & 1) != 0;
    if ((flags & 2) != 0) {
        auto& truncation = options.truncation = {};
        truncation.max_length = input.ConsumeIntegral<std::int8_t>();
        truncation.stride = input.ConsumeIntegral<std::int8_t>();
        truncation.strategy = static_cast<TruncationStrategy>(flags >> 6);
        if ((flags & 4) != 0) truncation.direction = Direction::left;
    }
    if ((flags & 8) != 0) {
        auto& padding = options.padding = {};
        padding.strategy = (flags & 16) != 0 ? PaddingStrategy::fixed : PaddingStrategy::longest;
        const auto length = input.ConsumeIntegral<std::int8_t>();
        if (padding.strategy == PaddingStrategy::fixed) padding.length = length;
        padding.pad_to_multiple_of = input.ConsumeIntegral<std::int8_t>();
        if ((flags & 4) != 0) padding.direction = Direction::left;
    }
    std::string pair;
    if ((flags & 32) != 0) pair = input.ConsumeRandomLengthString();
    const std::string text = input.ConsumeRemainingBytesAsString();
    const Encoding encoding =
        (flags & 32) != 0 ? tokenizer.encode(text, pair, options) : tokenizer.encode(text, options);
    check_encoding(tokenizer, encoding, {lengths_of(text), lengths_of(pair)});
    if ((flags & 10) == 0) check_monotone(encoding);
    const auto batch = tokenizer.encode_batch(std::vector<std::string>{text, text}, options);
    require(batch[0].ids == batch[1].ids, "one text, one encoding");
    if ((flags & 32) == 0) require(batch[0].ids == encoding.ids, "alone as in a batch");
    require(utf8::is_valid(tokenizer.decode(encoding.ids, {.skip_special_tokens = false})),
            "decoded to UTF-8");
}

/// Any ids, decoded.
void decode(std::string_view data) {
    FuzzedDataProvider input(reinterpret_cast<const std::uint8_t*>(data.data()), data.size());
    const auto& all = tokenizers();
    const Tokenizer& tokenizer = all[input.ConsumeIntegral<std::uint8_t>() % all.size()];
    DecodeOptions options;
    const auto flags = input.ConsumeIntegral<std::uint8_t>();
    options.skip_special_tokens = (flags & 1) != 0;
    if ((flags & 2) != 0) options.clean_up_tokenization_spaces = (flags & 4) != 0;
    std::vector<std::int64_t> ids;
    while (input.remaining_bytes() > 0) {
        ids.push_back((flags & 8) != 0 ? input.ConsumeIntegral<std::int64_t>()
                                       : input.ConsumeIntegral<std::uint8_t>());
    }
    const bool negative =
        std::any_of(ids.begin(), ids.end(), [](std::int64_t id) { return id < 0; });
    try {
        const std::string text = tokenizer.decode(ids, options);
        require(!negative, "negative ids are refused");
        require(utf8::is_valid(text), "decoded to UTF-8");
    } catch (const InputError&) {
        require(negative, "only negative ids are refused");
    }
}

constexpr Target all[] = {{"encode", encode},
                          {"decode", decode},
                          {"tokenizer_json", tokenizer_json},
                          {"built_tokenizer", built_tokenizer},
                          {"charsmap", charsmap, mutate_charsmap},
                          {"spiece", spiece}};

}  // namespace

std::span<const Target> targets() { return all; }

}  // namespace nystromformer::fuzz
