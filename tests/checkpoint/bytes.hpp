// SPDX-License-Identifier: MIT
// Builders of small weight files, right and wrong ones, for the tests of the checkpoint step.
#pragma once

#include <nystromformer/checkpoint/zip.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nystromformer::testing {

inline std::span<const std::byte> as_bytes(std::string_view text) {
    return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

/// `value` in little-endian bytes.
inline std::string little(std::uint64_t value, std::size_t size) {
    std::string bytes;
    for (std::size_t i = 0; i < size; ++i)
        bytes += static_cast<char>(i < 8 ? (value >> (8 * i)) & 0xFF : 0);
    return bytes;
}

inline std::string safetensors(const std::string& header, std::size_t data_size = 0) {
    return little(header.size(), 8) + header + std::string(data_size, '\0');
}

struct ZipPart {
    std::string name, bytes;
};

/// A zip archive as torch.save writes it; `wide` with zip64 fields and records throughout.
inline std::string zip(const std::vector<ZipPart>& parts, bool wide = false) {
    const auto header = [&](const ZipPart& part, std::uint64_t offset, bool local) {
        const std::uint32_t crc = detail::crc32(as_bytes(part.bytes));
        const auto size = little(part.bytes.size(), 8);
        std::string extra;
        if (wide)
            extra = little(1, 2) + little(local ? 16 : 24, 2) + size + size +
                    (local ? "" : little(offset, 8));
        const auto narrow = [&](std::uint64_t value) {
            return little(wide ? 0xFFFFFFFFu : value, 4);
        };
        std::string bytes = local ? "PK\x03\x04" : "PK\x01\x02" + little(45, 2);
        bytes += little(45, 2) + little(0, 2) + little(0, 2) + little(0, 4) + little(crc, 4);
        bytes += narrow(part.bytes.size()) + narrow(part.bytes.size());
        bytes += little(part.name.size(), 2) + little(extra.size(), 2);
        if (!local) bytes += little(0, 10) + narrow(offset);
        return bytes + part.name + extra;
    };
    std::string bytes, directory;
    for (const ZipPart& part : parts) {
        directory += header(part, bytes.size(), false);
        bytes += header(part, bytes.size(), true) + part.bytes;
    }
    const std::uint64_t begin = bytes.size(), end = begin + directory.size(), count = parts.size();
    bytes += directory;
    if (wide) {
        bytes += "PK\x06\x06" + little(44, 8) + little(45, 2) + little(45, 2) + little(0, 8);
        bytes +=
            little(count, 8) + little(count, 8) + little(directory.size(), 8) + little(begin, 8);
        bytes += "PK\x06\x07" + little(0, 4) + little(end, 8) + little(1, 4);
    }
    bytes += "PK\x05\x06" + little(0, 4) + little(count, 2) + little(count, 2);
    return bytes + little(directory.size(), 4) + little(begin, 4) + little(0, 2);
}

// The pieces of a pickle of protocol 2.
namespace pickled {

inline std::string global(const std::string& module, const std::string& name) {
    return 'c' + module + '\n' + name + '\n';
}
inline std::string string(const std::string& text) { return 'X' + little(text.size(), 4) + text; }
inline std::string integer(std::int64_t value) {
    return "\x8A\x08" + little(static_cast<std::uint64_t>(value), 8);
}
inline std::string integers(const std::vector<std::int64_t>& values) {
    std::string bytes = "(";
    for (const auto value : values) bytes += integer(value);
    return bytes + 't';
}
inline std::string dict(const std::string& items) {
    return global("collections", "OrderedDict") + ")R(" + items + 'u';
}
inline std::string storage(const std::string& type, const std::string& key, std::int64_t numel) {
    return '(' + string("storage") + global("torch", type) + string(key) + string("cpu") +
           integer(numel) + "tQ";
}
inline std::string tensor(const std::string& storage, std::int64_t offset,
                          const std::vector<std::int64_t>& shape,
                          const std::vector<std::int64_t>& strides) {
    return global("torch._utils", "_rebuild_tensor_v2") + '(' + storage + integer(offset) +
           integers(shape) + integers(strides) + '\x89' + global("collections", "OrderedDict") +
           ")RtR";
}
inline std::string whole(const std::string& body) { return "\x80\x02" + body + '.'; }

}  // namespace pickled

/// A torch archive of one storage "0" with `data_size` bytes of 0.
inline std::string torch_archive(const std::string& pickle, std::size_t data_size = 24) {
    return zip({{"archive/data.pkl", pickle},
                {"archive/data/0", std::string(data_size, '\0')},
                {"archive/version", "3\n"}});
}

/// A folder that goes away with the object.
class TemporaryFolder {
public:
    TemporaryFolder()
        : path_(std::filesystem::temp_directory_path() /
                ("nystromformer-" + std::to_string(std::random_device{}()))) {
        std::filesystem::create_directory(path_);
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    ~TemporaryFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

}  // namespace nystromformer::testing
