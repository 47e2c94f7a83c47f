// SPDX-License-Identifier: MIT
// A stand-in for `nystromformer tokenize --model DIR` that needs only the tokenizer headers, and
// that tells everything of an encoding; DIR may also be a tokenizer.json, to be read alone. JSON
// lines {"text", "pair"?, "plain"?}, {"decode": ids} or
// {"facts": true} in, the same with "output" or "error" out; "plain" leaves out special tokens.
// Used by compare.py, random_tokenizers.py and random_folders.py.
#include "../support/tokenizer_facts.hpp"

#include <nystromformer/tokenizer.hpp>

#include <nlohmann/json.hpp>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace nf = nystromformer;
using Json = nlohmann::json;

namespace {

Json to_json(const nf::Encoding& encoding) {
    Json overflowing = Json::array();
    for (const nf::Encoding& window : encoding.overflowing) overflowing.push_back(to_json(window));
    return {{"ids", encoding.ids},
            {"tokens", encoding.tokens},
            {"offsets", encoding.offsets},
            {"byte_offsets", encoding.byte_offsets},
            {"type_ids", encoding.type_ids},
            {"attention_mask", encoding.attention_mask},
            {"special_tokens_mask", encoding.special_tokens_mask},
            {"word_ids", encoding.word_ids},
            {"sequence_ids", encoding.sequence_ids},
            {"overflowing", overflowing}};
}

nf::Tokenizer load(const std::filesystem::path& path) {
    if (std::filesystem::is_directory(path)) return nf::Tokenizer::from_pretrained(path);
    std::ifstream file(path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    return nf::Tokenizer::from_json(text, {}, {}, path.string());
}

Json decoded(const nf::Tokenizer& tokenizer, const std::vector<std::int64_t>& ids) {
    return {tokenizer.decode(ids), tokenizer.decode(ids, {.skip_special_tokens = false})};
}

Json answer(const nf::Tokenizer& tokenizer, const Json& request) {
    if (request.contains("facts")) return tokenizer_facts(tokenizer);
    if (request.contains("decode"))
        return {
            {"decoded", decoded(tokenizer, request.at("decode").get<std::vector<std::int64_t>>())}};
    const auto& text = request.at("text").get_ref<const std::string&>();
    const nf::EncodeOptions options{.add_special_tokens = !request.value("plain", false)};
    const nf::Encoding encoding =
        request.contains("pair")
            ? tokenizer.encode(text, request.at("pair").get_ref<const std::string&>(), options)
            : tokenizer.encode(text, options);
    Json output = to_json(encoding);
    output["decoded"] = decoded(tokenizer, encoding.ids);
    return output;
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string_view> arguments(argv + 1, argv + argc);
    if (arguments.size() != 3 || arguments[0] != "tokenize" || arguments[1] != "--model") return 2;
    std::ios::sync_with_stdio(false);
    try {
        const auto tokenizer = load(arguments[2]);
        std::string line;
        while (std::getline(std::cin, line)) {
            Json request = Json::parse(line);
            try {
                request["output"] = answer(tokenizer, request);
            } catch (const nf::Error& error) {
                request["error"] = error.what();
            }
            std::cout << request.dump() << '\n';
        }
    } catch (const nf::Error& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
    return 0;
}
