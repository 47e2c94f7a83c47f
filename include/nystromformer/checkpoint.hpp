// SPDX-License-Identifier: MIT
// Checkpoint: the weights of a Hugging Face folder, in any of its four forms.
#pragma once

#include <nystromformer/core/mode.hpp>
#include <nystromformer/core/shared.hpp>
#include <nystromformer/options.hpp>
#include <nystromformer/tensor.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace nystromformer::inline v0_2 {

/// Named tensors from one file or from shards. A handle: copies share the mapped files. Nothing is
/// read before a tensor is converted.
class Checkpoint {
public:
    /// Opens the first of model.safetensors, model.safetensors.index.json, pytorch_model.bin and
    /// pytorch_model.bin.index.json that exists, the order of transformers. Symbolic links are
    /// followed unless `files` says otherwise. Errors: IoError, FormatError, UnsafePathError,
    /// UnsupportedError.
    [[nodiscard]] static Checkpoint open(const std::filesystem::path& folder,
                                         const FileOptions& files = {});
    /// Reads the bytes of a model.safetensors. The caller keeps them: they must not change, and
    /// must outlive the checkpoint and its copies, but not the models that are loaded from it.
    /// `name` stands for the file in errors. All checks are those of a file. Errors: FormatError.
    /// (For bytes in other forms see FileOptions::memory.)
    [[nodiscard]] static Checkpoint from_bytes(FileBytes bytes,
                                               const std::string& name = "model.safetensors",
                                               const FileOptions& files = {});

    /// Null if no tensor has that name.
    const TensorView* find(std::string_view name) const&;
    const TensorView* find(std::string_view name) const&& = delete;
    /// The bytes of all tensors in the files; bytes that several tensors share count once.
    std::uint64_t stored_bytes() const;
    /// Sorted by name.
    const std::vector<TensorView>& tensors() const&;
    const std::vector<TensorView>& tensors() const&& = delete;
    std::vector<std::string> names() const;
    /// Gives back the memory that reading `tensor`, one of tensors(), took; it can be read again.
    /// Does nothing if the bytes are the caller's.
    void release(const TensorView& tensor) const noexcept;
    /// The file or index that was opened.
    const std::filesystem::path& source() const&;
    std::filesystem::path source() const&& { return source(); }
    /// The file that holds a tensor: a shard, or `source()`. For an unknown name, `source()`.
    std::string file_of(std::string_view name) const;

private:
    struct Contents;

    explicit Checkpoint(std::shared_ptr<const Contents> contents);

    detail::Shared<Contents> contents_;
};

}  // namespace nystromformer::inline v0_2

#if !defined(NYSTROMFORMER_COMPILED)
#include <nystromformer/checkpoint/weight_files.hpp>
#endif
