// SPDX-License-Identifier: MIT
// The zip archives of torch.save: stored entries, each a view into the file's bytes.
#pragma once

#include <nystromformer/checkpoint/byte_cursor.hpp>
#include <nystromformer/checkpoint/crc32.hpp>
#include <nystromformer/checkpoint/zip_directory.hpp>
#include <nystromformer/core/error_text.hpp>
#include <nystromformer/error.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2::detail {

struct ZipEntry {
    std::string_view name;
    std::uint64_t size = 0;    // unpacked: the size of `bytes`, which are stored
    std::uint64_t header = 0;  // where its local header begins
    std::uint32_t crc = 0;
    std::uint16_t flags = 0;
    std::uint16_t method = 0;  // 0: stored
    std::uint64_t packed = 0;
    std::span<const std::byte> bytes;
};

/// The entries of an archive without compression, comment or anything after it. The central
/// directory is the truth; a local header that contradicts it is refused, because two readers
/// would then see two different files.
class ZipArchive {
public:
    /// Throws FormatError. The bytes must outlive the result; `file` names them in errors.
    static ZipArchive parse(std::span<const std::byte> bytes, const std::string& file) {
        ZipArchive archive(bytes, file);
        const ZipDirectory directory = find_zip_directory(bytes, file);
        archive.read_directory(directory);
        archive.read_local_headers(directory.begin);
        std::sort(archive.entries_.begin(), archive.entries_.end(),
                  [](const ZipEntry& a, const ZipEntry& b) { return a.name < b.name; });
        for (std::size_t i = 1; i < archive.entries_.size(); ++i) {
            if (archive.entries_[i].name == archive.entries_[i - 1].name)
                archive.fail(archive.entries_[i], "no duplicate entry", "it twice");
        }
        return archive;
    }

    /// Sorted by name.
    const std::vector<ZipEntry>& entries() const { return entries_; }

    /// Null if there is none of that name.
    const ZipEntry* find(std::string_view name) const {
        const auto found = std::lower_bound(
            entries_.begin(), entries_.end(), name,
            [](const ZipEntry& entry, std::string_view key) { return entry.name < key; });
        return found != entries_.end() && found->name == name ? &*found : nullptr;
    }

    /// Throws UnsupportedError for a compressed or encrypted entry, FormatError if sizes
    /// disagree.
    void require_stored() const {
        for (const ZipEntry& entry : entries_) {
            if (entry.method != 0 || (entry.flags & 1u) != 0) {
                throw UnsupportedError(
                    {file_, "entry " + in_quotes(entry.name),
                     "stored bytes, as torch.save writes them (load the file in Python and save it "
                     "again)",
                     entry.method == 0 ? "encrypted ones"
                                       : "compression method " + std::to_string(entry.method)});
            }
            if (entry.packed != entry.size)
                fail(entry, std::to_string(entry.size) + " stored bytes",
                     std::to_string(entry.packed));
        }
    }

    /// Throws FormatError if the bytes do not have the CRC of the directory.
    void check_crc(const ZipEntry& entry) const {
        const std::uint32_t crc = crc32(entry.bytes);
        if (crc != entry.crc) {
            fail(entry, "a CRC-32 of " + std::to_string(entry.crc), std::to_string(crc));
        }
    }

private:
    ZipArchive(std::span<const std::byte> bytes, std::string file)
        : bytes_(bytes), file_(std::move(file)) {}

    [[noreturn]] void fail(const ZipEntry& entry, std::string expected, std::string found) const {
        throw FormatError(
            {file_, "entry " + in_quotes(entry.name), std::move(expected), std::move(found)});
    }

    void read_directory(const ZipDirectory& directory) {
        const auto part = bytes_.subspan(static_cast<std::size_t>(directory.begin),
                                         static_cast<std::size_t>(directory.size));
        ByteCursor cursor(part, file_, "zip directory");
        // An entry takes at least 46 bytes, so the size of the file bounds what is reserved.
        entries_.reserve(static_cast<std::size_t>(
            std::min<std::uint64_t>(directory.entries, directory.size / 46)));
        for (std::uint64_t i = 0; i < directory.entries; ++i)
            entries_.push_back(read_entry(cursor));
        if (cursor.left() != 0) cursor.fail("the end of the directory", "more bytes");
    }

    ZipEntry read_entry(ByteCursor& cursor) const {
        if (cursor.read<std::uint32_t>() != 0x02014B50u)
            cursor.fail("an entry of the directory", "other bytes");
        cursor.take(4);  // versions
        ZipEntry entry;
        entry.flags = cursor.read<std::uint16_t>();
        entry.method = cursor.read<std::uint16_t>();
        cursor.take(4);  // time
        entry.crc = cursor.read<std::uint32_t>();
        entry.packed = cursor.read<std::uint32_t>();
        entry.size = cursor.read<std::uint32_t>();
        const auto name_size = cursor.read<std::uint16_t>(),
                   extra_size = cursor.read<std::uint16_t>();
        const auto comment_size = cursor.read<std::uint16_t>();
        const auto disk = cursor.read<std::uint16_t>();
        cursor.take(6);  // attributes
        entry.header = cursor.read<std::uint32_t>();
        entry.name = cursor.text(name_size);
        const auto extra = cursor.take(extra_size);
        cursor.take(comment_size);
        read_wide(extra, entry, {&entry.size, &entry.packed, &entry.header});
        if (disk != 0) fail(entry, "an archive on one disk", "another");
        return entry;
    }

    /// The fields that are all ones stand, in that order, in the zip64 extra field.
    void read_wide(std::span<const std::byte> extra, const ZipEntry& entry,
                   const std::array<std::uint64_t*, 3>& fields) const {
        const auto is_wide = [](const std::uint64_t* field) {
            return field != nullptr && *field == zip_full32;
        };
        if (std::none_of(fields.begin(), fields.end(), is_wide)) return;
        ByteCursor cursor(extra, file_, "extra field of " + in_quotes(entry.name));
        while (cursor.left() >= 4) {
            const auto id = cursor.read<std::uint16_t>();
            const auto size = cursor.read<std::uint16_t>();
            const auto body = cursor.take(size);
            if (id != 1) continue;
            ByteCursor values(body, file_, "zip64 field of " + in_quotes(entry.name));
            for (std::uint64_t* field : fields) {
                if (is_wide(field)) *field = values.read<std::uint64_t>();
            }
            return;
        }
        fail(entry, "a zip64 extra field", "none");
    }

    /// Finds where each entry's bytes are, behind its local header. No two overlap, and none
    /// reaches into the directory.
    void read_local_headers(std::uint64_t directory_begin) {
        std::sort(entries_.begin(), entries_.end(),
                  [](const ZipEntry& a, const ZipEntry& b) { return a.header < b.header; });
        std::uint64_t free = 0;
        for (ZipEntry& entry : entries_) {
            if (entry.header < free || entry.header >= directory_begin) {
                fail(entry, "a header after the entry before it and before the directory",
                     "byte " + std::to_string(entry.header));
            }
            ByteCursor local = zip_cursor(bytes_, file_, entry.header);
            check_local_header(local, entry);
            entry.bytes = local.take(entry.packed);
            free = local.position();
            if (free > directory_begin)
                fail(entry, "bytes before the directory", "bytes inside it");
        }
    }

    /// Leaves the cursor behind the header. Sizes and CRC may be missing there: they then follow
    /// the bytes.
    void check_local_header(ByteCursor& local, const ZipEntry& entry) const {
        if (local.read<std::uint32_t>() != 0x04034B50u) local.fail("a local header", "other bytes");
        local.take(2);  // version
        const auto flags = local.read<std::uint16_t>(), method = local.read<std::uint16_t>();
        local.take(4);  // time
        const auto crc = local.read<std::uint32_t>();
        std::uint64_t packed = local.read<std::uint32_t>(), size = local.read<std::uint32_t>();
        const auto name_size = local.read<std::uint16_t>(),
                   extra_size = local.read<std::uint16_t>();
        const auto name = local.text(name_size);
        read_wide(local.take(extra_size), entry, {&size, &packed, nullptr});
        const bool later = (flags & 8u) != 0;
        const auto same = [&](std::uint64_t value, std::uint64_t wanted) {
            return value == wanted || (later && value == 0);
        };
        if (name != entry.name || method != entry.method || flags != entry.flags ||
            !same(crc, entry.crc) || !same(packed, entry.packed) || !same(size, entry.size)) {
            fail(entry, "a local header like its entry in the directory",
                 "another: " + in_quotes(name) + ", " + std::to_string(size) + " bytes");
        }
    }

    std::span<const std::byte> bytes_;
    std::string file_;
    std::vector<ZipEntry> entries_;
};

}  // namespace nystromformer::inline v0_2::detail
