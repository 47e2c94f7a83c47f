// SPDX-License-Identifier: MIT
// The order of label2id in config.json: Python keeps it, and a map does not. `Config` is a
// NystromformerConfig.
#pragma once

#include <nystromformer/core/index.hpp>
#include <nystromformer/core/json_members.hpp>
#include <nystromformer/core/json_tree.hpp>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace nystromformer::inline v0_2::detail {

/// The labels of `config.label2id` with their ids, in the order that Python has them.
template <typename Config>
std::vector<std::pair<std::string, Index>> labels_in_order(const Config& config) {
    std::vector<std::pair<std::string, Index>> labels;
    for (const std::string& label : config.label2id_order) {
        const auto found = config.label2id.find(label);
        if (found != config.label2id.end()) labels.emplace_back(*found);
    }
    if (labels.size() == config.label2id.size()) return labels;
    labels.assign(config.label2id.begin(), config.label2id.end());
    std::stable_sort(labels.begin(), labels.end(),
                     [](const auto& a, const auto& b) { return a.second < b.second; });
    return labels;
}

/// Sets label2id_order from `text`, the valid text of the config.json of `config`.
template <typename Config>
void read_label_order(std::string_view text, Config& config) {
    std::vector<std::string> labels;
    for_each_member(text, [&](const std::string& key, std::string_view value) {
        if (key != "label2id") return;
        labels.clear();
        std::set<std::string> seen;  // a label that stands twice has its first place
        for_each_member(value, [&](const std::string& label, std::string_view) {
            if (config.label2id.contains(label) && seen.insert(label).second)
                labels.push_back(label);
        });
    });
    config.label2id_order.clear();
    if (labels.size() != config.label2id.size()) return;  // default labels took their place
    const auto by_id = labels_in_order(config);
    const bool is_by_id =
        std::equal(by_id.begin(), by_id.end(), labels.begin(), labels.end(),
                   [](const auto& pair, const std::string& label) { return pair.first == label; });
    if (!is_by_id) config.label2id_order = std::move(labels);
}

/// The text of a config.json, whose label2id keeps that order.
template <typename Config>
std::string config_text(const Json& json, const Config& config) {
    nlohmann::ordered_json ordered = json;
    if (json.contains("label2id")) {
        auto& labels = ordered["label2id"] = nlohmann::ordered_json::object();
        for (const auto& [label, id] : labels_in_order(config)) labels[label] = id;
    }
    return ordered.dump(2) + '\n';
}

}  // namespace nystromformer::inline v0_2::detail
