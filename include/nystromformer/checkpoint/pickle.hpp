// SPDX-License-Identifier: MIT
// A reader of the pickles that torch.save writes for a state dict. It builds plain values and can
// run nothing: an opcode or a name outside two short lists is an error.
#pragma once

#include <nystromformer/checkpoint/pickle_calls.hpp>
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

/// One pickle, protocol 2 to 5, as https://docs.python.org/3/library/pickletools.html describes the
/// opcodes.
class Pickle : private PickleCalls {
public:
    static constexpr std::size_t max_bytes = std::size_t{64} << 20;
    static constexpr std::size_t max_operations = 500'000;

    /// Runs the whole of `bytes`, which must outlive the result. Throws FormatError, and
    /// UnsupportedError for names that a plain state dict does not need.
    static Pickle parse(std::span<const std::byte> bytes, const std::string& file) {
        Pickle pickle(bytes, file);
        if (bytes.size() > max_bytes) {
            pickle.cursor_.fail("at most " + std::to_string(max_bytes) + " bytes",
                                std::to_string(bytes.size()));
        }
        pickle.run();
        if (pickle.cursor_.left() != 0) pickle.cursor_.fail("the end of the pickle", "more bytes");
        return pickle;
    }
    /// Runs the first of several pickles, and says where the next bytes begin.
    static Pickle parse_first(std::span<const std::byte> bytes, const std::string& file,
                              std::size_t& size) {
        Pickle pickle(bytes.first(std::min(bytes.size(), max_bytes)), file);
        pickle.run();
        size = pickle.cursor_.position();
        return pickle;
    }

    const PickleValue& root() const { return *root_; }

private:
    using Operation = void (*)(Pickle&);
    using PickleCalls::PickleCalls;

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
