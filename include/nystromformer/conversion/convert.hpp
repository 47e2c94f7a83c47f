// SPDX-License-Identifier: MIT
// The body of convert_bert: the weights, and the files that stand next to them.
#pragma once

#include <nystromformer/conversion.hpp>
#include <nystromformer/conversion/bert_conversion.hpp>
#include <nystromformer/conversion/files_beside.hpp>
#include <nystromformer/core/file.hpp>
#include <nystromformer/core/mode.hpp>
#include <nystromformer/core/path_text.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/model/family.hpp>
#include <nystromformer/safetensors.hpp>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>

namespace nystromformer::inline v0_2 {

namespace detail {

/// InputError if `folder` exists and is not an empty folder.
inline void require_empty(const std::filesystem::path& folder) {
    std::error_code error;
    const auto status = std::filesystem::symlink_status(folder, error);
    if (!std::filesystem::exists(status)) return;
    const bool is_folder = std::filesystem::is_directory(folder, error);
    if (is_folder && std::filesystem::is_empty(folder, error)) return;
    throw InputError({path_to_utf8(folder), "", "no folder yet, or an empty one",
                      is_folder ? "a folder with files" : "a file"});
}

}  // namespace detail

NYSTROMFORMER_INLINE ConversionReport convert_bert(const std::filesystem::path& from,
                                                   const std::filesystem::path& to,
                                                   const ConversionOptions& options) {
    detail::require_empty(to);
    const std::filesystem::path folder = detail::model_folder(from);
    const auto conversion = detail::BertConversion::load(folder, options);
    const Index positions = conversion.source.max_length();
    const bool longer = conversion.config.max_position_embeddings > positions;
    const detail::FilesBeside beside(
        folder, from, detail::family_of(conversion.source.model_type),
        longer ? std::optional(conversion.config.max_position_embeddings) : std::nullopt);

    std::error_code error;
    std::filesystem::create_directories(to, error);
    if (error) throw IoError({path_to_utf8(to), "", "a folder to write to", error.message()});
    beside.write(to);
    save_safetensors(to / "model.safetensors", conversion.tensors.tensors());
    detail::write_file(to / "config.json", conversion.config.to_json());

    ConversionReport report{conversion.architecture, conversion.config, positions,
                            conversion.tensors.left_out(), beside.names()};
    report.files.insert(report.files.end(), {"config.json", "model.safetensors"});
    std::sort(report.files.begin(), report.files.end());
    return report;
}

}  // namespace nystromformer::inline v0_2
