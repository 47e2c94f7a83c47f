// SPDX-License-Identifier: MIT
// The tokenizer beside recorded answers of Hugging Face's library (tests/tokenizer/record.py), and
// what malformed files and texts get.
#include "support/catch.hpp"
#include "support/library.hpp"

#include <nystromformer/core/json.hpp>
#include <nystromformer/nystromformer.hpp>
#include "unit/tokenizer/tokenizer_answers.hpp"
#include "unit/tokenizer/tokenizer_files.hpp"

#include <nystromformer/tokenizer.hpp>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace tokenizer_test {

using namespace nystromformer::testing;

namespace {

const std::filesystem::path model_folder =
    std::filesystem::path(NYSTROMFORMER_MODELS) / "nystromformer-small-en";

const nf::Tokenizer& bundled() {
    static const nf::Tokenizer tokenizer = nf::Tokenizer::from_pretrained(model_folder);
    return tokenizer;
}

/// The bundled tokenizer.json with a case's changes.
std::string changed(const Json& base, const std::string& charsmap, const Json& changes) {
    Json result = base;
    for (const auto& [key, value] : changes.items()) {
        if (key == "vocab") {
            for (const Json& entry : value) result["model"]["vocab"].push_back(entry);
        } else if (key == "model") {
            result[key].update(value);
        } else {
            result[key] = value;
        }
    }
    std::string text = result.dump();
    for (auto at = text.find("@base"); at != std::string::npos; at = text.find("@base", at))
        text.replace(at, 5, charsmap);
    return text;
}

nf::Tokenizer load(const Json& json) {
    return nf::Tokenizer::from_json(json.dump(), {}, {}, "t.json");
}

/// The error of loading `text`, as "class place".
std::string refusal(const std::string& text) {
    return refusal_of([&] { (void)nf::Tokenizer::from_json(text, {}, {}, "t.json"); });
}

}  // namespace

TEST_CASE("the tokenizer and its variants say what Hugging Face's library says") {
    const Json recorded = nf::detail::read_json_file(
        std::filesystem::path(NYSTROMFORMER_TEST_DATA) / "tokenizer/expected.json", 1 << 20);
    Json base = nf::detail::read_json_file(model_folder / "tokenizer.json", 1 << 24);
    const auto map =
        base["normalizer"]["normalizers"][5]["precompiled_charsmap"].get<std::string>();
    REQUIRE(recorded["cases"].size() > 30);
    for (const Json& variant : recorded["cases"]) {
        const auto tokenizer = nf::Tokenizer::from_json(changed(base, map, variant["changes"]));
        for (const Json& request : variant["texts"]) {
            INFO(variant["name"] << ": " << request.dump());
            Json expected = request["expected"];
            if (expected.contains("error")) expected = "refused";
            Json found = answer(tokenizer, request);
            CHECK(found == expected);
        }
    }
}

TEST_CASE("the roles of tokens and the advised length come from the files beside tokenizer.json") {
    CHECK(bundled().mask_token() == "[MASK]");
    CHECK(bundled().pad_token() == "<pad>");
    CHECK(bundled().unk_token() == "<unk>");
    CHECK(bundled().cls_token() == "[CLS]");
    CHECK(bundled().sep_token() == "[SEP]");
    CHECK(bundled().model_max_length() == 2048);
    CHECK(bundled().vocab_size() == 8192);
    CHECK(bundled().token_to_id("[MASK]") == 4);
    CHECK(bundled().id_to_token(4) == "[MASK]");
    CHECK_FALSE(bundled().token_to_id("no such token"));
    CHECK_FALSE(bundled().id_to_token(8192));
    CHECK_FALSE(bundled().id_to_token(-1));
}

TEST_CASE("added token objects, nulls and an unlimited length in tokenizer_config.json are read") {
    const auto folder = std::filesystem::temp_directory_path() /
                        ("nystromformer_tokenizer_test-" + std::to_string(std::random_device{}()));
    std::filesystem::create_directories(folder);
    nf::detail::write_file(folder / "tokenizer.json", valid().dump());
    nf::detail::write_file(
        folder / "tokenizer_config.json",
        R"({"mask_token": {"__type": "AddedToken", "content": "[S]", "lstrip": true},
                               "pad_token": null, "model_max_length": 1000000000000000019884624838656})");
    nf::detail::write_file(folder / "special_tokens_map.json",
                           R"({"mask_token": "<unk>", "pad_token": {"content": "<unk>"}})");
    const auto tokenizer = nf::Tokenizer::from_pretrained(folder);
    CHECK(tokenizer.mask_token() == "<unk>");
    CHECK(tokenizer.pad_token() == "<unk>");
    CHECK_FALSE(tokenizer.cls_token());
    CHECK_FALSE(tokenizer.model_max_length());
    nf::detail::write_file(folder / "tokenizer_config.json",
                           R"({"mask_token": "[S]", "added_tokens_decoder": {}})");
    CHECK(nf::Tokenizer::from_pretrained(folder).mask_token() == "[S]");
    CHECK_FALSE(nf::Tokenizer::from_pretrained(folder).pad_token());
    nf::detail::write_file(folder / "special_tokens_map.json", "{}");
    nf::detail::write_file(folder / "tokenizer_config.json", R"({"mask_token": {"content": ""}})");
    CHECK_FALSE(nf::Tokenizer::from_pretrained(folder).mask_token());
    nf::detail::write_file(folder / "tokenizer_config.json", R"({"mask_token": {"content": 1}})");
    CHECK(refusal_of([&] { (void)nf::Tokenizer::from_pretrained(folder); }) ==
          "TokenizerError /mask_token/content");
    nf::detail::write_file(folder / "tokenizer_config.json", R"({"mask_token": 3})");
    CHECK_THROWS_AS(nf::Tokenizer::from_pretrained(folder), nf::TokenizerError);
    std::filesystem::remove(folder / "tokenizer.json");
    std::filesystem::remove(folder / "tokenizer_config.json");
    CHECK_THROWS_AS(nf::Tokenizer::from_pretrained(folder), nf::IoError);
    std::filesystem::remove_all(folder);
}

TEST_CASE("the sides to cut and to fill are those of the files, unless a call names others") {
    using nf::Direction;
    const Json base = nf::detail::read_json_file(model_folder / "tokenizer.json", 1 << 24);
    const auto folder = std::filesystem::temp_directory_path() /
                        ("nystromformer_sides_test-" + std::to_string(std::random_device{}()));
    std::filesystem::create_directories(folder);
    const auto load_with = [&](const Json& tokenizer, const char* config) {
        nf::detail::write_file(folder / "tokenizer.json", tokenizer.dump());
        nf::detail::write_file(folder / "tokenizer_config.json", config);
        return nf::Tokenizer::from_pretrained(folder);
    };
    // What a tokenizer.json with these rules says is compared with Hugging Face's library above.
    const auto rules = [&](const char* truncation, const char* padding) {
        Json json = base;
        json["truncation"] = {{"max_length", 5},
                              {"stride", 1},
                              {"strategy", "LongestFirst"},
                              {"direction", truncation}};
        json["padding"] = {{"strategy", {{"Fixed", 6}}},
                           {"direction", padding},
                           {"pad_id", 0},
                           {"pad_type_id", 0},
                           {"pad_token", "<pad>"}};
        return json;
    };
    const std::string text = "She opened the door and walked into the garden.";
    const nf::EncodeOptions options{
        .truncation = {.max_length = 5, .stride = 1},
        .padding =
            nf::Padding{.strategy = nf::PaddingStrategy::fixed, .length = 6, .pad_token = "<pad>"}};
    const auto check = [&](const nf::Tokenizer& tokenizer, const char* truncation,
                           const char* padding) {
        const auto expected = load(rules(truncation, padding)).encode(text);
        CHECK(expected.overflowing.size() > 2);
        CHECK(to_json(tokenizer.encode(text, options)) == to_json(expected));
        CHECK((tokenizer.truncation_side() == Direction::left) == (truncation[0] == 'L'));
        CHECK((tokenizer.padding_side() == Direction::left) == (padding[0] == 'L'));
    };
    check(load_with(base, "{}"), "Right", "Right");
    check(load_with(base, R"({"truncation_side": "left"})"), "Left", "Right");
    check(load_with(base, R"({"padding_side": "left"})"), "Right", "Left");
    check(load_with(rules("Left", "Left"), "{}"), "Left", "Left");
    check(load_with(rules("Left", "Left"),
                    R"({"padding_side": "right", "truncation_side": "right"})"),
          "Right", "Right");
    auto named = options;
    named.truncation.direction = Direction::right;
    named.padding.direction = Direction::right;
    const auto left = load_with(rules("Left", "Left"), "{}");
    CHECK(to_json(left.encode(text, named)) == to_json(load(rules("Right", "Right")).encode(text)));
    for (const char* config : {R"({"padding_side": "Left"})", R"({"truncation_side": 1})"}) {
        const auto place = std::string("TokenizerError /") +
                           (config[2] == 'p' ? "padding_side" : "truncation_side");
        CHECK(refusal_of([&] { load_with(base, config); }) == place);
    }
    std::filesystem::remove_all(folder);
}

TEST_CASE("ill-formed UTF-8 reads as U+FFFD and keeps the offsets of the original") {
    // One maximal subpart each: a lone continuation, a cut character, a surrogate's three bytes.
    const std::string text = "a\x80 \xE2\x82z \xED\xA0\x80 b";
    const nf::Encoding encoding = load(valid()).encode(text);
    const nf::Encoding repaired =
        load(valid()).encode("a\xEF\xBF\xBD \xEF\xBF\xBDz \xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD b");
    CHECK(encoding.ids == repaired.ids);
    CHECK(encoding.tokens == repaired.tokens);
    CHECK(encoding.offsets == repaired.offsets);
    REQUIRE(encoding.size() > 2);
    CHECK(encoding.byte_offsets.back() == std::pair<nf::Index, nf::Index>(11, 12));
    CHECK(encoding.offsets.back() == std::pair<nf::Index, nf::Index>(10, 11));
    CHECK(nf::detail::utf8::is_valid("\xF4\x8F\xBF\xBF"));
    for (const char* bad :
         {"\xC0\x80", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xF5", "\xFF"})
        CHECK_FALSE(nf::detail::utf8::is_valid(bad));
}

TEST_CASE("of equally good segmentations the first found wins, and unknowns fuse") {
    const nf::Tokenizer tokenizer =
        load(Json::parse(R"({"model": {"unk_id": 0, "vocab": [["<unk>", 0.0],
        ["a", -1.0], ["aa", -2.0], ["aaa", -3.0], ["ab", -2.0], ["b", -1.0]]}})"));
    const auto tokens = [&](std::string_view text) { return tokenizer.encode(text).tokens; };
    using Tokens = std::vector<std::string>;
    CHECK(tokens("aaa") == Tokens{"aaa"});
    CHECK(tokens("aaaa") == Tokens{"a", "aaa"});
    CHECK(tokens("aab") == Tokens{"a", "ab"});
    CHECK(tokens("aaaab") == Tokens{"aaa", "ab"});
    CHECK(tokens("xaaby") == Tokens{"x", "a", "ab", "y"});
    CHECK(tokens("a<unk>xb") == Tokens{"a", "<unk>x", "b"});
    CHECK(tokenizer.encode("x<unk>y").ids == std::vector<std::int64_t>{0});
}

TEST_CASE("long and strange texts take linear time and no stack") {
    const std::string letters(1'000'000, 'a');
    CHECK(bundled().encode(letters).size() > 1000);
    std::string marks = "e";
    for (int i = 0; i < 300'000; ++i) marks += i % 2 == 0 ? "\u0301" : "\u0323";
    CHECK(bundled().encode(marks).size() == 3);
    CHECK(bundled().encode(std::string(1000, '\0')).size() > 2);
    CHECK(bundled().encode(std::string(1'000'000, ' ')).size() == 2);
    CHECK(bundled().encode("").ids == std::vector<std::int64_t>{2, 3});
}

TEST_CASE("a long text worked on in parts encodes as one worked on whole") {
    // An added token that is looked for in normalised text makes the tokenizer work on the whole.
    Json json = Json::parse(nf::detail::read_file(model_folder / "tokenizer.json", 1 << 24));
    json["added_tokens"].push_back(valid()["added_tokens"][2]);
    json["added_tokens"].back()["id"] = 8192;
    json["added_tokens"].back()["content"] = "\u4e00\u4e01\u4e02";
    const nf::Tokenizer whole = load(json);
    for (const char* start : {"", "\x01", "\u0301", " ", "[MASK]"}) {
        std::string text = start;
        for (int i = 0; i < 4000; ++i) {
            text += "word" + std::to_string(i) + (i % 7 == 0 ? "  caf\u00e9 " : " ");
            if (i % 1000 == 999) text += "[MASK] \u2026``x'' ";
        }
        CHECK(to_json(bundled().encode(text)) == to_json(whole.encode(text)));
    }
}

TEST_CASE("a long text is not cut where a cluster reaches over the space") {
    std::vector<std::uint32_t> units(1024);  // U+0600, which joins what follows it, becomes "b"
    units[0] = 256U << 10;
    units[256 ^ 0xD8] = 0xD8U | ((256U ^ 0xD8U ^ 512U) << 10);
    units[512 ^ 0x80] = 0x80U | 1U << 8 | ((512U ^ 0x80U ^ 768U) << 10);
    units[768] = 1U << 31;
    Json json = with_charsmap(charsmap(units, std::string_view("b\0", 2)));
    const nf::Tokenizer whole = load(json);  // its added token "new" is normalised
    json["added_tokens"].erase(2);
    std::string text;
    for (int i = 0; i < 3000; ++i) text += "a\u0600 b";
    const nf::Encoding encoding = load(json).encode(text);
    CHECK(encoding.word_ids.back() == 0);
    CHECK(to_json(encoding) == to_json(whole.encode(text)));
}

TEST_CASE("grapheme clusters end where UAX 29 says") {
    using nf::detail::unicode::cluster_end;
    for (const std::string whole :
         {"\r\n", "e\u0301\u0323", "\u0915\u094d\u0937", "\u1100\u1161\u11a8", "\uac00\u11a8",
          "\u0600a", "\U0001f468\u200d\U0001f469", "\U0001f1e6\U0001f1fa", "\u0e01\u0e33"}) {
        INFO(whole);
        CHECK(cluster_end(whole + "x", 0) == whole.size());
    }
    CHECK(cluster_end("\U0001f1e6\U0001f1fa\U0001f1e6", 0) == 8);
    CHECK(cluster_end("\u0915\u0937", 0) == 3);
    CHECK(cluster_end("a\u200d\U0001f469", 0) == 4);
    CHECK(cluster_end("\n\u0301", 0) == 1);
}

TEST_CASE("a template may name a text twice") {
    Json json = valid();
    auto& single = json["post_processor"]["single"];
    single.push_back(single[1]);
    const auto encoding = load(json).encode("b");
    CHECK(encoding.tokens == std::vector<std::string>{"[S]", "\u2581", "b", "\u2581", "b"});
}

TEST_CASE("many threads may encode with one tokenizer") {
    const std::string text =
        "The quick br\u00f3wn fox [MASK] jumped \u2014 ``over'' the lazy dog. ";
    const nf::Encoding expected = bundled().encode(text);
    std::vector<int> equal(4, 0);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < 4; ++i) {
        threads.emplace_back([&, i] {
            for (int round = 0; round < 50; ++round)
                equal[i] += bundled().encode(text).ids == expected.ids;
        });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(equal == std::vector<int>(4, 50));
}

TEST_CASE("truncation and padding of a call stand above those of the file") {
    const std::string text = "the quick brown fox jumps over the lazy dog";
    const nf::Encoding whole = bundled().encode(text);
    const nf::Encoding cut = bundled().encode(text, {.truncation = {.max_length = 6, .stride = 1}});
    CHECK(cut.size() == 6);
    CHECK(cut.overflowing.size() == 2);
    CHECK(cut.overflowing[0].ids[1] == cut.ids[4]);
    CHECK(cut.ids.back() == 3);
    Json file = valid();
    file["truncation"] = {{"max_length", 3}, {"stride", 0}, {"strategy", "LongestFirst"}};
    file["padding"] = {{"strategy", {{"Fixed", 12}}},
                       {"direction", "Left"},
                       {"pad_to_multiple_of", nullptr},
                       {"pad_id", 0},
                       {"pad_type_id", 0},
                       {"pad_token", "<unk>"}};
    CHECK(load(file).encode("a a a a").size() == 12);
    const nf::EncodeOptions off{.truncation = {.strategy = nf::TruncationStrategy::do_not_truncate},
                                .padding = {.strategy = nf::PaddingStrategy::do_not_pad}};
    CHECK(load(file).encode("a a a a", off).size() == 9);
    CHECK(load(file)
              .encode("a a a a", {.truncation = nf::no_truncation, .padding = nf::no_padding})
              .size() == 9);
    CHECK(load(file).padding().length == 12);
    CHECK(bundled().padding().strategy == nf::PaddingStrategy::do_not_pad);
    CHECK(bundled().truncation().strategy == nf::TruncationStrategy::do_not_truncate);
    const auto batch = bundled().encode_batch(std::vector<std::string>{text, "the"},
                                              {.padding = {.pad_to_multiple_of = 8}});
    CHECK(batch[0].size() == batch[1].size());
    CHECK(batch[1].size() % 8 == 0);
    CHECK(batch[1].attention_mask.back() == 0);
    CHECK(batch[1].special_tokens_mask.back() == 1);
    CHECK(batch[1].tokens.back() == "<pad>");
    CHECK(batch[1].ids.back() == bundled().token_to_id("<pad>"));
    const auto padded_with = [&](const char* token) {
        return bundled()
            .encode_batch(std::vector<std::string>{text, "the"},
                          {.padding = {.pad_token = token}})[1]
            .ids.back();
    };
    CHECK(padded_with("<unk>") == bundled().token_to_id("<unk>"));
    CHECK_THROWS_AS(padded_with("no such token"), nf::InputError);
    CHECK(whole.overflowing.empty());
}

TEST_CASE("lists in braces are texts, pairs and ids") {
    const nf::Tokenizer& tokenizer = bundled();
    const auto texts = tokenizer.encode_batch({"a sea", "the"});
    REQUIRE(texts.size() == 2);
    CHECK(texts[0].ids == tokenizer.encode("a sea").ids);
    CHECK(texts[1].ids == tokenizer.encode("the").ids);
    const auto pairs = tokenizer.encode_pairs({{"a", "sea"}, {"the", "land"}});
    REQUIRE(pairs.size() == 2);
    CHECK(pairs[1].ids == tokenizer.encode("the", "land").ids);
    const auto ids = tokenizer.encode("the").ids;
    CHECK(tokenizer.decode({ids[0], ids[1]}) == tokenizer.decode(std::span(ids).first(2)));
    const auto input = nf::ModelInput<float>::of_encodings({texts[0], texts[1]});
    CHECK(input.num_sequences() == 2);
    CHECK(input.rows() == texts[0].size() + texts[1].size());
}

TEST_CASE("characters and bytes lead to tokens and back") {
    const std::string text = "the caf\xC3\xA9 opened";
    const auto encoding = bundled().encode(text, "a pair", {});
    for (nf::Index token = 0; token < encoding.size(); ++token) {
        const auto bytes = encoding.token_to_bytes(token);
        const auto at = static_cast<std::size_t>(token);
        REQUIRE(bytes.has_value() == (encoding.sequence_ids[at] >= 0));
        if (!bytes) continue;
        const nf::Index sequence = encoding.sequence_ids[at];
        CHECK(encoding.byte_to_token(bytes->first, sequence) <= token);
        CHECK(encoding.char_to_token(encoding.token_to_chars(token)->first, sequence) <= token);
    }
    const auto token = encoding.byte_to_token(static_cast<nf::Index>(text.find("opened")));
    REQUIRE(token);
    CHECK(encoding.token_to_bytes(*token)->second == static_cast<nf::Index>(text.size()));
    CHECK(encoding.token_to_chars(*token)->second == static_cast<nf::Index>(text.size()) - 1);
    CHECK_FALSE(encoding.char_to_token(1000));
    CHECK_FALSE(encoding.token_to_chars(-1));
    CHECK_FALSE(encoding.token_to_chars(encoding.size()));
}

TEST_CASE("lengths that cannot be kept are input errors") {
    const auto encode = [](nf::Truncation truncation) {
        return bundled().encode("the quick brown fox", {.truncation = truncation});
    };
    CHECK_THROWS_AS(encode({.max_length = 1}), nf::InputError);
    CHECK_THROWS_AS(encode({.max_length = 4, .stride = 2}), nf::InputError);
    CHECK_THROWS_AS(encode({.max_length = 5, .stride = -1}), nf::InputError);
    CHECK_THROWS_AS(encode({.max_length = -5}), nf::InputError);
    CHECK_THROWS_AS(encode({.max_length = 4, .strategy = nf::TruncationStrategy::only_second}),
                    nf::InputError);
    CHECK(encode({.max_length = 2}).size() == 2);
    CHECK_THROWS_AS(bundled().encode("a", {.padding = {.strategy = nf::PaddingStrategy::fixed,
                                                       .length = nf::Index{1} << 40}}),
                    nf::InputError);
    const std::vector<std::int64_t> negative = {-1};
    CHECK_THROWS_AS(bundled().decode(negative), nf::InputError);
}

TEST_CASE("windows and padding take no memory out of all proportion to the text") {
    std::string text;
    for (int i = 0; i < 4000; ++i) text += "a ";
    const auto encode = [&](nf::Truncation truncation, nf::Padding padding) {
        return bundled().encode(text, {.truncation = truncation, .padding = padding});
    };
    const nf::Padding none{.strategy = nf::PaddingStrategy::do_not_pad};
    const nf::Padding wide{.strategy = nf::PaddingStrategy::fixed, .length = 1000};
    CHECK_THROWS_AS(encode({.max_length = 2000, .stride = 1997}, none), nf::InputError);
    CHECK_THROWS_AS(encode({.max_length = 3}, wide), nf::InputError);
    CHECK(encode({.max_length = 12}, wide).overflowing.size() == 399);
    CHECK(encode({.max_length = 1000, .stride = 900}, none).overflowing.size() > 30);
    const nf::EncodeOptions short_windows{.truncation = {.max_length = 7}};
    CHECK_THROWS_AS(bundled().encode(text, text, short_windows), nf::InputError);
    Json padded = nf::detail::read_json_file(model_folder / "tokenizer.json", 1 << 24);
    padded["padding"] = {{"strategy", {{"Fixed", 1 << 21}}},
                         {"direction", "Left"},
                         {"pad_id", 0},
                         {"pad_type_id", 0},
                         {"pad_token", "<unk>"}};
    CHECK(refusal(padded.dump()) == "TokenizerError /padding/strategy/Fixed");
}

TEST_CASE("a small tokenizer.json loads, so that each refusal below has one reason") {
    REQUIRE(refusal(valid().dump()) == "none");
    CHECK(load(valid()).encode("a newb").tokens ==
          std::vector<std::string>{"[S]", "\u2581", "b", "new", "\u2581", "b"});
}

TEST_CASE("a character map is walked in bounds or refused, whatever its bytes") {
    const std::string place = "TokenizerError /normalizer/normalizers/2/precompiled_charsmap";
    const std::string_view b("b\0", 2);
    auto units = one_letter();
    units[256 ^ 'a'] = 'a' | ('a' << 10);  // a cycle: the children of 'a' are those of the root
    CHECK(refusal(with_charsmap(charsmap(units, b)).dump()) == "none");
    units = one_letter();
    units.resize(800);
    units[799] = 'G';  // whose node would lie behind the array: the child of none
    CHECK(refusal(with_charsmap(charsmap(units, b)).dump()) == "none");
    const auto blob = nf::detail::decode_base64(charsmap(one_letter(), b));
    const nf::detail::Charsmap map(blob.value(), "f", "/");
    for (const char* key : {"a", "ab", "aa"}) CHECK(map.find(key) == "b");
    for (const std::string_view key : {std::string_view("\0a", 2), std::string_view("b"),
                                       std::string_view("\xFF"), std::string_view()})
        CHECK_FALSE(map.find(key));
    std::mt19937 random(1);
    for (int round = 0; round < 300; ++round) {
        units.assign(512, 0);
        for (std::uint32_t& unit : units)
            unit = (random() % 2 == 0 ? random() % 256 : static_cast<std::uint32_t>(random())) |
                   (static_cast<std::uint32_t>(random()) % 1024) << 10;
        const std::string text = charsmap(units, std::string_view("xy\0z\0", 5));
        if (const std::string reason = refusal(with_charsmap(text).dump()); reason != "none") {
            CHECK(reason == place);
        } else {
            (void)load(with_charsmap(text)).encode("any text \u00e9\u4e00");
        }
    }
}

TEST_CASE("whatever is put anywhere in a tokenizer.json, it loads or an Error tells why not") {
    const std::vector<Json> values = {nullptr,
                                      true,
                                      0,
                                      1,
                                      -1,
                                      5,
                                      1U << 31,
                                      1e300,
                                      0.5,
                                      "",
                                      "a",
                                      "\u2581",
                                      "Sequence",
                                      "Metaspace",
                                      "LongestFirst",
                                      Json::array(),
                                      Json::object(),
                                      Json::array({1, "a"}),
                                      {{"String", " "}},
                                      {{"Regex", " {2,}"}}};
    Json base = valid();
    base["truncation"] = {
        {"max_length", 3}, {"stride", 1}, {"strategy", "LongestFirst"}, {"direction", "Left"}};
    base["padding"] = {{"strategy", "BatchLongest"}, {"direction", "Left"},
                       {"pad_to_multiple_of", 2},    {"pad_id", 0},
                       {"pad_type_id", 0},           {"pad_token", "<unk>"}};
    std::vector<std::string> places;
    const Json leaves = base.flatten();
    for (const auto& [place, value] : leaves.items()) {
        for (auto end = place.size(); end != std::string::npos && end > 0;
             end = place.rfind('/', end - 1))
            places.push_back(place.substr(0, end));
    }
    std::mt19937 random(2);
    int loaded = 0;
    for (int round = 0; round < 4000; ++round) {
        Json json = base;
        for (unsigned change = 0; change <= random() % 2; ++change) {
            const Json::json_pointer place(places[random() % places.size()]);
            if (json.contains(place)) json[place] = values[random() % values.size()];
        }
        INFO(json.dump());
        try {
            const nf::Tokenizer tokenizer = load(json);
            ++loaded;
            const nf::Encoding encoding = tokenizer.encode("ab ``a new\u00e9 [S]b", "a  b \x80");
            (void)tokenizer.decode(encoding.ids);
        } catch (const nf::Error& error) {
            CHECK(!error.place().empty());
        }
    }
    CHECK(loaded > 100);
}

}  // namespace tokenizer_test
