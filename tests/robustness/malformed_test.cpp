// SPDX-License-Identifier: MIT
// Every malformed file of the tables in tests/robustness/malformed, in a folder that loads without
// it: the class of the error, and a message that names file, place and reason.
// tests/cli/cli_malformed_test.py gives the same folders to the command line.
#include "support/catch.hpp"
#include "support/library.hpp"

#include <nystromformer/core/json.hpp>
#include <nystromformer/nystromformer.hpp>
#include <nystromformer/tokenizer/tokenizer_file.hpp>
#include "robustness/malformed/config_cases.hpp"
#include "robustness/malformed/index_cases.hpp"
#include "robustness/malformed/safetensors_cases.hpp"
#include "robustness/malformed/sentence_cases.hpp"
#include "robustness/malformed/tokenizer_cases.hpp"
#include "robustness/malformed/torch_cases.hpp"
#include "robustness/malformed/weight_cases.hpp"

#include <nystromformer/sentence_embedding.hpp>

#include <cstdlib>
#include <filesystem>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace malformed_test {

namespace nf = nystromformer;
namespace fs = std::filesystem;
using namespace nystromformer::testing;

namespace {

const fs::path whole = fs::path(NYSTROMFORMER_TEST_DATA) / "reference" / "sentences" / "dense";

struct Format {
    const char* name;
    std::size_t least;  // how many cases it has, so that none is lost
    std::vector<MalformedFile> files;
};

std::vector<MalformedFile> together(std::vector<std::vector<MalformedFile>> tables) {
    std::vector<MalformedFile> all;
    for (auto& table : tables) all.insert(all.end(), table.begin(), table.end());
    return all;
}

std::vector<Format> formats() {
    return {
        {"safetensors", 94, together({malformed_lengths(), malformed_headers()})},
        {"weights", 25, malformed_weights(whole / "model.safetensors")},
        {"shard index", 45, together({malformed_indexes(), malformed_shards()})},
        {"torch archive", 100,
         together({malformed_calls(), malformed_pickles(), malformed_views(), malformed_zips()})},
        {"config", 65, malformed_configs()},
        {"tokenizer", 95,
         together({malformed_tokenizers(), malformed_bpes(), malformed_tokenizer_texts()})},
        {"charsmap", 19, malformed_charsmaps()},
        {"spiece", 19, malformed_spieces()},
        {"vocabulary", 28, malformed_vocabularies()},
        {"sentences", 43, malformed_modules()}};
}

/// The whole folder with a malformed file in it.
void write_folder(const fs::path& folder, const MalformedFile& file) {
    fs::copy(whole, folder, fs::copy_options::recursive);
    for (const std::string& name : file.without) fs::remove(folder / name);
    for (const auto& [name, bytes] : file.others) nf::detail::write_file(folder / name, bytes);
    nf::detail::write_file(folder / file.file, file.bytes);
}

template <typename ErrorType>
bool is(const nf::Error& error) {
    return dynamic_cast<const ErrorType*>(&error) != nullptr;
}

std::string kind_of(const nf::Error& error) {
    return is<nf::IoError>(error)            ? "IoError"
           : is<nf::FormatError>(error)      ? "FormatError"
           : is<nf::UnsafePathError>(error)  ? "UnsafePathError"
           : is<nf::ConfigError>(error)      ? "ConfigError"
           : is<nf::TensorError>(error)      ? "TensorError"
           : is<nf::TokenizerError>(error)   ? "TokenizerError"
           : is<nf::UnsupportedError>(error) ? "UnsupportedError"
           : is<nf::InputError>(error)       ? "InputError"
                                             : "Error";
}

/// True where every byte of the message may be shown on a terminal.
bool is_printable(const std::string& text) {
    for (const char c : text)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return false;
    return true;
}

void check_refused(const MalformedFile& file) {
    const TemporaryFolder parent;
    const fs::path folder = parent / "model";
    write_folder(folder, file);
    INFO(file.title);
    try {
        nf::SentenceEmbeddingPipeline loaded(folder, {.num_threads = 1});
        FAIL_CHECK("loaded");
    } catch (const nf::Error& error) {
        const std::string message = error.what();
        INFO(message);
        CHECK(kind_of(error) == file.kind);
        CHECK((message.find((folder / file.file).string()) != std::string::npos ||
               message.find(folder.string()) == 0));
        CHECK((!error.place().empty() || !error.found().empty()));
        CHECK(!error.expected().empty());
        CHECK(message.size() < 1000);
        CHECK(is_printable(message));
        for (const std::string& part : file.parts) {
            INFO("lacks: " << part);
            CHECK(message.find(part) != std::string::npos);
        }
    }
}

/// What parses bytes reads none behind their end: a sanitizer would see it in this copy.
template <typename Parse>
void check_bounds(const MalformedFile& file, const Parse& parse) {
    INFO(file.title);
    const std::vector<char> copy(file.bytes.begin(), file.bytes.end());
    CHECK_THROWS_AS(parse(as_bytes(std::string_view(copy.data(), copy.size()))), nf::Error);
}

}  // namespace

TEST_CASE("a malformed file of a folder is refused with the right error, its place and reason",
          "[malformed]") {
    {
        const TemporaryFolder parent;
        write_folder(parent / "model", {"", "unread.txt", "", "", {}});
        REQUIRE_NOTHROW(nf::SentenceEmbeddingPipeline(parent / "model", {.num_threads = 1}));
    }
    std::size_t count = 0;
    std::set<std::string> kinds;
    for (const Format& format : formats()) {
        INFO(format.name);
        CHECK(format.files.size() >= format.least);
        count += format.files.size();
        for (const MalformedFile& file : format.files) {
            check_refused(file);
            kinds.insert(file.kind);
        }
    }
    CHECK(count >= 500);
    CHECK(kinds.size() == 7);  // all but InputError, which is for arguments
}

TEST_CASE("no byte behind a malformed file is read", "[malformed]") {
    for (const auto& file : together({malformed_lengths(), malformed_headers()})) {
        check_bounds(file, [](auto bytes) { (void)nf::SafetensorsFile::parse(bytes, "a"); });
    }
    for (const auto& file :
         together({malformed_calls(), malformed_pickles(), malformed_views(), malformed_zips()})) {
        check_bounds(file, [](auto bytes) { nf::TorchArchive::parse(bytes, "a"); });
    }
}

TEST_CASE("symbolic links are followed, or refused where the options say so", "[malformed]") {
    const TemporaryFolder parent;
    const auto load = [&](bool follow) {
        nf::SentenceEmbeddingPipeline(parent / "model",
                                      {.num_threads = 1, .files = {.follow_symlinks = follow}});
    };
    fs::copy(whole, parent / "model", fs::copy_options::recursive);
    CHECK_NOTHROW(load(false));
    for (const char* name :
         {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
          "modules.json", "config_sentence_transformers.json", "1_Pooling", "1_Pooling/config.json",
          "2_Dense", "2_Dense/config.json", "2_Dense/model.safetensors"}) {
        INFO(name);
        const fs::path file = parent / "model" / name;
        fs::rename(file, parent / "elsewhere");
        fs::create_symlink(parent / "elsewhere", file);
        CHECK_NOTHROW(load(true));
        try {
            load(false);
            FAIL_CHECK("loaded");
        } catch (const nf::IoError& error) {
            CHECK(error.file() == file.string());
            CHECK(error.expected() == "no symbolic link");
        }
        fs::remove(file);
        fs::rename(parent / "elsewhere", file);
    }
    // The folder itself may be reached through a link.
    fs::rename(parent / "model", parent / "elsewhere");
    fs::create_symlink(parent / "elsewhere", parent / "model");
    CHECK_NOTHROW(load(false));
}

TEST_CASE("files above the limits of the options are refused with both sizes", "[malformed]") {
    const auto message_of = [&](const nf::FileOptions& files) -> std::string {
        try {
            nf::SentenceEmbeddingPipeline(whole, {.num_threads = 1, .files = files});
        } catch (const nf::FormatError& error) {
            return error.what();
        }
        return "loaded";
    };
    const auto size = fs::file_size(whole / "model.safetensors");
    const auto text = fs::file_size(whole / "tokenizer.json");
    CHECK(message_of({.max_weight_bytes = size}) == "loaded");
    CHECK(message_of({.max_weight_bytes = size - 1}) ==
          (whole / "model.safetensors").string() + ": expected at most " +
              std::to_string(size - 1) + " bytes, found " + std::to_string(size));
    CHECK(message_of({.max_text_bytes = text}) == "loaded");
    CHECK(message_of({.max_text_bytes = text - 1}).find("tokenizer.json: expected at most") !=
          std::string::npos);
    CHECK(message_of({.max_header_bytes = 100}).find("a header length from 2 to 100 in a file") !=
          std::string::npos);
}

TEST_CASE("JSON whose values would take many times its size is refused", "[malformed]") {
    for (const char* values : {"[],", "0,", "{},", "\"\",", "[[]],"}) {
        std::string text = "[";
        while (text.size() < 7'000'000) text += values;
        text.back() = ']';
        INFO(values);
        CHECK_THROWS_AS(nf::detail::parse_json(text, "a"), nf::FormatError);
        nf::detail::MemoryBudget budget("a", text.size(), 80);
        CHECK_NOTHROW(nf::detail::parse_json(text, budget));
    }
    CHECK_THROWS_AS(nf::detail::parse_json('"' + std::string(9 << 20, 'a') + '"', "a"),
                    nf::FormatError);
    CHECK_THROWS_AS(nf::detail::parse_json(std::string(9 << 20, ' ') + "0", "a"), nf::FormatError);
    CHECK_NOTHROW(nf::detail::parse_json('"' + std::string(7 << 20, 'a') + '"', "a"));
}

/// The JSON of a tokenizer whose vocabulary, of `count` entries, is written by `entry(i)`.
template <typename Entry>
std::string tokenizer_of(const std::string& begin, int count, const Entry& entry,
                         const std::string& end) {
    std::string text = R"({"model": {)" + begin;
    for (int i = 0; i < count; ++i) {
        if (i > 0) text += ',';
        text += entry(i);
    }
    return text + end + "}}";
}

TEST_CASE("a vocabulary may take about twice its file's memory", "[malformed]") {
    const auto piece = [](int i) { return "[\"piece" + std::to_string(i) + "\",-11.25]"; };
    // A million pieces are no more than that, written without spaces, and then ready for use.
    const std::string million =
        tokenizer_of(R"("type": "Unigram", "unk_id": 0, "vocab": [)", 1'000'000, piece, "]");
    CHECK(nf::detail::TokenizerFile::parse(million, "a").pieces.size() == 1'000'000);
    const auto tokenizer = nf::Tokenizer::from_json(
        tokenizer_of(R"("type": "Unigram", "unk_id": 0, "vocab": [)", 200'000, piece, "]"));
    CHECK(tokenizer.token_to_id("piece123456") == 123'456);

    CHECK_NOTHROW(nf::detail::TokenizerFile("a", std::size_t{1} << 30));
    CHECK_THROWS_AS(nf::detail::TokenizerFile("a", (std::size_t{1} << 30) + 1), nf::FormatError);

    std::mt19937 random(1);
    const auto letters = [&](std::size_t size) {
        std::string text(size, 'a');
        for (char& letter : text) letter = static_cast<char>('a' + random() % 26);
        return text;
    };
    const auto is_refused = [](const std::string& text) {
        std::string message;
        try {
            (void)nf::Tokenizer::from_json(text);
        } catch (const nf::FormatError& error) {
            message = error.what();
        }
        CHECK(message.find("values of less memory for a file") != message.npos);
    };
    // Each byte of these would be a node of the trie, of 16 bytes.
    is_refused(tokenizer_of(R"("type": "Unigram", "unk_id": 0, "vocab": [)", 1000,
                            [&](int) { return "[\"" + letters(4000) + "\",0]"; }, "]"));
    is_refused(tokenizer_of(
        R"("type": "WordLevel", "unk_token": "a", "vocab": {"a": 0}}, "added_tokens": [)", 1000,
        [&](int i) {
            return R"({"id": )" + std::to_string(i + 1) + R"(, "content": ")" + letters(4000) +
                   R"(", "single_word": false, "lstrip": false, "rstrip": false,
                   "normalized": false, "special": true})";
        },
        R"(], "x": {)"));
    // Short pieces and merges are many.
    is_refused(tokenizer_of(R"("type": "WordLevel", "unk_token": "a", "vocab": {)", 3'000'000,
                            [](int i) { return '"' + std::to_string(i) + "\":0"; }, "}"));
    is_refused(tokenizer_of(R"("type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": [)",
                            3'000'000, [](int) { return "\"a b\""; }, "]"));
}

TEST_CASE("rules that double a text again and again are stopped", "[malformed]") {
    using Json = nf::detail::Json;
    const auto forty = [](const char* key, const Json& step) {
        Json steps = Json::array();
        for (int i = 0; i < 40; ++i) steps.push_back(step);
        return Json({{"type", "Sequence"}, {key, steps}});
    };
    const auto load = [](const char* part, const Json& value, const Json& added) {
        Json json = {{"model", {{"type", "WordLevel"}, {"unk_token", "a"}, {"vocab", {{"a", 0}}}}},
                     {"added_tokens", added}};
        json[part] = value;
        return nf::Tokenizer::from_json(json.dump());
    };
    const Json replace = {{"type", "Replace"}, {"pattern", {{"String", "a"}}}, {"content", "aa"}};
    const Json none = Json::array();
    const auto doubling = load("normalizer", forty("normalizers", replace), none);
    CHECK_THROWS_AS(doubling.encode("a"), nf::InputError);
    CHECK(doubling.encode("b").ids.size() == 1);
    const auto prepending = load(
        "normalizer",
        forty("normalizers", {{"type", "Prepend"}, {"prepend", std::string(9000, 'a')}}), none);
    CHECK_THROWS_AS(prepending.encode("a"), nf::InputError);
    const auto bytes = load("pre_tokenizer",
                            forty("pretokenizers", {{"type", "ByteLevel"},
                                                    {"add_prefix_space", true},
                                                    {"trim_offsets", true},
                                                    {"use_regex", false}}),
                            none);
    CHECK_THROWS_AS(bytes.encode("a b"), nf::InputError);
    const auto decoding = load("decoder", forty("decoders", replace), none);
    CHECK_THROWS_AS(decoding.decode(std::vector<std::int64_t>{0}), nf::InputError);
    const auto spacing =
        load("decoder", forty("decoders", {{"type", "BPEDecoder"}, {"suffix", ""}}), none);
    CHECK_THROWS_AS(spacing.decode(std::vector<std::int64_t>{0, 0}), nf::InputError);

    const Json token = {{"id", 0},         {"content", "a"},  {"single_word", false},
                        {"lstrip", false}, {"rstrip", false}, {"normalized", true},
                        {"special", false}};
    std::string message;
    try {
        (void)load("normalizer", forty("normalizers", replace), Json::array({token}));
    } catch (const nf::TokenizerError& error) {
        message = error.what();
    }
    CHECK(
        message.starts_with("tokenizer.json: /added_tokens/0/content: expected a normal form of"));
}

// For tests/cli/cli_malformed_test.py, which names the folder in the environment.
TEST_CASE("the malformed folders are written", "[.write]") {
    const char* target = std::getenv("NYSTROMFORMER_WRITE_FOLDERS");
    REQUIRE(target != nullptr);
    nf::detail::Json list = nf::detail::Json::array();
    for (const Format& format : formats()) {
        for (const MalformedFile& file : format.files) {
            const std::string name = std::to_string(list.size());
            write_folder(fs::path(target) / name, file);
            list.push_back({{"folder", name},
                            {"format", format.name},
                            {"title", nf::detail::printable(file.title)},
                            {"file", file.file}});
        }
    }
    nf::detail::write_file(fs::path(target) / "list.json", list.dump());
}

}  // namespace malformed_test
