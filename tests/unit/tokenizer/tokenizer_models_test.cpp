// SPDX-License-Identifier: MIT
// Every model, post-processor and decoder, and folders without tokenizer.json, beside recorded
// answers of Hugging Face's libraries (tests/tokenizer/record_models.py), and what malformed ones
// get.
#include "support/catch.hpp"
#include "support/library.hpp"

#include <nystromformer/core/json.hpp>
#include <nystromformer/nystromformer.hpp>
#include "unit/tokenizer/tokenizer_answers.hpp"
#include "unit/tokenizer/tokenizer_files.hpp"

#include <nystromformer/threads.hpp>
#include <nystromformer/tokenizer.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace tokenizer_models_test {

using namespace nystromformer::testing;

namespace {

const std::filesystem::path bundled_folder =
    std::filesystem::path(NYSTROMFORMER_MODELS) / "nystromformer-small-en";

const Json& recorded() {
    static const Json result = nf::detail::read_json_file(
        std::filesystem::path(NYSTROMFORMER_TEST_DATA) / "tokenizer/models.json", 1 << 21);
    return result;
}

nf::Tokenizer load(const Json& json) {
    return nf::Tokenizer::from_json(json.dump(), {}, {}, "t.json");
}

void check_answers(const nf::Tokenizer& tokenizer, const Json& requests) {
    for (const Json& request : requests) {
        INFO(request.dump());
        Json expected = request["expected"];
        if (expected.contains("error")) expected = "refused";
        Json found = answer(tokenizer, request);
        if (expected.is_object() && expected.size() == 1)  // of a decoder only "decoded" is kept
            found = {{"decoded", found.at("decoded")}};
        CHECK(found == expected);
    }
}

/// A new folder with `files`, gone at the end.
class Folder {
public:
    explicit Folder(const Json& files) {
        std::filesystem::remove_all(path_);
        std::filesystem::create_directories(path_);
        for (const auto& [name, content] : files.items()) {
            if (content == "@spiece") {
                std::filesystem::copy_file(bundled_folder / "spiece.model", path_ / name);
            } else {
                nf::detail::write_file(path_ / name, content.is_string()
                                                         ? content.get<std::string>()
                                                         : content.dump());
            }
        }
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_ =
        std::filesystem::temp_directory_path() /
        ("nystromformer_tokenizer_models_test-" + std::to_string(std::random_device{}()));
};

std::string refusal(const char* pointer, const Json& value) {
    Json json = bpe();
    json[Json::json_pointer(pointer)] = value;
    return refusal_of([&] { load(json); });
}

}  // namespace

TEST_CASE("every model, post-processor and decoder says what Hugging Face's library says") {
    REQUIRE(recorded()["cases"].size() > 40);
    for (const Json& variant : recorded()["cases"]) {
        INFO(variant["name"]);
        Json json = variant["tokenizer"];
        json["model"] = recorded()["models"][json["model"].get<std::string>()];
        check_answers(load(json), variant["texts"]);
    }
}

TEST_CASE("folders without tokenizer.json read as transformers reads them") {
    REQUIRE(recorded()["folders"].size() > 8);
    for (const Json& entry : recorded()["folders"]) {
        INFO(entry["files"].dump().substr(0, 2000));
        const Folder folder(entry["files"]);
        check_answers(nf::Tokenizer::from_pretrained(folder.path()), entry["texts"]);
    }
}

TEST_CASE("scores are read as serde_json reads them, with more digits than fit, too") {
    using nf::detail::rust_value;
    CHECK(rust_value("-3.5") == -3.5);
    CHECK(rust_value("1e3") == 1000.0);
    CHECK(rust_value("1E+2") == 100.0);
    // What Tokenizer.from_str(...).to_str() of tokenizers 0.23 gives for these scores.
    CHECK(rust_value("-12.345678901234567") == -0x1.8b0fcd32f707ap+3);
    CHECK(rust_value("9007199254740993.0") == 0x1.0000000000001p+53);
    CHECK(rust_value("-1.8446744073709551615") == -0x1.d83c94fb6d2acp+0);
    CHECK(rust_value("1.84467440737095516169") == 0x1.d83c94fb6d2adp+0);
    CHECK(rust_value("1844674407370955161.65") == 0x1.999999999999ap+60);
    CHECK(rust_value("18446744073709551616.5") == 0x1.0000000000000p+64);
    CHECK(rust_value("184467440737095516169.5") == 0x1.4000000000000p+67);
    CHECK(rust_value("123456789012345678901234567890.5") == 0x1.8ee90ff6c373ep+96);
    CHECK(rust_value("5e-320") == 0x0.0000000002788p-1022);
    CHECK(rust_value("1e-400") == 0.0);
    CHECK(rust_value("0e99999999999") == 0.0);
    CHECK(rust_value("1e-99999999999") == 0.0);
    CHECK(std::signbit(rust_value("-0.0")));
}

TEST_CASE("ids may leave gaps, and all below vocab_size have one meaning") {
    const nf::Tokenizer tokenizer = load(bpe());
    CHECK(tokenizer.vocab_size() == 61);
    CHECK(tokenizer.token_to_id("aab") == 60);
    CHECK(tokenizer.id_to_token(60) == "aab");
    CHECK(tokenizer.id_to_token(7) == "a");
    for (const std::int64_t id : {-1, 1, 6, 59, 61}) CHECK_FALSE(tokenizer.id_to_token(id));
    CHECK(tokenizer.encode("aabab").ids == std::vector<std::int64_t>{60, 3});
    CHECK(tokenizer.encode("aaaab").ids == std::vector<std::int64_t>{5, 2});
    CHECK(tokenizer.encode("x").tokens == std::vector<std::string>{"?"});
}

TEST_CASE("short and long words merge alike, in little more than linear time") {
    const nf::Tokenizer tokenizer = load(bpe());
    for (const std::size_t size : {1U, 2U, 7U, 39U, 40U, 41U, 42U, 81U, 1'000'000U}) {
        const nf::Encoding encoding = tokenizer.encode(std::string(size, 'a') + "b");
        // Pairs form from the left: fours, then what is left with its b.
        const std::size_t rest = size % 4;
        std::vector<std::string> expected(size / 4, "aaaa");
        if (rest == 0) expected.push_back("b");
        if (rest == 1) expected.push_back("ab");
        if (rest == 2) expected.push_back("aab");
        if (rest == 3) expected.insert(expected.end(), {"aa", "ab"});
        CHECK(encoding.tokens == expected);
    }
}

TEST_CASE("a batch on a thread pool is the batch on one thread") {
    const nf::Tokenizer tokenizer = nf::Tokenizer::from_pretrained(bundled_folder);
    std::vector<std::string> texts;
    std::vector<std::pair<std::string, std::string>> pairs;
    for (int i = 0; i < 200; ++i) {
        texts.push_back("word " + std::string(static_cast<std::size_t>(i % 37), 'x') + " end");
        pairs.emplace_back(texts.back(), texts[texts.size() / 2]);
    }
    nf::ThreadPool pool(4);
    const nf::EncodeOptions options{.truncation = {.max_length = 9, .stride = 2}, .padding = {}};
    const auto check = [&](const auto& one, const auto& many) {
        REQUIRE(one.size() == many.size());
        for (std::size_t i = 0; i < one.size(); ++i) CHECK(to_json(one[i]) == to_json(many[i]));
    };
    check(tokenizer.encode_batch(texts, options), tokenizer.encode_batch(texts, options, pool));
    check(tokenizer.encode_pairs(pairs, options), tokenizer.encode_pairs(pairs, options, pool));
    const nf::EncodeOptions impossible{.truncation = {.max_length = 1}};
    CHECK_THROWS_AS(tokenizer.encode_batch(texts, impossible, pool), nf::InputError);
    CHECK(tokenizer.encode_batch(std::vector<std::string>{}, options, pool).empty());
}

TEST_CASE("decoded text is tidied where the option or tokenizer_config.json asks for it") {
    const Json model = {
        {"type", "WordLevel"},
        {"unk_token", "?"},
        {"vocab", {{"he", 0}, {"does", 1}, {"n't", 2}, {".", 3}, {"do", 4}, {"not", 5}}}};
    const std::vector<std::int64_t> ids = {0, 1, 2, 3, 4, 5};
    const auto decode = [&](const Json& config, const nf::DecodeOptions& options) {
        Json files = {{"tokenizer_config.json", config}};
        files["tokenizer.json"]["model"] = model;
        const Folder folder(files);
        return nf::Tokenizer::from_pretrained(folder.path()).decode(ids, options);
    };
    const std::string as_is = "he does n't . do not", tidy = "he doesn't. do not";
    CHECK(decode(Json::object(), {}) == as_is);
    CHECK(decode({{"clean_up_tokenization_spaces", true}}, {}) == tidy);
    CHECK(decode(Json::object(), {.clean_up_tokenization_spaces = true}) == tidy);
    CHECK(decode({{"clean_up_tokenization_spaces", true}},
                 {.clean_up_tokenization_spaces = false}) == as_is);
    Json other = bpe();
    other["model"]["vocab"]["."] = 8;
    const std::vector<std::int64_t> of_bpe = {7, 8};
    CHECK(load(other).decode(of_bpe, {.clean_up_tokenization_spaces = true}) == "a .");
    Json files = {{"tokenizer.json", other}};
    files["tokenizer_config.json"] = {
        {"clean_up_tokenization_spaces", true},
        {"clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output", true}};
    const Folder folder(files);
    CHECK(nf::Tokenizer::from_pretrained(folder.path()).decode(of_bpe) == "a.");
}

TEST_CASE("a length of no use and the names of inputs in tokenizer_config.json are read") {
    const auto load_with = [](const Json& config) {
        const Json files = {{"tokenizer.json", bpe()}, {"tokenizer_config.json", config}};
        const Folder folder(files);
        return nf::Tokenizer::from_pretrained(folder.path());
    };
    for (const Json& length : {Json(0), Json(-1), Json(0.5), Json(1e15), Json(nullptr)})
        CHECK_FALSE(load_with({{"model_max_length", length}}).model_max_length());
    CHECK(load_with({{"model_max_length", 1}}).model_max_length() == 1);
    const auto gives = [&](const Json& config) { return load_with(config).gives_token_type_ids(); };
    CHECK(gives(Json::object()) == std::nullopt);
    CHECK(gives({{"tokenizer_class", "AlbertTokenizer"}}) == std::nullopt);
    CHECK(gives({{"tokenizer_class", "BertTokenizer"}}) == true);
    CHECK(gives({{"tokenizer_class", "BertTokenizerFast"}}) == true);
    const Json names = Json::array({"input_ids", "token_type_ids"});
    CHECK(gives({{"model_input_names", names}}) == true);
    CHECK(gives({{"model_input_names", Json::array({"input_ids"})},
                 {"tokenizer_class", "BertTokenizer"}}) == false);
}

TEST_CASE("lower case comes first and once, whatever normalizer a tokenizer.json has") {
    const Json lower = {{"type", "Lowercase"}}, nfc = {{"type", "NFC"}};
    const auto sequence = [](const Json& steps) -> Json {
        return {{"type", "Sequence"}, {"normalizers", steps}};
    };
    const Json odd = sequence(3);  // for its reader to refuse, as the next two
    for (const auto& [before, after] : std::vector<std::pair<Json, Json>>{
             {nullptr, sequence(Json::array({lower}))},
             {nfc, sequence(Json::array({lower, nfc}))},
             {lower, lower},
             {sequence(Json::array({nfc})), sequence(Json::array({lower, nfc}))},
             {sequence(Json::array({nfc, lower})), sequence(Json::array({nfc, lower}))},
             {odd, sequence(Json::array({lower, odd}))},
             {3, sequence(Json::array({lower, 3}))}}) {
        Json tokenizer = {{"normalizer", before}};
        nf::detail::lower_case_first(tokenizer);
        CHECK(tokenizer["normalizer"] == after);
    }
    Json none = "a text";
    nf::detail::lower_case_first(none);
    CHECK(none == Json("a text"));
}

TEST_CASE("malformed vocabularies are refused with their path") {
    REQUIRE(refusal_of([] { load(bpe()); }) == "none");
    CHECK(refusal("/model/dropout", 0.0) == "none");
    CHECK(refusal("/model/dropout", nullptr) == "none");
    Json json = bpe();
    json["model"]["vocab"][std::string(5000, 'x')] = 100;
    CHECK(refusal_of([&] { load(json); }).starts_with("TokenizerError /model/vocab/xxx"));
    const nf::Tokenizer none =
        load({{"model", {{"type", "WordLevel"}, {"unk_token", "?"}, {"vocab", Json::object()}}}});
    CHECK(none.vocab_size() == 0);
    CHECK_FALSE(none.id_to_token(0));
    CHECK(refusal_of([&] { (void)none.encode("a"); }) == "InputError /model/unk_token");
    json = bpe();
    json["model"]["vocab"][""] = 8;  // of no word
    CHECK(load(json).token_to_id("") == 8);
    CHECK(load(json).encode("aa").ids == std::vector<std::int64_t>{4});
    const Json without_unknown = {
        {"model", {{"type", "WordLevel"}, {"unk_token", "?"}, {"vocab", {{"a", 0}}}}}};
    const nf::Tokenizer tokenizer = load(without_unknown);
    CHECK(tokenizer.encode("a").ids == std::vector<std::int64_t>{0});
    CHECK(refusal_of([&] { (void)tokenizer.encode("b"); }) == "InputError /model/unk_token");
}

TEST_CASE("a folder without any tokenizer is one error that names what was looked for") {
    const Folder folder(Json::object());
    try {
        (void)nf::Tokenizer::from_pretrained(folder.path());
        FAIL("loaded");
    } catch (const nf::IoError& error) {
        const std::string message = error.what();
        for (const char* name : {"tokenizer.json", "spiece.model", "sentencepiece.bpe.model",
                                 "tokenizer.model", "vocab.json", "merges.txt", "vocab.txt"})
            CHECK(message.find(name) != std::string::npos);
    }
}

// Where no tokenizer_config.json names a class: config.json, and what is there.
TEST_CASE("the kind of older files comes from config.json, or from their names") {
    const std::string lines = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na";
    const Json pieces = {{"<s>", 0},    {"a", 1},     {"</s>", 2},
                         {"<mask>", 3}, {"<pad>", 4}, {"<unk>", 5}};
    const auto tokens = [](const Json& files) {
        const Folder folder(files);
        return nf::Tokenizer::from_pretrained(folder.path()).encode("a").tokens;
    };
    using Tokens = std::vector<std::string>;
    const Tokens bert = {"[CLS]", "a", "[SEP]"}, roberta = {"<s>", "a", "</s>"},
                 albert = {"[CLS]", "\u2581", "a", "[SEP]"},
                 fairseq = {"<s>", "\u2581", "a", "</s>"};
    const std::string model = spiece();
    const Json both = {{"vocab.txt", lines}, {"vocab.json", pieces}, {"merges.txt", ""}};
    CHECK(tokens({{"vocab.txt", lines}}) == bert);
    CHECK(tokens(both) == roberta);
    CHECK(tokens({{"vocab.txt", lines}, {"vocab.json", pieces}}) == bert);
    const auto with_config = [&](Json files, const char* key, const char* value) {
        files["config.json"][key] = value;
        return tokens(files);
    };
    CHECK(with_config(both, "model_type", "bert") == bert);
    CHECK(with_config(both, "model_type", "megatron-bert") == bert);
    CHECK(with_config(both, "model_type", "longformer") == roberta);
    CHECK(with_config(both, "model_type", "another") == roberta);
    CHECK(with_config(both, "hidden_act", "gelu") == roberta);
    CHECK(with_config(both, "tokenizer_class", "ElectraTokenizerFast") == bert);
    for (const char* name : {"PreTrainedTokenizer", "TokenizersBackend", "NystromformerTokenizer"})
        CHECK(with_config({{"vocab.txt", lines}}, "tokenizer_class", name) == bert);
    const auto of_model = [&](const char* name, const char* type) {
        Json files = {{"tokenizer_config.json", {{"pad_token", "<p>"}, {"unk_token", "<u>"}}}};
        if (type != nullptr) files["config.json"]["model_type"] = type;
        const Folder folder(files);
        nf::detail::write_file(folder.path() / name, model);
        return nf::Tokenizer::from_pretrained(folder.path()).encode("a").tokens;
    };
    CHECK(of_model("spiece.model", nullptr) == albert);
    for (const char* type : {static_cast<const char*>(nullptr), "nystromformer"})
        CHECK_THROWS_AS(of_model("tokenizer.model", type), nf::UnsupportedError);
    CHECK(of_model("tokenizer.model", "yoso") == albert);
    CHECK(of_model("sentencepiece.bpe.model", nullptr) == fairseq);
    CHECK(of_model("spiece.model", "xmod") == fairseq);
    CHECK(of_model("tokenizer.model", "camembert") == fairseq);
}

TEST_CASE("tokens of tokenizer_config.json beside older files have their flags and ids") {
    const auto load_with = [](const Json& config, const Json& others = Json::object()) {
        Json files = {{"vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nx\n"},
                      {"tokenizer_config.json", config}};
        files.update(others);
        const Folder folder(files);
        return nf::Tokenizer::from_pretrained(folder.path());
    };
    const auto listed = load_with({{"extra_special_tokens", {"<1>", {{"content", "<2>"}}}}});
    CHECK(listed.token_to_id("<1>") == 7);
    CHECK(listed.token_to_id("<2>") == 8);
    const auto named = load_with({{"extra_special_tokens", {{"image_token", "<i>"}}},
                                  {"other", "y"},
                                  {"x_token", 3},
                                  {"y_token", {{"lstrip", true}}}});
    CHECK(named.token_to_id("<i>") == 7);
    CHECK(named.vocab_size() == 8);
    // An empty list makes room for the older key.
    const auto older = load_with({{"extra_special_tokens", Json::array()},
                                  {"additional_special_tokens", Json::array({"<3>"})}});
    CHECK(older.token_to_id("<3>") == 7);
    // What added_tokens.json has is special where another file says so of it.
    const auto added =
        load_with({{"additional_special_tokens", Json::array({"<4>"})}, {"mask_token", "<6>"}},
                  {{"added_tokens.json", {{"<4>", 7}, {"<5>", 8}, {"<6>", 9}}}});
    const std::vector<std::int64_t> ids = {7, 8, 9};
    CHECK(added.decode(ids) == "<5>");
    CHECK(added.decode(ids, {.skip_special_tokens = false}) == "<4> <5> <6>");
    // Flags of added_tokens_decoder are those of the role with its text.
    const auto flagged =
        load_with({{"mask_token", "[MASK]"},
                   {"added_tokens_decoder", {{"4", {{"content", "[MASK]"}, {"lstrip", true}}}}}});
    CHECK(flagged.mask_token() == "[MASK]");
    CHECK(flagged.encode("a [MASK]").offsets[2] == std::pair<nf::Index, nf::Index>(1, 8));
    // A token of one text twice: the later one's flags count, the first one's id.
    const auto twice =
        load_with({{"mask_token", {{"content", "x"}, {"lstrip", true}}}, {"cls_token", "x"}});
    CHECK(twice.token_to_id("x") == 6);
    CHECK(twice.encode("a x").offsets[2] == std::pair<nf::Index, nf::Index>(1, 3));
}

TEST_CASE("older files that are malformed or of another kind are refused") {
    const auto refused = [](const Json& files) {
        const Folder folder(files);
        return refusal_of([&] { (void)nf::Tokenizer::from_pretrained(folder.path()); });
    };
    const Json config = {{"tokenizer_class", "RobertaTokenizerFast"}};
    CHECK(refused({{"tokenizer_config.json", config}}) == "IoError");
    CHECK(refused({{"tokenizer_config.json", config}, {"vocab.json", "{}"}}) == "IoError");
    CHECK(refused({{"tokenizer_config.json", config},
                   {"vocab.json", "{}"},
                   {"merges.txt", "#version: 0.2\na\n"}}) == "TokenizerError line 2");
    CHECK(refused({{"tokenizer_config.json", {{"tokenizer_class", "CanineTokenizer"}}},
                   {"vocab.txt", "a"}}) == "UnsupportedError /tokenizer_class");
    CHECK(refused({{"tokenizer_config.json", "[]"}, {"vocab.txt", "a"}}) == "TokenizerError /");
    CHECK(refused({{"added_tokens.json", {{"a", "b"}}}, {"vocab.txt", "a"}}) ==
          "TokenizerError /a");
}

TEST_CASE("a SentencePiece model that is cut anywhere loads or is refused") {
    const std::string whole = spiece();
    Json files = Json::object();
    files["config.json"]["model_type"] = "albert";
    const Folder folder(files);
    const auto refused = [&](const std::string& bytes) {
        nf::detail::write_file(folder.path() / "spiece.model", bytes);
        return refusal_of([&] { (void)nf::Tokenizer::from_pretrained(folder.path()); });
    };
    REQUIRE(refused(whole) == "none");
    const nf::Tokenizer tokenizer = nf::Tokenizer::from_pretrained(folder.path());
    CHECK(tokenizer.encode("a 5,[MASK]").tokens ==
          std::vector<std::string>{"[CLS]", "\u2581", "a", "\u2581", "5,", "[MASK]", "[SEP]"});
    CHECK(tokenizer.mask_token() == "[MASK]");
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const std::string reason = refused(whole.substr(0, size));
        CHECK((reason == "none" || reason.starts_with("FormatError") ||
               reason.starts_with("TokenizerError")));
    }
    CHECK(refused(whole + field(2, "\x18\x01")) == "none");
    // Fields that no one needs: of the file, the trainer, the normalizer and a piece.
    const std::string number = "\x49" + std::string(8, '\x01');
    for (const std::string& unread :
         {number, std::string("\x08\x05"), field(9, "x"), field(2, number + "\x18\x01"),
          field(3, number), field(1, field(1, "b") + number)})
        CHECK(refused(whole + unread) == "none");
}

namespace {

/// A tokenizer of a few letters with these added tokens, ids from 4.
Json with_added_tokens(const Json& tokens) {
    Json json = Json::parse(R"({"added_tokens": [], "model": {"type": "Unigram", "unk_id": 0,
        "vocab": [["<unk>", -9], ["a", -1], ["b", -1], ["c", -1]]}})");
    for (const Json& token : tokens) {
        Json whole = {{"id", 4 + json["added_tokens"].size()},
                      {"single_word", false},
                      {"lstrip", false},
                      {"rstrip", false},
                      {"normalized", false},
                      {"special", false}};
        whole.update(token);
        json["added_tokens"].push_back(whole);
    }
    return json;
}

}  // namespace

TEST_CASE("an added token that begins where the one before has taken its white space is dropped") {
    using Ids = std::vector<std::int64_t>;
    for (const bool normalized : {false, true}) {
        const auto tokenizer = load(
            with_added_tokens({{{"content", "x"}, {"rstrip", true}, {"normalized", normalized}},
                               {{"content", " "}, {"lstrip", true}, {"normalized", normalized}}}));
        // Hugging Face's library panics here.
        const nf::Encoding encoding = tokenizer.encode("ax   b ");
        CHECK(encoding.ids == Ids{1, 4, 2, 5});
        CHECK(encoding.tokens == std::vector<std::string>{"a", "x   ", "b", " "});
        CHECK(tokenizer.encode("x  ").ids == Ids{4});
    }
}

TEST_CASE("added tokens on long white space take time and memory in proportion to it") {
    const std::string spaces(1 << 16, ' ');
    for (const bool normalized : {false, true}) {
        const auto tokenizer_of = [&](bool left, bool right) {
            return load(with_added_tokens(Json::array({{{"content", " "},
                                                        {"lstrip", left},
                                                        {"rstrip", right},
                                                        {"normalized", normalized}}})));
        };
        CHECK(tokenizer_of(true, true).encode(spaces).size() == 1);
        CHECK(tokenizer_of(true, false).encode(spaces).size() == nf::Index{1} << 16);
        CHECK_THROWS_AS(tokenizer_of(false, true).encode(spaces), nf::InputError);
        CHECK(tokenizer_of(false, true).encode("   ").size() == 3);
    }
}

TEST_CASE("an added token whose normal form is empty is refused") {
    Json json = with_added_tokens(Json::array({{{"content", " "}, {"normalized", true}}}));
    json["normalizer"] = {{"type", "Strip"}, {"strip_left", true}, {"strip_right", true}};
    CHECK(refusal_of([&] { load(json); }) == "TokenizerError /added_tokens/0/content");
}

TEST_CASE("an unknown character is an error of a Unigram without an unknown piece") {
    Json json = with_added_tokens(Json::array());
    json["model"].erase("unk_id");
    CHECK(load(json).encode("abc").size() == 3);
    CHECK_THROWS_AS(load(json).encode("abd"), nf::InputError);
}

TEST_CASE("regular expressions and templates take no memory out of all proportion to the file") {
    Json regexes = with_added_tokens(Json::array());
    const Json split = {{"type", "Split"},
                        {"pattern", {{"Regex", "[^\\p{L}]{1000}[a-c&&[^b]]{1000}a{1000}b{1000}"}}},
                        {"behavior", "Isolated"},
                        {"invert", false}};
    regexes["pre_tokenizer"] = {{"type", "Sequence"},
                                {"pretokenizers", Json(std::vector<Json>(20, split))}};
    CHECK(load(regexes).encode("a").size() == 1);
    regexes["pre_tokenizer"]["pretokenizers"] = std::vector<Json>(500, split);
    CHECK(refusal_of([&] { load(regexes); }).starts_with("FormatError"));

    Json repeated = with_added_tokens(Json::array());
    const Json special = {{"SpecialToken", {{"id", "S"}, {"type_id", 0}}}};
    repeated["post_processor"] = {
        {"type", "TemplateProcessing"},
        {"single", std::vector<Json>(200, special)},
        {"pair", Json::array()},
        {"special_tokens",
         {{"S", {{"ids", std::vector<int>(20)}, {"tokens", std::vector<std::string>(20, "a")}}}}}};
    CHECK(load(repeated).encode("a").size() == 4000);
    repeated["post_processor"]["single"] = std::vector<Json>(210, special);
    CHECK(refusal_of([&] { load(repeated); }) == "TokenizerError /post_processor/single");
    const Json text = {{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
    repeated["post_processor"]["single"] = std::vector<Json>(200, text);
    const auto often = load(repeated);
    CHECK(often.encode("ab").size() == 400);
    CHECK_THROWS_AS(often.encode(std::string(20000, 'a')), nf::InputError);
    CHECK_THROWS_AS(often.encode("ab", {.truncation = {.max_length = 1}}), nf::InputError);
}

TEST_CASE("special tokens without text in a tokenizer's older files count as not named") {
    const Folder folder(
        {{"vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\ncat\n"},
         {"tokenizer_config.json",
          {{"tokenizer_class", "BertTokenizer"},
           {"additional_special_tokens", {""}},
           {"added_tokens_decoder", {{"9", {{"content", ""}}}, {"10", {{"content", "<n>"}}}}},
           {"mask_token", ""}}}});
    const auto tokenizer = nf::Tokenizer::from_pretrained(folder.path());
    CHECK(tokenizer.encode("a cat<n>").ids == std::vector<std::int64_t>{2, 5, 6, 7, 3});
    CHECK(!tokenizer.mask_token());
    CHECK(tokenizer.cls_token() == "[CLS]");
}

TEST_CASE("numbers of truncation and padding that no text needs are read") {
    Json json = with_added_tokens(Json::array());
    json["truncation"] = {{"max_length", 18446744073709551615U},
                          {"stride", 5},
                          {"strategy", "LongestFirst"},
                          {"direction", "Right"}};
    json["padding"] = {
        {"strategy", "BatchLongest"}, {"direction", "Right"}, {"pad_id", 99},
        {"pad_type_id", 0},           {"pad_token", "p"},     {"pad_to_multiple_of", 4}};
    CHECK(load(json).encode("abc").ids == std::vector<std::int64_t>{1, 2, 3, 99});
    json["truncation"]["max_length"] = 4;  // less than the stride
    CHECK(load(json).encode("abc").size() == 4);
    CHECK_THROWS_AS(load(json).encode("abcabc"), nf::InputError);
    json["padding"]["pad_token"] = std::string(1 << 20, 'p');
    json["padding"]["pad_to_multiple_of"] = 1000;
    CHECK_THROWS_AS(load(json).encode("abc"), nf::InputError);
}

}  // namespace tokenizer_models_test
