// SPDX-License-Identifier: MIT
// A reader of the pickles that torch.save writes for a state dict. It builds plain values and can
// run nothing: an opcode or a name outside two short lists is an error.
#pragma once

#include <nystromformer/checkpoint/pickle_stack.hpp>
#include <nystromformer/checkpoint/tensor_layout.hpp>
#include <nystromformer/error.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// One pickle, protocol 2 to 5, as https://docs.python.org/3/library/pickletools.html describes the
/// opcodes.
class Pickle : private PickleStack {
public:
    static constexpr std::size_t longest = std::size_t{64} << 20;
    static constexpr std::size_t max_operations = 500'000;

    /// Runs the whole of `bytes`, which must outlive the result. Throws FormatError, and
    /// UnsupportedError for names that a plain state dict has no need of.
    static Pickle parse(std::span<const std::byte> bytes, const std::string& file) {
        Pickle pickle(bytes, file);
        if (bytes.size() > longest) {
            pickle.cursor_.fail("at most " + std::to_string(longest) + " bytes",
                                std::to_string(bytes.size()));
        }
        pickle.run();
        if (pickle.cursor_.left() != 0) pickle.cursor_.fail("the end of the pickle", "more bytes");
        return pickle;
    }
    /// Runs the first of several pickles, and says where the next bytes begin.
    static Pickle parse_first(std::span<const std::byte> bytes, const std::string& file,
                              std::size_t& size) {
        Pickle pickle(bytes.first(std::min(bytes.size(), longest)), file);
        pickle.run();
        size = pickle.cursor_.position();
        return pickle;
    }

    const PickleValue& root() const { return *root_; }

private:
    using Operation = void (*)(Pickle&);
    enum Global : std::int64_t {
        ordered_dict,
        rebuild_old_tensor,
        rebuild_tensor,
        rebuild_parameter,
        first_storage
    };

    using PickleStack::PickleStack;

    void run() {
        if (cursor_.read<std::uint8_t>() != 0x80)
            cursor_.fail("a pickle of protocol 2 to 5", "other bytes");
        check_protocol();
        static const std::array<Operation, 256> table = operations();
        for (std::size_t count = 1; root_ == nullptr; ++count) {
            if (count > max_operations)
                cursor_.fail("at most " + std::to_string(max_operations) + " operations", "more");
            const auto code = cursor_.read<std::uint8_t>();
            if (table[code] == nullptr) {
                cursor_.fail("an operation that a state dict needs",
                             "opcode " + in_quotes(std::string(1, static_cast<char>(code))));
            }
            table[code](*this);
        }
    }

    // clang-format off
    /// What is not here is refused.
    static std::array<Operation, 256> operations() {
        std::array<Operation, 256> on{};
        on[0x80] = [](Pickle& p) { p.check_protocol(); };                   // PROTO
        on[0x95] = [](Pickle& p) { p.check_frame(); };                      // FRAME
        on['N'] = [](Pickle& p) { p.push(Kind::none); };                    // NONE
        on[0x88] = [](Pickle& p) { p.push(Kind::boolean).integer = 1; };    // NEWTRUE
        on[0x89] = [](Pickle& p) { p.push(Kind::boolean).integer = 0; };    // NEWFALSE
        on['J'] = [](Pickle& p) { p.push_number<std::int32_t>(); };         // BININT
        on['K'] = [](Pickle& p) { p.push_number<std::uint8_t>(); };         // BININT1
        on['M'] = [](Pickle& p) { p.push_number<std::uint16_t>(); };        // BININT2
        on[0x8A] = [](Pickle& p) { p.push_long(); };                        // LONG1
        on['G'] = [](Pickle& p) { p.push_real(); };                         // BINFLOAT
        on['U'] = [](Pickle& p) { p.push_text<std::uint8_t>(); };           // SHORT_BINSTRING
        on['X'] = [](Pickle& p) { p.push_text<std::uint32_t>(); };          // BINUNICODE
        on[0x8C] = [](Pickle& p) { p.push_text<std::uint8_t>(); };          // SHORT_BINUNICODE
        on[0x8D] = [](Pickle& p) { p.push_text<std::uint64_t>(); };         // BINUNICODE8
        on['('] = [](Pickle& p) { p.mark(); };                              // MARK
        on[')'] = [](Pickle& p) { p.push(Kind::tuple); };                   // EMPTY_TUPLE
        on[0x85] = [](Pickle& p) { p.push_tuple(p.pop_many(1)); };          // TUPLE1
        on[0x86] = [](Pickle& p) { p.push_tuple(p.pop_many(2)); };          // TUPLE2
        on[0x87] = [](Pickle& p) { p.push_tuple(p.pop_many(3)); };          // TUPLE3
        on['t'] = [](Pickle& p) { p.push_tuple(p.pop_to_mark()); };         // TUPLE
        on[']'] = [](Pickle& p) { p.push(Kind::list); };                    // EMPTY_LIST
        on['a'] = [](Pickle& p) { p.extend(Kind::list, p.pop_many(1)); };   // APPEND
        on['e'] = [](Pickle& p) { p.extend(Kind::list, p.pop_to_mark()); }; // APPENDS
        on['}'] = [](Pickle& p) { p.push(Kind::dict); };                    // EMPTY_DICT
        on['s'] = [](Pickle& p) { p.extend(Kind::dict, p.pop_many(2)); };   // SETITEM
        on['u'] = [](Pickle& p) { p.extend(Kind::dict, p.pop_to_mark()); }; // SETITEMS
        on['q'] = [](Pickle& p) { p.put_memo<std::uint8_t>(); };            // BINPUT
        on['r'] = [](Pickle& p) { p.put_memo<std::uint32_t>(); };           // LONG_BINPUT
        on[0x94] = [](Pickle& p) { p.memoize(); };                          // MEMOIZE
        on['h'] = [](Pickle& p) { p.get_memo<std::uint8_t>(); };            // BINGET
        on['j'] = [](Pickle& p) { p.get_memo<std::uint32_t>(); };           // LONG_BINGET
        on['c'] = [](Pickle& p) { p.push_global_of_lines(); };              // GLOBAL
        on[0x93] = [](Pickle& p) { p.push_global_of_stack(); };             // STACK_GLOBAL
        on['Q'] = [](Pickle& p) { p.push_storage(p.pop()); };               // BINPERSID
        on['R'] = [](Pickle& p) { p.reduce(); };                            // REDUCE
        on['b'] = [](Pickle& p) { p.build(); };                             // BUILD
        on['.'] = [](Pickle& p) { p.stop(); };                              // STOP
        return on;
    }
    // clang-format on

    void check_protocol() {
        const int protocol = cursor_.read<std::uint8_t>();
        if (protocol < 2 || protocol > 5) cursor_.fail("protocol 2 to 5", std::to_string(protocol));
    }
    void check_frame() {
        if (cursor_.read<std::uint64_t>() > cursor_.left())
            cursor_.fail("a frame inside the pickle", "a longer one");
    }

    void push_integer(std::int64_t value) { push(Kind::integer).integer = value; }
    template <typename Integer>
    void push_number() {
        push_integer(cursor_.read<Integer>());
    }
    void push_real() {  // no one needs its value
        cursor_.take(8);
        push(Kind::real);
    }
    template <typename Size>
    void push_text() {
        const auto text = cursor_.text(cursor_.read<Size>());
        push(Kind::string).text = text;
    }
    template <typename Place>
    void put_memo() {
        put(cursor_.read<Place>());
    }
    template <typename Place>
    void get_memo() {
        get(cursor_.read<Place>());
    }
    void push_tuple(Values items) { push(Kind::tuple).items = std::move(items); }
    void push_long() {  // two's complement of any length, little endian
        const auto size = cursor_.read<std::uint8_t>();
        if (size > 8) cursor_.fail("integers of 64 bits", std::to_string(size) + " bytes");
        const auto bytes = cursor_.take(size);
        const bool negative = size != 0 && std::to_integer<unsigned>(bytes.back()) >= 0x80u;
        std::uint64_t value = negative ? ~std::uint64_t{0} : 0;
        for (std::size_t i = bytes.size(); i-- > 0;)
            value = (value << 8) | std::to_integer<std::uint64_t>(bytes[i]);
        push_integer(static_cast<std::int64_t>(value));
    }

    std::string_view line() {
        ByteCursor ahead = cursor_;
        const auto end = ahead.text(ahead.left()).find('\n');
        if (end == std::string_view::npos) cursor_.fail("a line", "no end of it");
        const auto result = cursor_.text(end);
        cursor_.take(1);
        return result;
    }

    void push_global_of_lines() {
        const auto module = line();
        push_global(module, line());
    }
    void push_global_of_stack() {
        const auto names = pop_many(2);
        push_global(expect(names[0], Kind::string).text, expect(names[1], Kind::string).text);
    }

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

    /// Attributes of a dict, such as the _metadata of a state dict: of no use here.
    void build() {
        expect(pop(), Kind::dict);
        expect(&top(), Kind::dict);
    }

    void stop() {
        root_ = pop();
        if (!is_bare()) cursor_.fail("one value at the end", "more");
    }

    const PickleValue* root_ = nullptr;
};

}  // namespace nystromformer::inline v0_2::detail
