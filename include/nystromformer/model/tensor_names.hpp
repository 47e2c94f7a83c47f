// SPDX-License-Identifier: MIT
// TensorNames: what the files call the tensors of a model, by their paths in Nystromformer.
#pragma once

#include <nystromformer/checkpoint.hpp>
#include <nystromformer/config.hpp>
#include <nystromformer/model/family.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace nystromformer::inline v0_2::detail {

/// Where in `path` the names of `part` stand between dots; npos if they do not.
inline std::size_t find_part(std::string_view path, std::string_view part) {
    for (std::size_t at = path.find(part); at != path.npos; at = path.find(part, at + 1)) {
        const std::size_t end = at + part.size();
        if ((at == 0 || path[at - 1] == '.') && (end == path.size() || path[end] == '.')) return at;
    }
    return path.npos;
}

/// Turns paths such as "nystromformer.encoder.layer.0.attention.self.query.weight" and
/// "classifier.out_proj.bias" into the names that a family's files have.
class TensorNames {
public:
    TensorNames() = default;
    /// For the files of `checkpoint`, or for new ones that have the encoder in `scope`.
    TensorNames(const NystromformerConfig& config, Checkpoint checkpoint)
        : TensorNames(config, std::string(family_of(config.model_type).scope)) {
        if (checkpoint.find(encoder("embeddings.position_embeddings.weight")) == nullptr)
            scope_ = "";
        checkpoint_ = std::move(checkpoint);
    }
    TensorNames(const NystromformerConfig& config, const std::string& scope)
        : encoder_(&family_of(config.model_type)),
          head_(&family_of(config.head_model_type.value_or(config.model_type))),
          scope_(scope.empty() ? "" : scope + '.') {
        if (config.head_model_type) head_scope_ = *config.head_model_type + "_head.";
    }

    std::string operator()(std::string_view path) const {
        constexpr std::string_view model = "nystromformer.";
        std::string name =
            path.starts_with(model) ? encoder(path.substr(model.size())) : head(path);
        return checkpoint_ ? with_old_ending(std::move(name)) : name;
    }

private:
    static std::string renamed(std::string_view path, std::span<const OwnName> names) {
        std::string result(path);
        for (const OwnName& name : names) {
            const std::size_t at = find_part(result, name.path);
            if (at != result.npos) result.replace(at, name.path.size(), name.own);
        }
        return result;
    }
    std::string encoder(std::string_view path) const {
        return scope_ + renamed(path, encoder_->tensors);
    }
    std::string head(std::string_view path) const {
        std::string name = renamed(path, head_->tensors);
        if (!name.starts_with('@')) return head_scope_ + name;
        return (head_scope_.empty() ? scope_ : head_scope_) + name.substr(1);
    }
    /// Files from before 2019, bert-base-uncased among them, call the numbers of a layer norm gamma
    /// and beta.
    std::string with_old_ending(std::string name) const {
        for (const auto& [ending, old] :
             {std::pair("LayerNorm.weight", "gamma"), std::pair("LayerNorm.bias", "beta")}) {
            if (!name.ends_with(ending) || checkpoint_->find(name) != nullptr) continue;
            const std::string old_name = name.substr(0, name.rfind('.') + 1) + old;
            if (checkpoint_->find(old_name) != nullptr) return old_name;
        }
        return name;
    }

    const Family* encoder_ = &families.front();
    const Family* head_ = &families.front();
    std::string scope_ = "nystromformer.", head_scope_;
    std::optional<Checkpoint> checkpoint_;
};

}  // namespace nystromformer::inline v0_2::detail
