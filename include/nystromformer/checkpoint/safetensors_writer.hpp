// SPDX-License-Identifier: MIT
// Writes safetensors files with the bytes that Hugging Face's own writer would choose.
#pragma once

#include <nystromformer/checkpoint/header_text.hpp>
#include <nystromformer/checkpoint/tensor_elements.hpp>
#include <nystromformer/checkpoint/tensor_layout.hpp>
#include <nystromformer/core/mode.hpp>
#include <nystromformer/core/path_text.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/safetensors.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2 {

namespace detail {

/// A file next to `path` that takes its place with `commit`, or goes away with the object.
class PendingFile {
public:
    explicit PendingFile(std::filesystem::path path) : path_(std::move(path)), partial_(path_) {
        // Renaming would replace a device or pipe by a file, for root even /dev/null.
        std::error_code ignored;
        const auto status = std::filesystem::status(path_, ignored);
        if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
            throw IoError({path_to_utf8(path_), "", "a writable file or nothing yet",
                           "a folder, pipe or device"});
        }
        partial_ += ".partial-" + std::to_string(std::random_device{}());
        stream_.open(partial_, std::ios::binary | std::ios::trunc);
        if (!stream_) fail();
    }
    PendingFile(const PendingFile&) = delete;
    PendingFile& operator=(const PendingFile&) = delete;
    ~PendingFile() {
        std::error_code ignored;
        if (!partial_.empty()) std::filesystem::remove(partial_, ignored);
    }

    std::ostream& stream() { return stream_; }

    void commit() {
        stream_.close();
        if (!stream_) fail();
        std::error_code error;
        std::filesystem::rename(partial_, path_, error);
        if (error) throw IoError({path_to_utf8(path_), "", "a writable file", error.message()});
        partial_.clear();
    }

private:
    [[noreturn]] void fail() {
        const int error = errno;
        stream_.close();
        std::error_code ignored;
        std::filesystem::remove(partial_, ignored);
        throw IoError({path_to_utf8(path_), "", "a writable file",
                       error != 0 ? std::generic_category().message(error) : "a write error"});
    }

    std::filesystem::path path_, partial_;
    std::ofstream stream_;
};

}  // namespace detail

NYSTROMFORMER_INLINE void save_safetensors(const std::filesystem::path& path,
                                           const std::vector<TensorView>& tensors,
                                           const std::map<std::string, std::string>& metadata) {
    std::vector<const TensorView*> order;
    for (const TensorView& tensor : tensors) order.push_back(&tensor);
    const auto by_name = [](const TensorView* a, const TensorView* b) { return a->name < b->name; };
    std::sort(order.begin(), order.end(), by_name);
    for (std::size_t i = 0; i < order.size(); ++i) {
        const std::string& name = order[i]->name;
        if (name == "__metadata__" || (i != 0 && name == order[i - 1]->name)) {
            throw InputError({path_to_utf8(path), in_quotes(name), "a tensor name of its own",
                              name == "__metadata__" ? "the name of the metadata" : "it twice"});
        }
    }
    std::stable_sort(order.begin(), order.end(),
                     [](const TensorView* a, const TensorView* b) { return a->dtype > b->dtype; });
    const std::string header = detail::safetensors_header(order, metadata);
    detail::PendingFile file(path);
    file.stream().write(header.data(), static_cast<std::streamsize>(header.size()));
    for (const TensorView* tensor : order) detail::write_elements(file.stream(), *tensor);
    file.commit();
}

}  // namespace nystromformer::inline v0_2
