// SPDX-License-Identifier: MIT
// Where the central directory of a zip archive is: its end record, and the zip64 one.
#pragma once

#include <nystromformer/checkpoint/byte_cursor.hpp>
#include <nystromformer/core/checked.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace nystromformer::inline v0_2::detail {

inline constexpr std::uint32_t zip_full32 = 0xFFFFFFFFu;  // the value is in the zip64 record

struct ZipDirectory {
    static constexpr std::uint64_t max_entries = 1'000'000;

    std::uint64_t begin, size, entries;
};

inline ByteCursor zip_cursor(std::span<const std::byte> bytes, const std::string& file,
                             std::uint64_t position) {
    ByteCursor result(bytes, file, "zip");
    result.seek(position);
    return result;
}

/// Replaces `directory` by the 64-bit record that the locator names; returns where that begins.
inline std::uint64_t read_zip64(std::span<const std::byte> bytes, const std::string& file,
                                std::uint64_t locator_position, ZipDirectory& directory) {
    ByteCursor locator = zip_cursor(bytes, file, locator_position + 4);
    const auto disk = locator.read<std::uint32_t>();
    const auto position = locator.read<std::uint64_t>();
    const auto disks = locator.read<std::uint32_t>();
    ByteCursor record = zip_cursor(bytes, file, position);
    const auto signature = record.read<std::uint32_t>();
    const auto size = record.read<std::uint64_t>();
    if (disk != 0 || disks != 1 || signature != 0x06064B50u || position > locator_position ||
        size < 44 || size != locator_position - position - 12) {
        zip_cursor(bytes, file, locator_position)
            .fail("a locator of the zip64 end record before it", "another");
    }
    record.take(4);  // versions
    const auto record_disk = record.read<std::uint32_t>(),
               start_disk = record.read<std::uint32_t>();
    const auto here = record.read<std::uint64_t>();
    ZipDirectory wide{};
    wide.entries = record.read<std::uint64_t>();
    wide.size = record.read<std::uint64_t>();
    wide.begin = record.read<std::uint64_t>();
    const auto agrees = [](std::uint64_t narrow, std::uint64_t full, std::uint64_t value) {
        return narrow == full || narrow == value;
    };
    if (record_disk != 0 || start_disk != 0 || here != wide.entries ||
        !agrees(directory.entries, 0xFFFF, wide.entries) ||
        !agrees(directory.size, zip_full32, wide.size) ||
        !agrees(directory.begin, zip_full32, wide.begin)) {
        zip_cursor(bytes, file, position)
            .fail("the same directory in the zip64 end record and the other", "two");
    }
    directory = wide;
    return position;
}

/// From the end record (22 bytes, no comment), and the zip64 one before it if a locator names one.
/// Throws FormatError.
inline ZipDirectory find_zip_directory(std::span<const std::byte> bytes, const std::string& file) {
    if (bytes.size() < 22)
        zip_cursor(bytes, file, 0).fail("a zip archive", std::to_string(bytes.size()) + " bytes");
    const std::uint64_t end = bytes.size() - 22;
    ByteCursor record = zip_cursor(bytes, file, end);
    if (record.read<std::uint32_t>() != 0x06054B50u) {
        zip_cursor(bytes, file, end)
            .fail("the end record of a zip archive without a comment",
                  "other bytes: a file cut short or followed by others");
    }
    const auto disk = record.read<std::uint16_t>(), directory_disk = record.read<std::uint16_t>();
    const auto here = record.read<std::uint16_t>(), total = record.read<std::uint16_t>();
    const auto size = record.read<std::uint32_t>(), begin = record.read<std::uint32_t>();
    const auto comment = record.read<std::uint16_t>();
    if (disk != 0 || directory_disk != 0 || here != total || comment != 0)
        zip_cursor(bytes, file, end).fail("an archive on one disk without a comment", "another");
    ZipDirectory directory{begin, size, total};
    std::uint64_t directory_end = end;
    if (end >= 20 && zip_cursor(bytes, file, end - 20).read<std::uint32_t>() == 0x07064B50u) {
        directory_end = read_zip64(bytes, file, end - 20, directory);
    }
    const auto reached = checked_add(directory.begin, directory.size);
    if (!reached || *reached != directory_end) {
        zip_cursor(bytes, file, end)
            .fail("a directory that ends at byte " + std::to_string(directory_end),
                  std::to_string(directory.size) + " bytes at byte " +
                      std::to_string(directory.begin));
    }
    if (directory.entries > ZipDirectory::max_entries)
        zip_cursor(bytes, file, end)
            .fail("at most " + std::to_string(ZipDirectory::max_entries) + " entries", "more");
    return directory;
}

}  // namespace nystromformer::inline v0_2::detail
