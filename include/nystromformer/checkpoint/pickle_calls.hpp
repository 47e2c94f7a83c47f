// SPDX-License-Identifier: MIT
// The names and calls that the pickle of a state dict needs: each call is replaced by the value
// that it would return.
#pragma once

#include <nystromformer/checkpoint/pickle_stack.hpp>
#include <nystromformer/checkpoint/tensor_layout.hpp>
#include <nystromformer/core/error_text.hpp>
#include <nystromformer/dtype.hpp>
#include <nystromformer/error.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace nystromformer::inline v0_2::detail {

/// A PickleStack that knows two lists: four functions and ten classes of storages.
class PickleCalls : protected PickleStack {
protected:
    using PickleStack::PickleStack;

    struct StorageClass {
        std::string_view name;
        DType dtype;
    };
    static constexpr std::array<StorageClass, 10> storage_classes{{
        {"torch.FloatStorage", DType::f32},
        {"torch.DoubleStorage", DType::f64},
        {"torch.HalfStorage", DType::f16},
        {"torch.BFloat16Storage", DType::bf16},
        {"torch.LongStorage", DType::i64},
        {"torch.IntStorage", DType::i32},
        {"torch.ShortStorage", DType::i16},
        {"torch.CharStorage", DType::i8},
        {"torch.ByteStorage", DType::u8},
        {"torch.BoolStorage", DType::boolean},
    }};

    /// A name becomes a number, never anything that could be called.
    void push_global(std::string_view module, std::string_view name) {
        const std::string full = std::string(module) + '.' + std::string(name);
        std::optional<std::int64_t> found;
        if (full == "collections.OrderedDict") found = ordered_dict;
        if (full == "torch._utils._rebuild_tensor") found = rebuild_old_tensor;
        if (full == "torch._utils._rebuild_tensor_v2") found = rebuild_tensor;
        if (full == "torch._utils._rebuild_parameter") found = rebuild_parameter;
        for (std::size_t i = 0; i < storage_classes.size(); ++i) {
            if (full == storage_classes[i].name)
                found = first_storage + static_cast<std::int64_t>(i);
        }
        if (!found) {
            throw UnsupportedError(
                {cursor_.file(), cursor_.place(),
                 "only what a plain state dict of F64, F32, F16, BF16 and integer tensors needs",
                 "the name " + in_quotes(full)});
        }
        push(Kind::global).integer = *found;
    }

    /// ("storage", torch.FloatStorage, key, device, numel), and before torch 1.6 a view, None since
    /// torch 0.4.
    void push_storage(const PickleValue* id) {
        const auto& items = expect(id, Kind::tuple).items;
        if (items.size() != 5 && items.size() != 6)
            cursor_.fail("the five parts of a storage", std::to_string(items.size()));
        if (items.size() == 6) expect(items[5], Kind::none);
        if (expect(items[0], Kind::string).text != "storage")
            cursor_.fail("the word storage", in_quotes(items[0]->text));
        const std::int64_t global = expect(items[1], Kind::global).integer;
        if (global < first_storage) cursor_.fail("a storage class", "another name");
        expect(items[2], Kind::string);
        expect(items[3], Kind::string);
        if (expect(items[4], Kind::integer).integer < 0)
            cursor_.fail("a size of at least 0", std::to_string(items[4]->integer));
        PickleValue& storage = push(Kind::storage);
        storage.dtype = storage_classes[static_cast<std::size_t>(global - first_storage)].dtype;
        storage.text = items[2]->text;
        storage.integer = items[4]->integer;
    }

    /// The calls that a state dict needs, each replaced by the value that it would return.
    void reduce() {
        const auto call = pop_many(2);
        const std::int64_t global = expect(call[0], Kind::global).integer;
        const auto& arguments = expect(call[1], Kind::tuple).items;
        const auto check_count = [&](bool good, const char* signature) {
            if (!good) cursor_.fail(signature, std::to_string(arguments.size()) + " arguments");
        };
        if (global == ordered_dict) {
            check_count(arguments.empty(), "OrderedDict()");
            push(Kind::dict);
        } else if (global == rebuild_tensor || global == rebuild_old_tensor) {
            const std::size_t count = arguments.size();
            check_count(
                global == rebuild_old_tensor ? count == 4 : count == 6 || count == 7,
                "_rebuild_tensor_v2(storage, offset, shape, strides, requires_grad, hooks)");
            expect(arguments[0], Kind::storage);
            expect(arguments[1], Kind::integer);
            expect_sizes(arguments[2]);
            expect_sizes(arguments[3]);
            PickleValue& tensor = push(Kind::tensor);
            tensor.integer = arguments[1]->integer;
            tensor.items = {arguments[0], arguments[2], arguments[3]};
        } else if (global == rebuild_parameter) {
            check_count(arguments.size() == 3, "_rebuild_parameter(tensor, requires_grad, hooks)");
            const PickleValue& tensor = expect(arguments[0], Kind::tensor);
            push(Kind::tensor) = tensor;
        } else {
            cursor_.fail("a call of OrderedDict, _rebuild_tensor_v2 or _rebuild_parameter",
                         "one of a storage class");
        }
    }
    void expect_sizes(const PickleValue* sizes) const {
        const auto& items = expect(sizes, Kind::tuple).items;
        if (items.size() > max_dimensions) {
            cursor_.fail("at most " + std::to_string(max_dimensions) + " dimensions",
                         std::to_string(items.size()));
        }
        for (const auto* item : items) expect(item, Kind::integer);
    }

private:
    enum Global : std::int64_t {
        ordered_dict,
        rebuild_old_tensor,
        rebuild_tensor,
        rebuild_parameter,
        first_storage
    };
};

}  // namespace nystromformer::inline v0_2::detail
