// SPDX-License-Identifier: MIT
// Small files read whole and written whole; which files of a folder may be read.
#pragma once

#include <nystromformer/core/checked.hpp>
#include <nystromformer/core/error_text.hpp>
#include <nystromformer/core/path_text.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/options.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#if __has_include(<sys/mman.h>)
#define NYSTROMFORMER_HAS_POSIX 1
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#endif

namespace nystromformer::inline v0_2::detail {

/// The bytes of a file that the caller keeps in memory; null if there is none.
inline const FileBytes* find_in_memory(const std::filesystem::path& path,
                                       const FileOptions& files) {
    // Their names have "/" between folders on every system.
    auto found = files.memory.find(path_to_utf8(path.generic_u8string()));
    if (found == files.memory.end())
        found = files.memory.find(path_to_utf8(path.lexically_normal().generic_u8string()));
    return found == files.memory.end() ? nullptr : &found->second;
}
/// The same. Throws IoError if there is none.
inline std::string_view read_in_memory(const std::filesystem::path& path,
                                       const FileOptions& files) {
    if (const auto* bytes = find_in_memory(path, files)) return bytes->view();
    throw IoError({path_to_utf8(path), "", "a file among those in memory", "nothing"});
}

/// True for an existing regular file (symbolic links followed).
inline bool is_regular_file(const std::filesystem::path& path, const FileOptions& files = {}) {
    if (!files.memory.empty()) return find_in_memory(path, files) != nullptr;
    std::error_code ignored;
    return std::filesystem::is_regular_file(path, ignored);
}

/// True for anything of that name, even a dangling link: whoever opens it reports that.
inline bool is_there(const std::filesystem::path& path, const FileOptions& files) {
    if (!files.memory.empty()) return find_in_memory(path, files) != nullptr;
    std::error_code ignored;
    return std::filesystem::exists(std::filesystem::symlink_status(path, ignored));
}

/// The size of a regular file; IoError for anything else (a folder, a pipe, a device, nothing).
inline std::uint64_t regular_file_size(const std::filesystem::path& path) {
    std::error_code error;
    const auto status = std::filesystem::status(path, error);
    if (!std::filesystem::exists(status)) {
        throw IoError(
            {path_to_utf8(path), "", "a readable file", error ? error.message() : "nothing"});
    }
    if (!std::filesystem::is_regular_file(status)) {
        throw IoError({path_to_utf8(path), "", "a regular file", "a folder, pipe or device"});
    }
    const auto size = std::filesystem::file_size(path, error);
    if (error) throw IoError({path_to_utf8(path), "", "a readable file", error.message()});
    return size;
}

/// IoError for a symbolic link if `files` does not allow them.
inline void check_link(const std::filesystem::path& path, const FileOptions& files) {
    std::error_code ignored;
    if (files.follow_symlinks || !files.memory.empty() ||
        !std::filesystem::is_symlink(path, ignored))
        return;
    throw IoError({path_to_utf8(path), "", "no symbolic link", "one"});
}

/// FormatError for more than `limit` bytes.
inline void check_size(const std::filesystem::path& path, std::uint64_t size, std::uint64_t limit) {
    if (size <= limit) return;
    throw FormatError({path_to_utf8(path), "", "at most " + std::to_string(limit) + " bytes",
                       std::to_string(size)});
}

#if defined(NYSTROMFORMER_HAS_POSIX)

/// A regular file that is open for reading. Throws IoError; never waits on a pipe.
class OpenFile {
public:
    OpenFile(const std::filesystem::path& path, const FileOptions& files) : path_(path) {
        check_link(path, files);
        (void)regular_file_size(path);  // says better than errno what else is there
        const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
        do {
            descriptor_ = ::open(path.c_str(), files.follow_symlinks ? flags : flags | O_NOFOLLOW);
        } while (descriptor_ < 0 && errno == EINTR);
        if (descriptor_ < 0) fail(errno);
        // Asked again of the open file: the path may have changed hands since.
        struct stat status {};
        int error = ::fstat(descriptor_, &status) != 0 ? errno : 0;
        if (error == 0 && !S_ISREG(status.st_mode)) error = EINVAL;
        if (error != 0) {
            ::close(descriptor_);
            fail(error);
        }
        size_ = static_cast<std::uint64_t>(status.st_size);
    }
    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;
    ~OpenFile() { ::close(descriptor_); }

    int descriptor() const { return descriptor_; }
    std::uint64_t size() const { return size_; }

    /// Fills `to`, whatever pieces the system gives.
    void read(std::string& to) const {
        for (std::size_t done = 0; done < to.size();) {
            const auto count = ::read(descriptor_, to.data() + done, to.size() - done);
            if (count < 0 && errno == EINTR) continue;
            if (count < 0) fail(errno);
            if (count == 0) {
                throw IoError({path_to_utf8(path_), "byte " + std::to_string(done),
                               std::to_string(to.size()) + " bytes, as when it was opened",
                               "the end of the file"});
            }
            done += static_cast<std::size_t>(count);
        }
    }
    [[noreturn]] void fail(int error) const {
        throw IoError(
            {path_to_utf8(path_), "", "a readable file", std::generic_category().message(error)});
    }

private:
    const std::filesystem::path& path_;
    int descriptor_ = -1;
    std::uint64_t size_ = 0;
};

#endif

/// The bytes of a regular file of at most `limit` bytes, and of what `files` allows.
inline std::string read_file(const std::filesystem::path& path, std::uint64_t limit,
                             const FileOptions& files = {}) {
    limit = std::min(limit, files.max_text_bytes);
    if (!files.memory.empty()) {
        const std::string_view bytes = read_in_memory(path, files);
        check_size(path, bytes.size(), limit);
        refuse_lfs_pointer(bytes, path_to_utf8(path));
        return std::string(bytes);
    }
#if defined(NYSTROMFORMER_HAS_POSIX)
    const OpenFile file(path, files);
    check_size(path, file.size(), limit);
    std::string bytes(as<std::size_t>(file.size()), '\0');
    file.read(bytes);
#else
    check_link(path, files);
    const std::uint64_t size = regular_file_size(path);
    check_size(path, size, limit);
    std::ifstream stream(path, std::ios::binary);
    std::string bytes(static_cast<std::size_t>(size), '\0');
    if (!stream || !stream.read(bytes.data(), static_cast<std::streamsize>(size))) {
        throw IoError({path_to_utf8(path), "",
                       "a readable file of " + std::to_string(size) + " bytes", "a read error"});
    }
#endif
    refuse_lfs_pointer(bytes, path_to_utf8(path));
    return bytes;
}

/// Writes `bytes` as the whole of `path`.
inline void write_file(const std::filesystem::path& path, std::string_view bytes) {
    std::ofstream stream(path, std::ios::binary | std::ios::trunc);
    stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    stream.close();
    if (!stream) throw IoError({path_to_utf8(path), "", "a writable file", "a write error"});
}

}  // namespace nystromformer::inline v0_2::detail
