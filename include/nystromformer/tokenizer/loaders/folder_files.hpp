// SPDX-License-Identifier: MIT
// The tokenizer of a folder as one tokenizer.json: the file of that name, or the one that
// transformers would make of older files, with what the class of tokenizers and the files next to
// it change and add.
#pragma once

#include <nystromformer/core/file.hpp>
#include <nystromformer/core/json.hpp>
#include <nystromformer/core/notice.hpp>
#include <nystromformer/core/path_text.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/tokenizer/loaders/class_parts.hpp>
#include <nystromformer/tokenizer/loaders/folder_config.hpp>
#include <nystromformer/tokenizer/loaders/found_files.hpp>
#include <nystromformer/tokenizer/loaders/sentencepiece_files.hpp>
#include <nystromformer/tokenizer/loaders/tokenizer_class.hpp>
#include <nystromformer/tokenizer/loaders/vocabulary_files.hpp>
#include <nystromformer/tokenizer/models/model.hpp>
#include <nystromformer/tokenizer/tokenizer_file.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace nystromformer::inline v0_2::detail {

/// What the files of a folder amount to.
struct FolderFiles {
    TokenizerFile tokenizer;  ///< of the name of the file that it was mostly read from
    SpecialNames names;
    bool is_rebuilt = false;  ///< of a tokenizer.json, the vocabulary alone is used

    /// Throws IoError, FormatError, TokenizerError, or UnsupportedError for classes that this
    /// library does not know.
    static FolderFiles load(const std::filesystem::path& folder, const FileOptions& files = {}) {
        FolderConfig config(folder, files);
        refuse_versioned_json(config.options());
        const ClassChoice choice = ClassChoice::of(folder, config.options(), files);
        const bool has_json = detail::is_regular_file(folder / "tokenizer.json", files);
        FolderFiles result = has_json ? of_json(read_json(folder, files), choice, config)
                                      : of_older_files(folder, choice, config, files);
        add_tokens(config, result.tokenizer);
        result.names = config.names(files);
        const TokenizerClass present = has_json ? choice.class_of_json() : choice.named_class(),
                             past = choice.named_class();
        if (!result.names.gives_token_type_ids && present.gives_type_ids == past.gave_type_ids)
            result.names.gives_token_type_ids = past.gave_type_ids;
        return result;
    }

    /// What PreTrainedTokenizerFast.from_pretrained makes of the texts of a tokenizer.json, called
    /// `name`, and of a tokenizer_config.json. Without the second, what Tokenizer.from_str makes of
    /// the first, which adds no tokens. Throws as `load`.
    static FolderFiles of_texts(std::string_view text, std::string_view tokenizer_config,
                                const std::string& name, const FileOptions& files) {
        check_size(name, text.size(), std::min(max_json_bytes, files.max_text_bytes));
        TokenizerFile file = TokenizerFile::parse(text, name);
        file.files = files;
        if (tokenizer_config.empty()) return {std::move(file), {}};
        FileOptions beside = files;
        beside.memory = {{"tokenizer_config.json", tokenizer_config}};
        FolderConfig config("", beside);
        FolderFiles result = of_json(std::move(file), {}, config);
        add_tokens(config, result.tokenizer);
        result.names = config.names(files);
        return result;
    }

    /// Adds what the files beside it name, in Python's order.
    static void add_tokens(const FolderConfig& config, TokenizerFile& file) {
        std::set<std::string_view> present;
        const auto root = file.root();
        if (root.holds("added_tokens"))
            for (std::size_t i = 0; i < root.at("added_tokens").array().size(); ++i)
                present.insert(root.at("added_tokens").at(i).at("content").string());
        constexpr std::size_t memory_of_token = 512;
        bool is_noted = false;
        for (NamedToken& token : config.tokens_to_add(present)) {
            if (token.content.empty()) {
                if (!std::exchange(is_noted, true) && !token.place.empty())
                    give_notice(file.files, token.file, token.place, "has no text; it is no token");
                continue;
            }
            file.budget.take(memory_of_token + 4 * token.content.size());
            file.more_tokens.push_back({token.added_token(), token.id, false, std::move(token.file),
                                        std::move(token.place)});
        }
        file.split_special_tokens = config.flag("split_special_tokens", false);
    }

private:
    using Kind = TokenizerClass::Kind;
    using Names = std::initializer_list<const char*>;

    static constexpr std::uint64_t max_json_bytes = 64U << 20;

    /// Source: transformers 5.24, tokenization_utils_base.py, get_fast_tokenizer_file, which
    /// prefers a tokenizer.4.0.0.json to the tokenizer.json.
    static void refuse_versioned_json(const FolderConfig::View& options) {
        if (!options.holds("fast_tokenizer_files")) return;
        const auto names = options.at("fast_tokenizer_files");
        for (std::size_t i = 0; i < names.array().size(); ++i) {
            const std::string& name = names.at(i).string();
            const auto start = name.find("tokenizer.");
            if (start == name.npos || name.find(".json", start + 10) == name.npos) continue;
            throw UnsupportedError({options.file(), names.at(i).path(),
                                    "tokenizer.json alone (rename the file that you want)",
                                    in_quotes(name)});
        }
    }

    static TokenizerFile read_json(const std::filesystem::path& folder, const FileOptions& files) {
        const auto path = folder / "tokenizer.json";
        TokenizerFile file =
            TokenizerFile::parse(read_file(path, max_json_bytes, files), path_to_utf8(path));
        file.files = files;
        return file;
    }

    static FolderFiles of_json(TokenizerFile json, const ClassChoice& choice,
                               FolderConfig& config) {
        FolderFiles result{std::move(json), {}};
        TokenizerFile& file = result.tokenizer;
        const auto root = file.root().object();
        std::optional<FolderConfig::View> listed;  // unless tokenizer_config.json has a list
        if (!config.has_decoder() && root.holds("added_tokens")) listed = root.at("added_tokens");
        config.settle_roles(listed ? &*listed : nullptr);
        const TokenizerClass kind = choice.class_of_json();
        set_class_defaults(kind.kind, config);
        if (root.holds("padding") && root.at("padding").object().holds("pad_token"))
            config.set_default("pad_token", root.at("padding").at("pad_token").string());
        const bool fits = kind.kind == Kind::generic ||
                          Model::type_of(root.at("model").object()) == kind.model_type();
        if (!kind.is_known || !fits) note_class(choice, kind, file);
        result.is_rebuilt = kind.rebuilds && fits;
        if (listed && result.is_rebuilt) config.add_decoder(*listed, file.budget);
        if (listed && !result.is_rebuilt) config.change_listed(*listed, file.budget);
        if (result.is_rebuilt) {
            rebuild(kind.kind, config, file);
        } else if (kind.kind == Kind::bert && fits) {
            set_bert_template(config, file);
        }
        return result;
    }

    static void note_class(const ClassChoice& choice, const TokenizerClass& kind,
                           const TokenizerFile& file) {
        const std::string name =
            choice.named.empty() ? std::string(kind.name) : printable(choice.named);
        give_notice(file.files, file.name(), "",
                    kind.is_known ? "is used as it is: " + name + " has a " +
                                        std::string(kind.model_type()) + " model, this file another"
                                  : "is used as it is, without what " + name +
                                        " may change, a class that this library does not know");
    }

    /// What a class makes of the vocabulary of a tokenizer.json.
    static void rebuild(Kind kind, const FolderConfig& config, TokenizerFile& file) {
        if (kind == Kind::bert) return build_bert(config, file);
        if (kind == Kind::roberta) return build_roberta(config, file);
        Json precompiled = first_precompiled(file.json.value);
        if (kind == Kind::albert) {
            Json post_processor = file.json.value.value("post_processor", Json());
            build_albert(config, std::move(precompiled), file);
            if (!post_processor.is_null())
                file.json.value["post_processor"] = std::move(post_processor);
        } else if (kind == Kind::xlm_roberta) {
            build_fairseq(config, 3, std::move(precompiled), file);
        } else {
            const std::int64_t unknown =
                config.has_role("unk_token") ? file.find(config.content("unk_token")) : -1;
            build_fairseq(config, std::max<std::int64_t>(unknown, 0), std::move(precompiled), file);
        }
    }

    /// The first Precompiled of /normalizer, or null.
    static Json first_precompiled(const Json& tokenizer) {
        const Json normalizer = tokenizer.value("normalizer", Json());
        const auto is_precompiled = [](const Json& step) {
            return step.is_object() && step.value("type", Json()) == "Precompiled";
        };
        if (is_precompiled(normalizer)) return normalizer;
        if (normalizer.is_object() && normalizer.contains("normalizers"))
            for (const Json& step : normalizer["normalizers"])
                if (is_precompiled(step)) return step;
        return {};
    }

    /// The class that tokenizer_config.json or config.json names decides, without one the files
    /// that are there.
    static FolderFiles of_older_files(const std::filesystem::path& folder,
                                      const ClassChoice& choice, FolderConfig& config,
                                      const FileOptions& files) {
        config.settle_roles(nullptr);
        const FoundFiles found(folder, files);
        const Kind kind = found.kind_of(choice);
        if (kind == Kind::bert) return {bert_file(found.one_of({"vocab.txt"}), config, files), {}};
        if (kind == Kind::roberta)
            return {roberta_file(found.one_of({"vocab.json"}), found.one_of({"merges.txt"}), config,
                                 files),
                    {}};
        return {sentencepiece_file(found, kind, config, files), {}};
    }

    static TokenizerFile sentencepiece_file(const FoundFiles& found, Kind kind,
                                            FolderConfig& config, const FileOptions& files) {
        const auto path =
            found.one_of({"tokenizer.model", "spiece.model", "sentencepiece.bpe.model"});
        constexpr std::uint64_t max_bytes = 64U << 20;
        const std::string bytes = read_file(path, max_bytes, files);
        TokenizerFile file(path_to_utf8(path), bytes.size());
        file.files = files;
        file.budget.take(bytes.size());
        const auto model = SentencePieceModel::parse(bytes, file.budget);
        if (kind == Kind::albert) {
            fill_albert(model, config, file);
        } else if (kind == Kind::xlm_roberta) {
            fill_xlm_roberta(model, config, file);
        } else {
            fill_camembert(model, config, file);
        }
        file.budget.give(bytes.size() + model.memory());
        return file;
    }
};

}  // namespace nystromformer::inline v0_2::detail
