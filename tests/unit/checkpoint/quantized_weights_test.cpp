// SPDX-License-Identifier: MIT
// Quantized weights: as compressed-tensors has them, and what is refused.
#include <nystromformer/config.hpp>
#include <nystromformer/core/file.hpp>
#include <nystromformer/safetensors.hpp>
#include <nystromformer/state_dict.hpp>
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace quantized_weights_test {

namespace nf = nystromformer;
using nf::DType;
using nf::Index;

/// Tensors that own their bytes.
class Tensors {
public:
    template <typename Value>
    void add(const std::string& name, DType dtype, std::vector<Index> shape,
             const std::vector<Value>& values) {
        const auto bytes = std::as_bytes(std::span(values));
        owned_.push_back({name, dtype, std::move(shape), {bytes.begin(), bytes.end()}});
    }
    std::string bytes(const std::filesystem::path& folder) const {
        (void)saved(folder);
        return nf::detail::read_file(folder / "model.safetensors", 1 << 20);
    }
    nf::Checkpoint saved(const std::filesystem::path& folder) const {
        std::vector<nf::TensorView> views;
        for (const Owned& tensor : owned_)
            views.push_back({tensor.name, tensor.dtype, tensor.shape, tensor.bytes, {}});
        nf::save_safetensors(folder / "model.safetensors", views);
        return nf::Checkpoint::open(folder);
    }

private:
    struct Owned {
        std::string name;
        DType dtype;
        std::vector<Index> shape;
        std::vector<std::byte> bytes;
    };
    std::vector<Owned> owned_;
};

std::vector<float> values_of(const nf::Checkpoint& checkpoint, Index rows, Index cols) {
    const auto matrix = nf::StateDict(checkpoint).matrix<float>("w.weight", rows, cols);
    return {matrix.data(), matrix.data() + matrix.size()};
}

TEST_CASE("int8 weights are multiplied by the scale of their row, or by one for all") {
    const TemporaryFolder folder;
    for (const bool one : {false, true}) {
        Tensors tensors;
        tensors.add<std::int8_t>("w.weight", DType::i8, {2, 3}, {-128, 0, 127, 1, 2, 3});
        if (one) {
            tensors.add<float>("w.weight_scale", DType::f32, {1}, {0.5F});
        } else {
            tensors.add<float>("w.weight_scale", DType::f32, {2, 1}, {0.5F, -2.0F});
        }
        const auto checkpoint = tensors.saved(folder.path);
        const std::vector<float> rows_scaled{-64, 0, 63.5F, -2, -4, -6};
        const std::vector<float> all_scaled{-64, 0, 63.5F, 0.5F, 1, 1.5F};
        CHECK(values_of(checkpoint, 2, 3) == (one ? all_scaled : rows_scaled));
        const nf::StateDict state(checkpoint);
        (void)state.matrix<double>("w.weight", 2, 3);
        CHECK(state.unused().empty());
    }
}

// Four to a word, the first in the lowest byte, each plus 128; rows are filled up with zeros.
TEST_CASE("packed int8 weights get their shape from the tensor beside them") {
    const TemporaryFolder folder;
    Tensors tensors;
    const std::vector<std::uint8_t> bytes{0,   128, 255, 129, 130, 0, 0, 0,
                                          127, 126, 128, 128, 1,   0, 0, 0};
    tensors.add("a.other", DType::f32, {1}, std::vector<float>{7});
    tensors.add("w.weight_packed", DType::i32, {2, 2}, bytes);
    tensors.add("w.weight_scale", DType::f32, {2, 1}, std::vector<float>{1, 0.5F});
    tensors.add("w.weight_shape", DType::i64, {2}, std::vector<std::int64_t>{2, 5});
    tensors.add("w.weight_g", DType::f32, {1}, std::vector<float>{7});  // sorts between them
    const auto checkpoint = tensors.saved(folder.path);
    CHECK(values_of(checkpoint, 2, 5) ==
          std::vector<float>{-128, 0, 127, 1, 2, -0.5F, -1, 0, 0, -63.5F});
    const nf::StateDict state(checkpoint);
    (void)state.matrix<float>("w.weight", 2, 5);
    CHECK(state.unused() == std::vector<std::string>{"a.other", "w.weight_g"});
    CHECK(checkpoint.find("w.weight_packed") == nullptr);
}

TEST_CASE("a checkpoint of bytes has quantized weights as a folder has them") {
    const TemporaryFolder folder;
    Tensors tensors;
    tensors.add<std::int8_t>("w.weight", DType::i8, {1, 2}, {2, -3});
    tensors.add<float>("w.weight_scale", DType::f32, {1}, {0.5F});
    const std::string bytes = tensors.bytes(folder.path);
    CHECK(values_of(nf::Checkpoint::from_bytes(bytes), 1, 2) == std::vector<float>{1, -1.5F});
}

// The scales of 2^40 rows would take 4 TiB.
TEST_CASE("a matrix of no columns takes no memory for the scales of its rows") {
    const TemporaryFolder folder;
    constexpr Index rows = Index{1} << 40;
    Tensors tensors;
    tensors.add<std::int8_t>("w.weight", DType::i8, {rows, 0}, {});
    tensors.add<float>("w.weight_scale", DType::f32, {1}, {0.5F});
    tensors.add<std::int32_t>("v.weight_packed", DType::i32, {rows, 0}, {});
    tensors.add<float>("v.weight_scale", DType::f32, {1}, {0.5F});
    tensors.add<std::int64_t>("v.weight_shape", DType::i64, {2}, {rows, 0});
    const auto checkpoint = tensors.saved(folder.path);
    for (const char* name : {"w.weight", "v.weight_packed"}) {
        REQUIRE(checkpoint.find(name) != nullptr);
        CHECK(checkpoint.find(name)->row_scales.empty());
    }
}

TEST_CASE("whole numbers without fitting scales are no weights") {
    const TemporaryFolder folder;
    const auto refused = [&](const Tensors& tensors, Index rows, Index cols) {
        try {
            (void)values_of(tensors.saved(folder.path), rows, cols);
            return std::string("none");
        } catch (const nf::TensorError& error) {
            return std::string(error.what());
        }
    };
    Tensors none, short_scale, bad_shape;
    none.add<std::int8_t>("w.weight", DType::i8, {2, 2}, {1, 2, 3, 4});
    CHECK(refused(none, 2, 2).find("found I8") != std::string::npos);
    short_scale.add<std::int8_t>("w.weight", DType::i8, {3, 1}, {1, 2, 3});
    short_scale.add<float>("w.weight_scale", DType::f32, {2}, {1, 1});
    CHECK(refused(short_scale, 3, 1).find("found I8") != std::string::npos);
    bad_shape.add("w.weight_packed", DType::i32, {2, 1}, std::vector<std::int32_t>{1, 2});
    bad_shape.add("w.weight_scale", DType::f32, {2, 1}, std::vector<float>{1, 1});
    bad_shape.add("w.weight_shape", DType::i64, {2}, std::vector<std::int64_t>{2, 9});
    CHECK(refused(bad_shape, 2, 9).find("found nothing") != std::string::npos);
}

TEST_CASE("of quantized folders, those are read whose weights alone have 8 bits") {
    const auto refused = [](const std::string& quantization) {
        try {
            (void)nf::NystromformerConfig::from_json(
                R"({"model_type": "nystromformer", "quantization_config": )" + quantization + "}",
                "config.json");
            return std::string("none");
        } catch (const nf::Error& error) {
            return std::string(error.what());
        }
    };
    const std::string weights =
        R"({"num_bits": 8, "type": "int", "symmetric": true, "strategy": "channel"})";
    const auto of = [](const std::string& format, const std::string& group) {
        return R"({"quant_method": "compressed-tensors", "format": ")" + format +
               R"(", "config_groups": {"group_0": )" + group + "}}";
    };
    CHECK(refused(of("pack-quantized", R"({"weights": )" + weights + "}")) == "none");
    CHECK(refused(of("int-quantized", R"({"weights": )" + weights + "}")) == "none");
    const auto has = [](const std::string& text, const char* part) {
        return text.find(part) != std::string::npos;
    };
    CHECK(has(refused(R"({"quant_method": "gptq", "bits": 4})"), "quant_method"));
    CHECK(has(refused(of("nvfp4-pack-quantized", R"({"weights": )" + weights + "}")), "/format"));
    CHECK(has(
        refused(of("int-quantized", R"({"weights": )" + weights + R"(, "input_activations": {}})")),
        "input_activations"));
    CHECK(has(refused(of("pack-quantized", R"({"weights": {"num_bits": 4}})")), "num_bits"));
}

}  // namespace quantized_weights_test
