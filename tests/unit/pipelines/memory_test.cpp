// SPDX-License-Identifier: MIT
// Models, tokenizers and pipelines from bytes. The folders that they name do not exist.
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

#include <nystromformer/nystromformer.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace memory_test {

namespace nf = nystromformer;
namespace fs = std::filesystem;

namespace {

const fs::path data = NYSTROMFORMER_TEST_DATA;
const fs::path small = fs::path(NYSTROMFORMER_MODELS) / "nystromformer-small-en";
constexpr const char* mask_text = "She opened the [MASK] and walked into the garden.";

std::string bytes_of(const fs::path& path) {
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

/// The files of a folder, in memory under the name of another.
class Folder {
public:
    explicit Folder(const fs::path& folder, const std::string& name = "nowhere") {
        for (const auto& entry : fs::recursive_directory_iterator(folder)) {
            if (!entry.is_regular_file()) continue;
            const auto path = fs::path(name) / entry.path().lexically_relative(folder);
            bytes_.emplace(path.generic_string(), bytes_of(entry.path()));
        }
    }
    nf::FileOptions files() const {
        return {.memory = nf::MemoryFiles(bytes_.begin(), bytes_.end())};
    }
    nf::LoadOptions load() const { return {.files = files()}; }
    std::string& operator[](const std::string& path) { return bytes_.at(path); }

private:
    std::map<std::string, std::string> bytes_;
};

template <typename Call>
std::string error_of(const Call& call) {
    try {
        call();
    } catch (const nf::Error& error) {
        return error.what();
    }
    return "no error";
}

TEST_CASE("a pipeline of files in memory answers as that of the folder", "[memory]") {
    const auto check = [](const fs::path& name) {
        const nf::FillMaskPipeline on_disk(small), in_memory(name, Folder(small, name).load());
        const auto expected = on_disk(mask_text), found = in_memory(mask_text);
        REQUIRE(found.size() == expected.size());
        for (std::size_t i = 0; i < found.size(); ++i) {
            CHECK(found[i].score == expected[i].score);
            CHECK(found[i].sequence == expected[i].sequence);
        }
    };
    check("nowhere");
    check("");
}

TEST_CASE("folders of sentence-transformers may be in memory", "[memory]") {
    for (const auto& entry : fs::directory_iterator(data / "reference" / "sentences")) {
        if (!entry.is_directory()) continue;
        INFO(entry.path().string());
        const nf::SentenceEmbeddingPipeline on_disk(entry.path()),
            in_memory("nowhere", Folder(entry.path()).load());
        CHECK(in_memory("A calm sea.") == on_disk("A calm sea."));
    }
    const fs::path single = data / "reference" / "rerank" / "single";
    const nf::RerankPipeline on_disk(single), in_memory("nowhere", Folder(single).load());
    CHECK(in_memory("a calm sea", {"An apple."}).front().score ==
          on_disk("a calm sea", {"An apple."}).front().score);
}

TEST_CASE("shards and files of torch may be in memory", "[memory]") {
    for (const char* name : {"mlm-nystrom", "bare-nystrom", "choice-exact"}) {
        const fs::path folder = data / "reference" / "data" / "models" / name;
        const Folder memory(folder);
        const auto on_disk = nf::Checkpoint::open(folder),
                   in_memory = nf::Checkpoint::open("nowhere", memory.files());
        REQUIRE(in_memory.names() == on_disk.names());
        for (const nf::TensorView& tensor : in_memory.tensors())
            CHECK(std::ranges::equal(tensor.bytes, on_disk.find(tensor.name)->bytes));
    }
}

TEST_CASE("a tokenizer of older files may be in memory", "[memory]") {
    Folder memory(small);
    nf::FileOptions files = memory.files();
    files.memory.erase("nowhere/tokenizer.json");
    const auto tokenizer = nf::Tokenizer::from_pretrained("nowhere", false, files);
    CHECK(tokenizer.encode("A garden.").ids ==
          nf::Tokenizer::from_pretrained(small).encode("A garden.").ids);
    files.memory.erase("nowhere/spiece.model");
    CHECK(error_of([&] {
              (void)nf::Tokenizer::from_pretrained("nowhere", false, files);
          }).starts_with("nowhere: expected a folder with tokenizer.json, "));
}

TEST_CASE("errors of files in memory are those of files on the disk", "[memory]") {
    const auto error = [](Folder& memory) {
        return error_of([&] { (void)nf::FillMaskPipeline("nowhere", memory.load()); });
    };
    Folder broken(small);
    broken["nowhere/model.safetensors"].resize(1000);
    CHECK(error(broken).starts_with("nowhere/model.safetensors: byte 0"));
    Folder bad_json(small);
    bad_json["nowhere/config.json"] = "{";
    CHECK(error(bad_json).starts_with("nowhere/config.json"));
    nf::LoadOptions limited = Folder(small).load();
    const Folder memory(small);
    limited = memory.load();
    limited.files.max_weight_bytes = 1000;
    CHECK_THROWS_AS(nf::FillMaskPipeline("nowhere", limited), nf::FormatError);
    limited = memory.load();
    limited.files.max_text_bytes = 1000;
    CHECK_THROWS_AS(nf::FillMaskPipeline("nowhere", limited), nf::FormatError);
    // The disk does not fill in what the memory lacks.
    limited = memory.load();
    CHECK(error_of([&] {
              (void)nf::FillMaskPipeline(small, limited);
          }).find("in memory 7 files, the first \"nowhere/README.md\"") != std::string::npos);
}

TEST_CASE("bytes of any kind are taken, but not those of a temporary", "[memory]") {
    const auto size = [](nf::FileBytes bytes) { return bytes.view().size(); };
    const std::string text = "abc";
    const std::vector<unsigned char> numbers{1, 2};
    CHECK(size(text) == 3);
    CHECK(size(std::string_view(text)) == 3);
    CHECK(size("ab") == 2);
    CHECK(size(numbers) == 2);
    CHECK(size(std::as_bytes(std::span(numbers))) == 2);
    STATIC_REQUIRE_FALSE(std::is_convertible_v<std::string, nf::FileBytes>);
    STATIC_REQUIRE_FALSE(std::is_convertible_v<std::vector<char>, nf::FileBytes>);
    STATIC_REQUIRE_FALSE(std::is_convertible_v<const std::vector<int>&, nf::FileBytes>);
}

TEST_CASE("a checkpoint of bytes leaves them as they are", "[memory]") {
    const std::string weights = bytes_of(small / "model.safetensors"), copy = weights;
    const auto checkpoint = nf::Checkpoint::from_bytes(weights, "model.safetensors (memory)");
    CHECK(checkpoint.names() == nf::Checkpoint::open(small).names());
    CHECK(checkpoint.source() == "model.safetensors (memory)");
    for (const nf::TensorView& tensor : checkpoint.tensors()) checkpoint.release(tensor);
    const auto config = nf::NystromformerConfig::from_json(bytes_of(small / "config.json"));
    const auto model = nf::NystromformerForMaskedLM<float>::from_checkpoint(config, checkpoint);
    CHECK(weights == copy);
    const auto tokenizer = nf::Tokenizer::from_json(bytes_of(small / "tokenizer.json"),
                                                    bytes_of(small / "tokenizer_config.json"));
    const nf::FillMaskPipeline fill_mask(model, tokenizer);
    CHECK(fill_mask(mask_text).front().score ==
          nf::FillMaskPipeline(small)(mask_text).front().score);
}

TEST_CASE("a checkpoint of bytes is checked as a file", "[memory]") {
    const std::string weights = bytes_of(small / "model.safetensors");
    const auto error = [&](std::size_t size, const nf::FileOptions& files = {}) {
        return error_of([&] {
            (void)nf::Checkpoint::from_bytes(std::string_view(weights).substr(0, size), "label",
                                             files);
        });
    };
    CHECK(error(weights.size()) == "no error");
    CHECK(error(0) == "label: byte 0: expected the 8 bytes of the header's length, found 0 bytes");
    CHECK(error(weights.size() - 1).starts_with("label: tensor "));
    CHECK(
        error(weights.size(), {.max_weight_bytes = 10}).starts_with("label: expected at most 10"));
    CHECK(
        error(weights.size(), {.max_header_bytes = 10}).starts_with("label: byte 0: expected a "));
}

TEST_CASE("the text of a tokenizer_config.json gives a tokenizer its roles", "[memory]") {
    const std::string text = bytes_of(small / "tokenizer.json");
    const auto bare = nf::Tokenizer::from_json(text);
    CHECK_FALSE(bare.mask_token());
    const auto tokenizer = nf::Tokenizer::from_json(
        text,
        R"({"mask_token": "[MASK]", "cls_token": {"content": "<new>", "lstrip": true},
            "model_max_length": 99, "padding_side": "left", "tokenizer_class": "Strange"})");
    CHECK(tokenizer.mask_token() == "[MASK]");
    CHECK(tokenizer.model_max_length() == 99);
    CHECK(tokenizer.padding_side() == nf::Direction::left);
    // A token that the file does not have is added, as in Python.
    CHECK(tokenizer.cls_token() == "<new>");
    CHECK(tokenizer.token_to_id("<new>") == bare.vocab_size());
    CHECK(tokenizer.encode("a <new>").ids[1] != tokenizer.token_to_id("<new>"));
    // transformers also adds the pad token that tokenizer.json names; tokenizers does not.
    auto padded = nlohmann::json::parse(text);
    padded["padding"] = {
        {"strategy", "BatchLongest"}, {"direction", "Right"}, {"pad_id", 0},
        {"pad_type_id", 0},           {"pad_token", "<odd>"}, {"pad_to_multiple_of", {}}};
    CHECK_FALSE(nf::Tokenizer::from_json(padded.dump()).token_to_id("<odd>"));
    CHECK(nf::Tokenizer::from_json(padded.dump(), "{}").token_to_id("<odd>") == bare.vocab_size());
    CHECK(error_of([&] {
              (void)nf::Tokenizer::from_json(text, "[]");
          }).starts_with("tokenizer_config.json: /: expected an object"));
    CHECK(error_of([&] {
              (void)nf::Tokenizer::from_json("{", {}, {}, "mine");
          }).starts_with("mine: "));
    CHECK(error_of([&] {
              (void)nf::Tokenizer::from_json(text, {}, {.max_text_bytes = 10});
          }).starts_with("tokenizer.json: expected at most 10 bytes"));
    CHECK(error_of([&] {
              (void)nf::NystromformerConfig::from_json(R"({"vocab_size": 7})", "mine",
                                                       {.max_text_bytes = 10});
          }).starts_with("mine: expected at most 10 bytes"));
}

}  // namespace
}  // namespace memory_test
