// SPDX-License-Identifier: MIT
// ConfigWriter: the fields of a NystromformerConfig to JSON.
#pragma once

#include <nystromformer/core/index.hpp>
#include <nystromformer/core/json.hpp>
#include <nystromformer/model/config_fields.hpp>
#include <nystromformer/model/family.hpp>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// Writes each field under the name that the family has for it.
class ConfigWriter {
public:
    ConfigWriter(Json& json, const Family& family) : json_(json), family_(family) {}

    template <typename Field, typename... Rest>
    void operator()(const char* field, const Field& value, const Rest&...) const {
        put(field, value);
    }
    void operator()(const char* field, const std::optional<Index>& value, Range<Index>) const {
        const bool is_own_key = std::string_view(field) == "padding_idx";
        if (value || !is_own_key) put(field, value ? Json(*value) : Json(nullptr));
    }
    void operator()(const char* field, const std::vector<Index>& value, Range<Index>) const {
        put(field, value.size() > 1    ? Json(value)
                   : value.size() == 1 ? Json(value.front())
                                       : Json(nullptr));
    }
    void operator()(const char* field, const std::optional<std::string>& value) const {
        if (value) put(field, *value);
    }
    void operator()(const char* field, const std::map<Index, std::string>& value) const {
        json_[field] = Json::object();
        for (const auto& [id, label] : value) json_[field][std::to_string(id)] = label;
    }

private:
    void put(std::string_view field, const Json& value) const {
        const std::string_view own = own_field(family_, field);
        if (!own.empty()) json_[std::string(own)] = value;
    }

    Json& json_;
    const Family& family_;
};

}  // namespace nystromformer::inline v0_2::detail
