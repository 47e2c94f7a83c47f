// SPDX-License-Identifier: MIT
// safetensors files: SafetensorsFile reads one, save_safetensors writes one.
#pragma once

#include <nystromformer/core/mode.hpp>
#include <nystromformer/core/shared.hpp>
#include <nystromformer/file_bytes.hpp>
#include <nystromformer/options.hpp>
#include <nystromformer/tensor.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace nystromformer::inline v0_2 {

/// The tensors of one file, each a view into its mapped bytes. A handle: copies share the map.
class SafetensorsFile {
public:
    /// Maps and checks a file. Throws IoError and FormatError.
    [[nodiscard]] static SafetensorsFile open(const std::filesystem::path& path,
                                              const FileOptions& files = {});

    /// Checks bytes that must outlive the result; `file` names them in errors. Throws FormatError.
    [[nodiscard]] static SafetensorsFile parse(
        FileBytes bytes, const std::string& file,
        std::uint64_t max_header_bytes = FileOptions().max_header_bytes);

    /// Sorted by name.
    const std::vector<TensorView>& tensors() const&;
    const std::vector<TensorView>& tensors() const&& = delete;
    /// Null if no tensor has that name.
    const TensorView* find(std::string_view name) const&;
    const TensorView* find(std::string_view name) const&& = delete;
    /// `__metadata__`, which is never interpreted.
    const std::map<std::string, std::string>& metadata() const&;
    std::map<std::string, std::string> metadata() const&& { return metadata(); }

private:
    struct Contents;

    explicit SafetensorsFile(std::shared_ptr<const Contents> contents);

    detail::Shared<Contents> contents_;
};

/// Writes `tensors` as one safetensors file: by dtype (widest first) and then by name, the header
/// padded to 8 bytes, as Hugging Face does. The file appears whole or not at all: it is written
/// next to `path` and renamed. Throws InputError for tensors that cannot be stored (duplicate
/// names, bytes that do not fit the shape) and IoError if writing fails.
void save_safetensors(const std::filesystem::path& path, const std::vector<TensorView>& tensors,
                      const std::map<std::string, std::string>& metadata = {{"format", "pt"}});

}  // namespace nystromformer::inline v0_2

#if !defined(NYSTROMFORMER_COMPILED)
#include <nystromformer/checkpoint/safetensors_reader.hpp>
#include <nystromformer/checkpoint/safetensors_writer.hpp>
#endif
