// SPDX-License-Identifier: MIT
// The body of convert_bert: the weights, and the files that stand next to them.
#pragma once

#include <nystromformer/checkpoint/shard_index.hpp>
#include <nystromformer/conversion.hpp>
#include <nystromformer/conversion/bert_conversion.hpp>
#include <nystromformer/conversion/carried_tokenizer.hpp>
#include <nystromformer/core/file.hpp>
#include <nystromformer/core/json.hpp>
#include <nystromformer/core/mode.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/safetensors.hpp>
#include <nystromformer/tokenizer/special_names.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace nystromformer {

namespace detail {

/// What stands beside the weights: the tokenizer's files and those of sentence-transformers.
class FilesBeside {
public:
    /// Finds and checks them. `max_positions` is nothing where the length stays as it was. Errors:
    /// IoError, FormatError, TokenizerError, UnsafePathError.
    FilesBeside(std::filesystem::path folder, const BertConfig& source,
                std::optional<Index> max_positions)
        : folder_(std::move(folder)), max_positions_(max_positions) {
        find_tokenizer(source);
        find_sentence_transformers();
    }

    /// Writes them to a folder that is there. IoError.
    void write(const std::filesystem::path& to) const {
        for (const File& file : files_) {
            std::error_code error;
            std::filesystem::create_directories((to / file.name).parent_path(), error);
            if (file.text) {
                write_file(to / file.name, *file.text);
                continue;
            }
            if (!error) std::filesystem::copy_file(folder_ / file.name, to / file.name, error);
            if (error)
                throw IoError({(to / file.name).string(), "",
                               "a copy of the file of this name in " + folder_.string(),
                               error.message()});
        }
    }
    std::vector<std::string> names() const {
        std::vector<std::string> result;
        for (const File& file : files_) result.push_back(file.name);
        return result;
    }

private:
    using OrderedJson = nlohmann::ordered_json;
    struct File {
        std::string name;
        std::optional<std::string> text;  // nothing: as it is
    };

    void find_tokenizer(const BertConfig& source) {
        const bool has_json = detail::is_regular_file(folder_ / "tokenizer.json");
        bool any = has_json;
        for (const char* name : {"vocab.txt", "vocab.json", "merges.txt", "spiece.model",
                                 "sentencepiece.bpe.model", "tokenizer.model"}) {
            any = take(name) || any;
        }
        for (const char* name : {"special_tokens_map.json", "added_tokens.json"}) take(name);
        const std::string path = (folder_ / "tokenizer_config.json").string();
        const JsonTree options = SpecialNames::read_if_there(path);
        CarriedTokenizer carried;
        try {
            if (any)
                carried = CarriedTokenizer::of(folder_, JsonView<TokenizerError>(options, path));
        } catch (const Error&) {
            // A tokenizer that cannot be read is copied as it is: who loads it hears why.
        }
        if (has_json) files_.push_back({"tokenizer.json", std::move(carried.tokenizer_json)});
        OrderedJson changes = std::move(carried.options);
        // A Nystromformer's config does not tell which tokenizer it has, as a BERT's does.
        if (any && !JsonView<TokenizerError>(options, path).holds("tokenizer_class"))
            changes["tokenizer_class"] = source.tokenizer_class;
        if (any && max_positions_) changes["model_max_length"] = *max_positions_;
        take("tokenizer_config.json", changes);
    }

    void find_sentence_transformers() {
        take("config_sentence_transformers.json");
        for (const char* kind : {"bert", "roberta", "xlm-roberta", "camembert"}) {
            const std::string name = "sentence_" + std::string(kind) + "_config.json";
            if (!detail::is_regular_file(folder_ / name)) continue;
            const std::string path = (folder_ / name).string();
            const JsonTree options = read_json_file(path, most_bytes);
            OrderedJson changes;
            if (JsonView<FormatError>(options, path).holds("max_seq_length") && max_positions_) {
                changes["max_seq_length"] = *max_positions_;
            }
            take(name, changes);
        }
        if (take("modules.json")) find_modules(folder_ / "modules.json");
    }

    /// The folders of pooling, normalisation and dense layers; the transformer's own is this one.
    /// A module without parameters may have none.
    void find_modules(const std::filesystem::path& path) {
        const JsonTree json = read_json_file(path, most_bytes);
        const std::string file = path.string();
        const JsonView<FormatError> modules(json, file);
        modules.array();
        for (std::size_t i = 0; i < modules.size(); ++i) {
            const auto module = modules.at(i).at("path");
            const std::string& name = module.string();
            if (name.empty()) continue;
            if (!is_plain_file_name(name, "")) {
                throw UnsafePathError({module.file(), module.path(),
                                       "the plain name of a folder in this one", in_quotes(name)});
            }
            std::error_code error;
            if (std::filesystem::is_directory(folder_ / name, error)) take_folder(name);
        }
    }
    void take_folder(const std::string& name) {
        std::error_code error;
        for (std::filesystem::directory_iterator entry(folder_ / name, error), end;
             !error && entry != end; entry.increment(error)) {
            take(name + '/' + entry->path().filename().string());
        }
        if (error)
            throw IoError({(folder_ / name).string(), "", "a readable folder", error.message()});
    }

    bool take(const std::string& name) {
        if (!detail::is_regular_file(folder_ / name)) return false;
        files_.push_back({name, std::nullopt});
        return true;
    }
    /// The object in `name`, an empty one where there is no such file, with `changes`.
    void take(const std::string& name, const OrderedJson& changes) {
        if (changes.empty()) {
            take(name);
            return;
        }
        OrderedJson json = OrderedJson::object();
        if (detail::is_regular_file(folder_ / name))
            json = OrderedJson::parse(read_file(folder_ / name, most_bytes));
        json.update(changes);
        files_.push_back({name, json.dump(2) + '\n'});
    }

    static constexpr std::uint64_t most_bytes = SpecialNames::most_bytes;

    std::filesystem::path folder_;
    std::optional<Index> max_positions_;
    std::vector<File> files_;
};

/// InputError where there is anything at `folder` but an empty folder.
inline void require_empty(const std::filesystem::path& folder) {
    std::error_code error;
    const auto status = std::filesystem::symlink_status(folder, error);
    if (!std::filesystem::exists(status)) return;
    if (!std::filesystem::is_directory(folder, error) || !std::filesystem::is_empty(folder, error))
        throw InputError({folder.string(), "", "no folder yet, or an empty one", "something"});
}

}  // namespace detail

NYSTROMFORMER_INLINE ConversionReport convert_bert(const std::filesystem::path& from,
                                                   const std::filesystem::path& to,
                                                   const ConversionOptions& options) {
    detail::require_empty(to);
    const auto conversion = detail::BertConversion::load(from, options);
    const Index positions = conversion.source.config.max_position_embeddings;
    const bool longer = conversion.config.max_position_embeddings > positions;
    const detail::FilesBeside beside(
        from, conversion.source,
        longer ? std::optional(conversion.config.max_position_embeddings) : std::nullopt);

    std::error_code error;
    std::filesystem::create_directories(to, error);
    if (error) throw IoError({to.string(), "", "a folder to write to", error.message()});
    beside.write(to);
    save_safetensors(to / "model.safetensors", conversion.tensors.tensors());
    detail::write_file(to / "config.json", conversion.config.to_json());

    ConversionReport report{conversion.source.architecture, conversion.config, positions,
                            conversion.tensors.left_out(), beside.names()};
    report.files.insert(report.files.end(), {"config.json", "model.safetensors"});
    std::sort(report.files.begin(), report.files.end());
    return report;
}

}  // namespace nystromformer
