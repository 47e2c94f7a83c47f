// SPDX-License-Identifier: MIT
// Identifies embedding models, so that an index of one is not searched with queries of another.
#pragma once

#include <nystromformer/checkpoint.hpp>
#include <nystromformer/core/index.hpp>
#include <nystromformer/tensor.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace nystromformer::inline v0_2::detail {

/// FNV-1a, a hash of bytes. It is no protection against an attacker, and need not be.
class Fingerprint {
public:
    Fingerprint() = default;
    /// Goes on after another one.
    explicit Fingerprint(std::uint64_t value) : hash_(value) {}
    /// That of the weights of a model.
    static std::uint64_t of(const Checkpoint& checkpoint) {
        Fingerprint result;
        result.add(checkpoint);
        return result.value();
    }

    void add(std::string_view bytes) {
        for (const char byte : bytes) add(static_cast<unsigned char>(byte));
    }
    void add(Index number) {
        for (int shift = 0; shift < 64; shift += 8)
            add(static_cast<unsigned char>(static_cast<std::uint64_t>(number) >> shift));
    }
    /// Names, shapes and the bytes at four places of each tensor: weights that differ nearly always
    /// do so there, and every other place would be one more page to read from disk.
    void add(const Checkpoint& checkpoint) {
        constexpr std::size_t places = 4, bytes_of_place = 64;
        for (const TensorView& tensor : checkpoint.tensors()) {
            add(tensor.name);
            for (const Index dimension : tensor.shape) add(dimension);
            const std::size_t size = tensor.bytes.size();
            for (std::size_t place = 0; place < places; ++place) {
                const std::size_t begin = size / places * place;
                for (const std::byte byte :
                     tensor.bytes.subspan(begin, std::min(bytes_of_place, size - begin)))
                    add(static_cast<unsigned char>(byte));
            }
        }
    }

    /// Never 0, which stands for no fingerprint.
    std::uint64_t value() const { return std::max<std::uint64_t>(1, hash_); }

private:
    void add(unsigned char byte) {
        constexpr std::uint64_t prime = 0x100000001B3;
        hash_ = (hash_ ^ byte) * prime;
    }

    std::uint64_t hash_ = 0xCBF29CE484222325;
};

}  // namespace nystromformer::inline v0_2::detail
