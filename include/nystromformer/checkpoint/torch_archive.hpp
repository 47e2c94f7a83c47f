// SPDX-License-Identifier: MIT
// pytorch_model.bin: the tensors of a state dict that torch.save wrote. Nothing in the file is run.
#pragma once

#include <nystromformer/checkpoint/mapped_file.hpp>
#include <nystromformer/checkpoint/pickle.hpp>
#include <nystromformer/checkpoint/tensor_layout.hpp>
#include <nystromformer/checkpoint/torch_stream.hpp>
#include <nystromformer/checkpoint/torch_tensors.hpp>
#include <nystromformer/checkpoint/zip.hpp>
#include <nystromformer/core/error_text.hpp>
#include <nystromformer/core/path_text.hpp>
#include <nystromformer/error.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2 {

/// The tensors of one file, each a view into the map, which the object and its copies keep alive.
/// Tied tensors are views of the same bytes; transposed and otherwise strided ones carry their
/// strides.
class TorchArchive {
public:
    /// Maps and checks a file. Throws IoError, FormatError, and UnsupportedError for what torch
    /// also saves but is no plain state dict: TorchScript, big-endian or compressed archives,
    /// objects.
    static TorchArchive open(const std::filesystem::path& path, const FileOptions& files = {}) {
        auto map = std::make_shared<const MappedFile>(MappedFile::open(path, files));
        TorchArchive archive = parse(map->bytes(), path_to_utf8(path));
        archive.map_ = std::move(map);
        return archive;
    }

    /// Checks bytes that must outlive the result; `file` names them in errors. Throws as `open`.
    static TorchArchive parse(std::span<const std::byte> bytes, const std::string& file) {
        refuse_other_formats(bytes, file);
        if (detail::TorchStream::is_one(bytes)) return parse_stream(bytes, file);
        const auto zip = detail::ZipArchive::parse(bytes, file);
        const std::string top = top_folder(zip, file);
        zip.require_stored();
        check_byte_order(zip, top, file);
        const detail::ZipEntry& entry = *zip.find(top + "data.pkl");
        if (entry.crc != 0) zip.check_crc(entry);  // 0: written without
        const auto pickle = detail::Pickle::parse(entry.bytes, file);
        const auto find = [&](std::string_view key) -> std::optional<std::span<const std::byte>> {
            const detail::ZipEntry* storage = zip.find(top + "data/" + std::string(key));
            return storage == nullptr ? std::nullopt : std::optional(storage->bytes);
        };
        TorchArchive archive;
        archive.read_tensors(
            detail::TorchTensors{find, "entry " + top + "data/", file, bytes.size(), {}},
            pickle.root());
        return archive;
    }

    /// Sorted by name.
    const std::vector<TensorView>& tensors() const { return tensors_; }
    /// Null if there is none of that name.
    const TensorView* find(std::string_view name) const {
        return detail::find_tensor(tensors_, name);
    }

private:
    using Kind = detail::PickleValue::Kind;

    TorchArchive() = default;

    static TorchArchive parse_stream(std::span<const std::byte> bytes, const std::string& file) {
        const auto stream = detail::TorchStream::parse(bytes, file);
        const auto find = [&](std::string_view key) { return stream.find(key); };
        TorchArchive archive;
        archive.read_tensors(detail::TorchTensors{find, "storage ", file, bytes.size(), {}},
                             stream.root());
        return archive;
    }

    static void refuse_other_formats(std::span<const std::byte> bytes, const std::string& file) {
        const std::string_view start =
            detail::as_text(bytes.first(std::min<std::size_t>(bytes.size(), 64)));
        if (detail::TorchStream::is_one(bytes)) return;
        detail::refuse_lfs_pointer(start, file);
        if (start.starts_with('\x80')) {
            throw UnsupportedError(
                {file, "",
                 "what torch.save writes of a state dict (load the file in Python and save it "
                 "again, best as model.safetensors)",
                 "a bare pickle"});
        }
        if (!start.starts_with("PK\x03\x04")) {
            throw FormatError(
                {file, "byte 0", "a zip archive of torch.save", in_quotes(start.substr(0, 40))});
        }
    }

    /// "archive/": the folder that holds data.pkl.
    static std::string top_folder(const detail::ZipArchive& zip, const std::string& file) {
        std::string top;
        for (const auto& entry : zip.entries()) {
            const auto slash = entry.name.find('/');
            if (slash == std::string_view::npos) continue;
            const auto rest = entry.name.substr(slash + 1);
            if (rest == "constants.pkl" || rest.starts_with("code/")) {
                throw UnsupportedError({file, "entry " + in_quotes(entry.name), "a state dict",
                                        "a TorchScript archive"});
            }
            if (rest != "data.pkl") continue;
            if (!top.empty()) throw FormatError({file, "zip", "one data.pkl", "two"});
            top = entry.name.substr(0, slash + 1);
        }
        if (top.empty()) throw FormatError({file, "zip", "an entry <name>/data.pkl", "none"});
        return top;
    }

    static void check_byte_order(const detail::ZipArchive& zip, const std::string& top,
                                 const std::string& file) {
        const detail::ZipEntry* entry = zip.find(top + "byteorder");
        if (entry == nullptr || detail::as_text(entry->bytes) == "little") return;
        throw UnsupportedError({file, "entry " + in_quotes(entry->name), "little",
                                in_quotes(detail::as_text(entry->bytes))});
    }

    void read_tensors(detail::TorchTensors reader, const detail::PickleValue& root) {
        if (root.kind != Kind::dict) {
            throw FormatError(
                {reader.file, "data.pkl", "a dict of tensors", detail::describe(root.kind)});
        }
        refuse_repeated_keys(reader, root);
        for (std::size_t i = 0; i + 1 < root.items.size(); i += 2) {
            const auto &key = *root.items[i], &value = *root.items[i + 1];
            if (value.kind != Kind::tensor) {
                throw FormatError({reader.file, "data.pkl key " + in_quotes(key.text), "a tensor",
                                   detail::describe(value.kind)});
            }
            tensors_.push_back(reader.read(key.text, value));
        }
        std::sort(tensors_.begin(), tensors_.end(), detail::by_name);
    }

    /// Before any name is copied: a pickle can repeat a long one at the price of two bytes.
    static void refuse_repeated_keys(const detail::TorchTensors& reader,
                                     const detail::PickleValue& root) {
        std::vector<std::string_view> keys;
        for (std::size_t i = 0; i < root.items.size(); i += 2) {
            const auto& key = *root.items[i];
            if (key.kind != Kind::string)
                throw FormatError(
                    {reader.file, "data.pkl", "names as keys", detail::describe(key.kind)});
            keys.push_back(key.text);
        }
        const auto refuse_twice = [&](auto first) {
            if (first == keys.end()) return;
            throw FormatError(
                {reader.file, "data.pkl", "no duplicate key", in_quotes(*first) + " twice"});
        };
        // First those that are one string of the file, for these could make the comparisons below
        // long.
        const auto place = [](std::string_view key) { return std::pair(key.data(), key.size()); };
        std::sort(keys.begin(), keys.end(), [&](auto a, auto b) { return place(a) < place(b); });
        refuse_twice(std::adjacent_find(keys.begin(), keys.end(),
                                        [&](auto a, auto b) { return place(a) == place(b); }));
        std::sort(keys.begin(), keys.end());
        refuse_twice(std::adjacent_find(keys.begin(), keys.end()));
    }

    std::shared_ptr<const MappedFile> map_;
    std::vector<TensorView> tensors_;
};

}  // namespace nystromformer::inline v0_2
