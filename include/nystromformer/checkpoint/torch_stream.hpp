// SPDX-License-Identifier: MIT
// The file that torch.save wrote before 1.6: five pickles and the storages, one after another.
#pragma once

#include <nystromformer/checkpoint/byte_cursor.hpp>
#include <nystromformer/checkpoint/pickle.hpp>
#include <nystromformer/dtype.hpp>
#include <nystromformer/error.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace nystromformer::inline v0_2::detail {

/// The parts of such a file, checked; views of its bytes, which must outlive it.
/// Source: torch/serialization.py, _legacy_save
class TorchStream {
public:
    /// True for bytes that begin as such a file does.
    static bool is_one(std::span<const std::byte> bytes) {
        return as_text(bytes.first(std::min(bytes.size(), magic.size()))) == magic;
    }

    /// Throws FormatError, and UnsupportedError for big-endian files and what Pickle does not read.
    static TorchStream parse(std::span<const std::byte> bytes, const std::string& file) {
        ByteCursor cursor(bytes, file, "file");
        cursor.take(magic.size());
        const Pickle protocol = next_pickle(bytes, cursor);
        if (protocol.root().kind != Kind::integer || protocol.root().integer != 1001)
            cursor.fail("protocol 1001", "another");
        check_system(next_pickle(bytes, cursor), cursor);
        TorchStream stream(next_pickle(bytes, cursor));
        const Pickle keys = next_pickle(bytes, cursor);
        stream.read_storages(keys.root(), cursor);
        return stream;
    }

    const PickleValue& root() const { return pickle_.root(); }

    /// The bytes of the storage of that key; nothing for an unknown one.
    std::optional<std::span<const std::byte>> find(std::string_view key) const {
        const auto found = storages_.find(key);
        return found == storages_.end() ? std::nullopt : std::optional(found->second);
    }

private:
    using Kind = PickleValue::Kind;
    // pickle.dumps(0x1950a86a20f9469cfc6c, protocol=2)
    static constexpr std::string_view magic{
        "\x80\x02\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19.", 15};

    explicit TorchStream(Pickle pickle) : pickle_(std::move(pickle)) {}

    static Pickle next_pickle(std::span<const std::byte> bytes, ByteCursor& cursor) {
        std::size_t size = 0;
        Pickle pickle = Pickle::parse_first(bytes.subspan(cursor.position()), cursor.file(), size);
        cursor.take(size);
        return pickle;
    }

    /// {"protocol_version": 1001, "little_endian": True, "type_sizes": {...}}
    static void check_system(const Pickle& pickle, const ByteCursor& cursor) {
        const PickleValue& system = pickle.root();
        if (system.kind != Kind::dict) cursor.fail("a dict of the system", describe(system.kind));
        for (std::size_t i = 0; i + 1 < system.items.size(); i += 2) {
            const PickleValue &key = *system.items[i], &value = *system.items[i + 1];
            if (key.kind != Kind::string || key.text != "little_endian") continue;
            if (value.kind == Kind::boolean && value.integer == 1) continue;
            throw UnsupportedError({cursor.file(), cursor.place(), "little-endian numbers",
                                    "a file of a big-endian machine"});
        }
    }

    /// For each key, in this order: the number of elements, 8 bytes, and the elements.
    void read_storages(const PickleValue& keys, ByteCursor& cursor) {
        if (keys.kind != Kind::list) cursor.fail("a list of storages", describe(keys.kind));
        const std::map<std::string_view, DType> dtypes = dtypes_of_storages(cursor);
        for (const PickleValue* key : keys.items) {
            if (key->kind != Kind::string) cursor.fail("the key of a storage", describe(key->kind));
            const auto dtype = dtypes.find(key->text);
            if (dtype == dtypes.end())
                cursor.fail("the key of a tensor's storage", in_quotes(key->text));
            const auto bytes = checked_bytes(cursor.read<std::uint64_t>(), dtype->second);
            if (!bytes) cursor.fail("a number of elements", "a number beyond 64 bits");
            if (!storages_.emplace(dtype->first, cursor.take(*bytes)).second)
                cursor.fail("no key twice", in_quotes(key->text));
        }
        if (cursor.left() != 0) cursor.fail("the end of the file", "more bytes");
    }

    /// Of the storages of all tensors, by their keys in this object's pickle.
    std::map<std::string_view, DType> dtypes_of_storages(const ByteCursor& cursor) const {
        std::map<std::string_view, DType> dtypes;
        if (root().kind != Kind::dict) return dtypes;
        for (std::size_t i = 1; i < root().items.size(); i += 2) {
            const PickleValue& tensor = *root().items[i];
            if (tensor.kind != Kind::tensor) continue;
            const PickleValue& storage = *tensor.items[0];
            const auto [found, is_new] = dtypes.emplace(storage.text, storage.dtype);
            if (!is_new && found->second != storage.dtype)
                cursor.fail("one type for storage " + in_quotes(storage.text), "two");
        }
        return dtypes;
    }

    Pickle pickle_;
    std::map<std::string_view, std::span<const std::byte>> storages_;
};

}  // namespace nystromformer::inline v0_2::detail
