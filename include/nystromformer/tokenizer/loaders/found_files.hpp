// SPDX-License-Identifier: MIT
// Which of the older files of tokenizers a folder has, and what to say of one that has none.
#pragma once

#include <nystromformer/core/file.hpp>
#include <nystromformer/core/path_text.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/tokenizer/loaders/tokenizer_class.hpp>

#include <filesystem>
#include <initializer_list>
#include <string>
#include <system_error>
#include <utility>

namespace nystromformer::inline v0_2::detail {

/// A folder without tokenizer.json.
class FoundFiles {
public:
    using Kind = TokenizerClass::Kind;

    FoundFiles(std::filesystem::path folder, const FileOptions& files)
        : folder_(std::move(folder)), files_(files) {}

    /// The first of `names` that exists. Throws IoError if none does.
    std::filesystem::path one_of(std::initializer_list<const char*> names) const {
        std::string looked_for;
        for (const char* name : names) {
            if (has(name)) return folder_ / name;
            looked_for.append(looked_for.empty() ? "" : " or ").append(name);
        }
        throw IoError({path_to_utf8(folder_), "",
                       looked_for + ", or a tokenizer.json, in the folder", what_is_there()});
    }

    /// The kind of the class that the files name, else that of the files. Throws UnsupportedError
    /// for a class that is not known, and IoError.
    Kind kind_of(const ClassChoice& choice) const {
        const TokenizerClass named = choice.named_class();
        if (!named.is_known) {
            throw UnsupportedError(
                {choice.file, "/tokenizer_class",
                 "a tokenizer.json, or AlbertTokenizer, BertTokenizer, CamembertTokenizer, "
                 "RobertaTokenizer, XLMRobertaTokenizer or one like these",
                 in_quotes(choice.named)});
        }
        if (named.kind != Kind::generic) return named.kind;
        if (has("tokenizer.model")) {  // transformers makes a plain SentencePiece tokenizer of it
            throw UnsupportedError(
                {path_to_utf8(folder_ / "tokenizer.model"), "",
                 "a tokenizer.json, or the class of tokenizers in tokenizer_config.json",
                 choice.named.empty() ? "no class" : in_quotes(choice.named)});
        }
        if (has("spiece.model")) return Kind::albert;
        if (has("sentencepiece.bpe.model")) return Kind::xlm_roberta;
        if (has("vocab.json") && has("merges.txt")) return Kind::roberta;
        if (has("vocab.txt")) return Kind::bert;
        throw IoError({path_to_utf8(folder_), "",
                       "a folder with tokenizer.json, spiece.model, sentencepiece.bpe.model, "
                       "vocab.json and merges.txt, vocab.txt, or a tokenizer.model and its class",
                       what_is_there()});
    }

private:
    bool has(const char* name) const { return detail::is_regular_file(folder_ / name, files_); }

    /// What stands in place of the files that are missing, and what helps.
    std::string what_is_there() const {
        std::error_code error;
        if (files_.memory.empty() && !std::filesystem::is_directory(folder_, error))
            return std::filesystem::exists(folder_, error) ? "a file, not a folder"
                                                           : "no such folder";
        constexpr const char* save =
            "; AutoTokenizer.from_pretrained(...).save_pretrained(...) in Python writes a "
            "tokenizer.json";
        struct Row {
            const char *name, *of;
        };
        constexpr Row rows[] = {{"tokenizer.model", "SentencePiece"},
                                {"spiece.model", "SentencePiece"},
                                {"sentencepiece.bpe.model", "SentencePiece"},
                                {"spm.model", "DeBERTa's SentencePiece"},
                                {"source.spm", "Marian's SentencePiece"},
                                {"bpe.codes", "PhoBERT's or BERTweet's BPE"},
                                {"vocab.bpe", "GPT-2's BPE"},
                                {"vocab.json", "BPE, without its merges.txt"},
                                {"merges.txt", "BPE, without its vocab.json"},
                                {"vocab.txt", "WordPiece"},
                                {"vocab.model", "an unknown kind"},
                                {"tekken.json", "Mistral"},
                                {"tiktoken.model", "tiktoken"}};
        for (const Row& row : rows)
            if (has(row.name)) return std::string(row.name) + " (" + row.of + ")" + save;
        return "none of them" + std::string(has("config.json") ? save : "");
    }

    std::filesystem::path folder_;
    const FileOptions& files_;
};

}  // namespace nystromformer::inline v0_2::detail
