// SPDX-License-Identifier: MIT
// The loaders on another compiler or CPU: every file form is read with its right numbers, or
// refused. Usage: loaders TESTS_FOLDER
#include "check.hpp"

#include <nystromformer/config.hpp>
#include <nystromformer/state_dict.hpp>
#include <nystromformer/tokenizer.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace nf = nystromformer;
namespace fs = std::filesystem;

namespace {

/// The values that tests/checkpoint/generate.py puts into its tensors.
void check_tensors(const std::vector<nf::TensorView>& tensors) {
    int read = 0;
    for (const nf::TensorView& tensor : tensors) {
        if (tensor.name == "scalar" || tensor.name == "expanded" || !nf::is_weight(tensor.dtype))
            continue;
        std::vector<float> values(static_cast<std::size_t>(tensor.size()));
        nf::convert(tensor, values.data());
        for (std::size_t i = 0; i < values.size(); ++i)
            check(values[i] == static_cast<float>(i) / 4 - 1.5f, tensor.name.c_str());
        ++read;
    }
    check(read >= 2, "weights are there");
    for (const nf::TensorView& tensor : tensors) {
        if (!nf::is_integer(tensor.dtype) || tensor.dtype == nf::DType::boolean) continue;
        const auto values = nf::to_int64(tensor);
        for (std::size_t i = 0; i < values.size(); ++i)
            check(values[i] == static_cast<std::int64_t>(i), tensor.name.c_str());
    }
}

void check_weights(const fs::path& data) {
    const auto file = nf::SafetensorsFile::open(data / "dtypes.safetensors");
    check_tensors(file.tensors());
    const auto sharded = nf::Checkpoint::open(data / "sharded");
    check_tensors(sharded.tensors());
    const auto of_torch = nf::Checkpoint::open(data / "torch_sharded");
    check_tensors(of_torch.tensors());
    for (const char* name : {"protocol2.bin", "protocol5.bin", "module.bin"})
        check_tensors(nf::TorchArchive::open(data / name).tensors());
    check(refuses<nf::UnsupportedError>([&] { nf::TorchArchive::open(data / "big_endian.bin"); }),
          "big_endian.bin");
    check(refuses<nf::UnsupportedError>([&] { nf::TorchArchive::open(data / "object.bin"); }),
          "object.bin");
    check(refuses<nf::IoError>([&] { (void)nf::Checkpoint::open(data / "none"); }),
          "a folder that is not there");
}

void check_malformed() {
    const auto parse = [](std::uint64_t length, std::string_view rest) {
        std::string bytes;
        for (unsigned shift = 0; shift < 64; shift += 8)
            bytes += static_cast<char>((length >> shift) & 0xFF);
        bytes += rest;
        return refuses<nf::FormatError>([&] { (void)nf::SafetensorsFile::parse(bytes, "a"); });
    };
    check(parse(~std::uint64_t{0}, "{}"), "2^64 - 1");
    check(parse(std::uint64_t{1} << 32, "{}"), "2^32");
    check(parse((std::uint64_t{1} << 32) + 2, "{}"), "2^32 + 2");
    const auto tensor = [&](const std::string& shape, const std::string& offsets,
                            std::size_t data) {
        const std::string header =
            R"({"a":{"dtype":"F32","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}";
        return parse(header.size(), header + std::string(data, '\0'));
    };
    check(tensor("[1073741825]", "[0,4]", 4), "2^32 + 4 bytes");
    check(tensor("[4294967296,4294967296]", "[0,0]", 0), "2^64 elements");
    check(tensor("[1]", "[4294967296,4294967300]", 4), "an offset of 2^32");
    check(!tensor("[1]", "[0,4]", 4), "a good file");
    check(refuses<nf::ConfigError>(
              [] { (void)nf::NystromformerConfig::from_json(R"({"hidden_size": 4294967297})"); }),
          "a size of 2^32 + 1");
}

void check_tokenizer(const fs::path& folder) {
    const auto tokenizer = nf::Tokenizer::from_pretrained(folder);
    const auto encoding = tokenizer.encode("She opened the d\u00f3or, and \x80 walked!");
    check(encoding.size() > 5 && encoding.ids.front() == 2 && encoding.ids.back() == 3,
          "special tokens");
    check(tokenizer.decode(encoding.ids).find("she opened the") == 0, "decoded text");
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    return run_checks([&] {
        const fs::path tests = argv[1];
        check_weights(tests / "checkpoint" / "data");
        check_malformed();
        check_tokenizer(tests / "reference" / "sentences" / "dense");
        std::printf("%zu bits, %s endian\n", sizeof(void*) * 8,
                    std::endian::native == std::endian::little ? "little" : "big");
    });
}
