// SPDX-License-Identifier: MIT
// LabelReader: num_labels, id2label and label2id of a config.json, as transformers makes sense of
// them.
#pragma once

#include <nystromformer/core/index.hpp>
#include <nystromformer/core/json.hpp>
#include <nystromformer/core/notice.hpp>
#include <nystromformer/core/python_int.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/model/config_fields.hpp>
#include <nystromformer/options.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

namespace nystromformer::inline v0_2::detail {

using ConfigView = JsonView<ConfigError>;

/// Names that contradict each other do not matter to a model without labels, so this never fails on
/// them: num_labels wins over an id2label of another size, and then the labels have default names.
/// Source: transformers 5.24, configuration_utils.py, __post_init__ and num_labels
template <typename Config>
class LabelReader {
public:
    LabelReader(const ConfigView& view, Config& config, const FileOptions& files)
        : view_(view), config_(config), files_(files) {}

    void read() {
        const bool has_names = view_.holds("id2label");
        if (has_names) read_names(view_.at("id2label").object());
        const Index names = has_names ? static_cast<Index>(config_.id2label.size()) : 2;
        const Index count =
            view_.holds("num_labels") ? view_.at("num_labels").integer(0, max_labels) : names;
        if (!has_names || count != names) {
            if (has_names) {
                note("/id2label", std::to_string(names) + " labels, but num_labels is " +
                                      std::to_string(count) +
                                      ": they are called LABEL_0, LABEL_1, ...");
            } else if (view_.holds("label2id")) {
                note("/label2id", "not used without an id2label");
            }
            return use_default_names(count);
        }
        config_.num_labels = names;
        config_.label2id.clear();
        for (const auto& [id, label] : config_.id2label) config_.label2id[label] = id;
        if (view_.holds("label2id")) read_ids(view_.at("label2id").object());
    }

private:
    void use_default_names(Index count) {
        config_.num_labels = count;
        config_.id2label.clear();
        config_.label2id.clear();
        for (Index i = 0; i < count; ++i) {
            config_.id2label[i] = "LABEL_" + std::to_string(i);
            config_.label2id[config_.id2label[i]] = i;
        }
    }
    void read_names(const ConfigView& names) {
        if (names.size() > static_cast<std::size_t>(max_labels))
            names.fail("at most " + std::to_string(max_labels) + " labels");
        config_.id2label.clear();
        bool is_noted = false;
        for (const auto& item : names.raw().items()) {
            const std::optional<Index> id = python_int(item.key());
            if (!id) names.at(item.key()).fail("a whole number as the key of a label");
            const Json& name = item.value();
            config_.id2label[*id] = name.is_string() ? name.get<std::string>() : name.dump();
            if (!name.is_string() && !std::exchange(is_noted, true))
                note(names.at(item.key()).path(), "no text: the label is " + name.dump());
        }
    }
    /// Only zero-shot classification uses them, so numbers of no label are left out, not refused.
    void read_ids(const ConfigView& ids) {
        config_.label2id.clear();
        bool is_noted = false;
        for (const auto& item : ids.raw().items()) {
            const Json& value = item.value();
            const auto id = value.is_string()           ? python_int(value.get<std::string>())
                            : value.is_number_integer() ? std::optional(value.get<Index>())
                                                        : std::nullopt;
            if (id && config_.id2label.contains(*id)) {
                config_.label2id[item.key()] = *id;
            } else if (!std::exchange(is_noted, true)) {
                const auto place = ids.at(item.key());
                note(place.path(), describe_json(value) + " is no label of id2label: not used");
            }
        }
    }
    void note(std::string place, std::string what) const {
        give_notice(files_, view_.file(), std::move(place), std::move(what));
    }

    const ConfigView& view_;
    Config& config_;
    const FileOptions& files_;
};

}  // namespace nystromformer::inline v0_2::detail
