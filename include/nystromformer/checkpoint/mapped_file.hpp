// SPDX-License-Identifier: MIT
// A file's bytes without a copy: mapped where the system can, read elsewhere; or the caller's own.
#pragma once

#include <nystromformer/core/checked.hpp>
#include <nystromformer/core/file.hpp>
#include <nystromformer/core/path_text.hpp>
#include <nystromformer/error.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#if __has_include(<sys/mman.h>)
#define NYSTROMFORMER_HAS_MMAP 1
#include <sys/mman.h>
#include <unistd.h>
#include <cerrno>
#endif

namespace nystromformer::inline v0_2 {

/// A regular file, read-only. The bytes live as long as the object, wherever it is moved to; those
/// of FileOptions::memory are the caller's. A file
/// that another process cuts short while it is mapped ends the program (SIGBUS): replace files by
/// renaming.
class MappedFile {
public:
    /// Throws IoError for what is missing, unreadable or no regular file (it never waits on a
    /// pipe), FormatError for one that is larger than `files` allows or than the address space.
    static MappedFile open(const std::filesystem::path& path, const FileOptions& files = {}) {
        MappedFile file;
        if (files.memory.empty()) {
            file.read(path, files);
            return file;
        }
        const std::string_view bytes = detail::read_in_memory(path, files);
        check_size(path, bytes.size(), files);
        file.bytes_ = std::as_bytes(std::span(bytes));
        return file;
    }

    MappedFile(MappedFile&& other) noexcept { *this = std::move(other); }
    MappedFile& operator=(MappedFile&& other) noexcept {
        std::swap(bytes_, other.bytes_);
        std::swap(copy_, other.copy_);
        std::swap(is_mapped_, other.is_mapped_);
        return *this;
    }

    std::span<const std::byte> bytes() const noexcept { return bytes_; }

    /// Gives back the memory of whole pages within `part`, which is of an open MappedFile, and not
    /// of the caller's memory; they are read again where they are touched again. For a loader that
    /// has copied what it needs.
    static void release(std::span<const std::byte> part) noexcept {
#if defined(NYSTROMFORMER_HAS_MMAP)
        const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
        const auto first = (reinterpret_cast<std::uintptr_t>(part.data()) + page - 1) / page * page;
        const auto last =
            (reinterpret_cast<std::uintptr_t>(part.data()) + part.size()) / page * page;
        // Advice: if it is refused, the pages stay until the file is closed.
        if (first < last)
            (void)::madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
#else
        (void)part;
#endif
    }

#if defined(NYSTROMFORMER_HAS_MMAP)
    ~MappedFile() {
        // munmap does not write through the pointer; its signature is older than const.
        if (is_mapped_) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
    }

private:
    MappedFile() = default;

    void read(const std::filesystem::path& path, const FileOptions& files) {
        const detail::OpenFile file(path, files);
        check_size(path, file.size(), files);
        if (file.size() == 0) return;
        const auto size = detail::as<std::size_t>(file.size());
        void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.descriptor(), 0);
        if (address == MAP_FAILED) file.fail(errno);
        bytes_ = {static_cast<const std::byte*>(address), size};  // outlives the descriptor
        is_mapped_ = true;
    }
#else
    ~MappedFile() = default;

private:
    MappedFile() = default;

    void read(const std::filesystem::path& path, const FileOptions& files) {
        detail::check_link(path, files);
        const std::uint64_t size = detail::regular_file_size(path);
        check_size(path, size, files);
        copy_.resize(static_cast<std::size_t>(size));
        std::ifstream stream(path, std::ios::binary);
        if (!stream || !stream.read(reinterpret_cast<char*>(copy_.data()),
                                    static_cast<std::streamsize>(size))) {
            throw IoError({path_to_utf8(path), "", "a readable file", "a read error"});
        }
        bytes_ = copy_;
    }
#endif

    static void check_size(const std::filesystem::path& path, std::uint64_t size,
                           const FileOptions& files) {
        constexpr auto address_space =
            static_cast<std::uint64_t>(std::numeric_limits<std::ptrdiff_t>::max());
        detail::check_size(path, size, std::min(files.max_weight_bytes, address_space));
    }

    std::span<const std::byte> bytes_;
    std::vector<std::byte> copy_;  // only where there is no mmap
    bool is_mapped_ = false;
};

}  // namespace nystromformer::inline v0_2
