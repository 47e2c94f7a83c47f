// SPDX-License-Identifier: MIT
// Runs AMX's instructions on a CPU that does not have them: the CPU stops at each one with SIGILL,
// and the handler decodes it and does its work. So tests run the machine code of the kernels, with
// its encodings, operands, addresses and sizes of tiles.
// Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2.
#pragma once

#if defined(__x86_64__) && defined(__linux__)
#define NYSTROMFORMER_TILE_EMULATOR 1

#include <signal.h>
#include <ucontext.h>

#include <cmath>
#include <cstdint>
#include <cstring>

namespace tile_emulator {

/// What LDTILECFG loads, and the eight registers.
struct State {
    bool configured = false;
    int rows[8] = {}, row_bytes[8] = {};
    unsigned char tiles[8][16][64] = {};
    long instructions = 0;
};
inline State& state() {
    static State instance;
    return instance;
}

/// An instruction with a VEX prefix of three bytes.
struct Instruction {
    int prefix, opcode;  // prefix: 0 none, 1 66, 2 F3, 3 F2
    int reg, rm, vvvv;   // registers of tiles
    bool has_memory;
    std::uintptr_t base, index;  // the address is their sum; rows are `index` bytes apart
    int length;
};

inline long long general_register(const ucontext_t& context, int number) {
    static constexpr int places[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                       REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                       REG_R12, REG_R13, REG_R14, REG_R15};
    return context.uc_mcontext.gregs[places[number]];
}

/// Reads the instruction at the place where the CPU stopped. False if it has another form.
inline bool decode(const ucontext_t& context, Instruction& found) {
    const auto start = static_cast<std::uintptr_t>(context.uc_mcontext.gregs[REG_RIP]);
    const auto* const code = reinterpret_cast<const unsigned char*>(start);
    if (code[0] != 0xC4 || (code[1] & 0x1F) != 2 || (code[2] & 0x84) != 0) return false;
    const int index_high = (code[1] & 0x40) == 0 ? 8 : 0, base_high = (code[1] & 0x20) == 0 ? 8 : 0;
    const int mod = code[4] >> 6, rm = code[4] & 7;
    found = {};
    found.prefix = code[2] & 3;
    found.vvvv = ~(code[2] >> 3) & 15;
    found.opcode = code[3];
    found.reg = code[4] >> 3 & 7;
    found.rm = rm;
    found.length = 5;
    found.has_memory = mod != 3;
    if (!found.has_memory) return true;

    std::uintptr_t base = 0;
    if (rm == 4) {
        const int sib = code[5], index = (sib >> 3 & 7) + index_high;
        ++found.length;
        if (mod == 0 && (sib & 7) == 5) return false;
        base = static_cast<std::uintptr_t>(general_register(context, (sib & 7) + base_high));
        if (index != 4)
            found.index = static_cast<std::uintptr_t>(general_register(context, index))
                          << (sib >> 6);
    } else if (mod == 0 && rm == 5) {
        std::int32_t distance;
        std::memcpy(&distance, code + 5, 4);
        found.length += 4;
        found.base = start + 9 + static_cast<std::uintptr_t>(std::intptr_t{distance});
        return true;
    } else {
        base = static_cast<std::uintptr_t>(general_register(context, rm + base_high));
    }
    std::int32_t displacement = 0;
    if (mod == 1) {
        displacement = static_cast<signed char>(code[found.length]);
        found.length += 1;
    } else if (mod == 2) {
        std::memcpy(&displacement, code + found.length, 4);
        found.length += 4;
    }
    found.base = base + static_cast<std::uintptr_t>(std::intptr_t{displacement});
    return true;
}

/// LDTILECFG: palette, first row, then bytes of a row from byte 16 and rows from byte 48. The CPU
/// refuses a tile of rows without bytes, or of bytes without rows.
inline bool configure(const unsigned char* memory) {
    if (memory[0] != 1 || memory[1] != 0) return false;
    for (int i = 2; i < 16; ++i)
        if (memory[i] != 0) return false;
    for (int tile = 0; tile < 16; ++tile) {
        const int row_bytes = memory[16 + 2 * tile] + 256 * memory[17 + 2 * tile];
        const int rows = memory[48 + tile];
        if (rows > 16 || row_bytes > 64 || (rows == 0) != (row_bytes == 0)) return false;
        if (tile >= 8 && rows != 0) return false;
        if (tile >= 8) continue;
        state().rows[tile] = rows;
        state().row_bytes[tile] = row_bytes;
    }
    std::memset(state().tiles, 0, sizeof(state().tiles));
    state().configured = true;
    return true;
}

inline float flushed(float x) {
    return std::fpclassify(x) == FP_SUBNORMAL ? std::copysign(0.0f, x) : x;
}
inline float bfloat(const unsigned char* bytes) {
    const std::uint32_t bits = std::uint32_t{bytes[0]} << 16 | std::uint32_t{bytes[1]} << 24;
    float x;
    std::memcpy(&x, &bits, 4);
    return flushed(x);
}

/// TDPBF16PS: one row of the sums. The first numbers of the pairs, and the second ones, are added
/// on their own.
inline void add_bfloat_row(int sums, int a, int b, int row) {
    State& cpu = state();
    float parts[32] = {};
    for (int k = 0; k < cpu.row_bytes[a] / 4; ++k) {
        for (int n = 0; n < cpu.row_bytes[sums] / 2; ++n) {
            const float x = bfloat(&cpu.tiles[a][row][4 * k + 2 * (n % 2)]);
            parts[n] = flushed(std::fma(x, bfloat(&cpu.tiles[b][k][2 * n]), parts[n]));
        }
    }
    for (int n = 0; n < cpu.row_bytes[sums] / 4; ++n) {
        float total;
        std::memcpy(&total, &cpu.tiles[sums][row][4 * n], 4);
        total = flushed(flushed(total) + flushed(parts[2 * n] + parts[2 * n + 1]));
        std::memcpy(&cpu.tiles[sums][row][4 * n], &total, 4);
    }
}

/// TDPBUSD: one row of the sums. The bytes of a are unsigned, those of b signed.
inline void add_byte_row(int sums, int a, int b, int row) {
    State& cpu = state();
    for (int n = 0; n < cpu.row_bytes[sums] / 4; ++n) {
        std::int32_t total;
        std::memcpy(&total, &cpu.tiles[sums][row][4 * n], 4);
        for (int i = 0; i < cpu.row_bytes[a]; ++i)
            total +=
                cpu.tiles[a][row][i] * static_cast<signed char>(cpu.tiles[b][i / 4][4 * n + i % 4]);
        std::memcpy(&cpu.tiles[sums][row][4 * n], &total, 4);
    }
}

/// The CPU refuses sizes that do not fit together, and one tile in two places.
inline bool multiply(const Instruction& instruction) {
    const State& cpu = state();
    const int sums = instruction.reg, a = instruction.rm, b = instruction.vvvv;
    if (b > 7 || sums == a || sums == b || a == b) return false;
    if (cpu.rows[sums] == 0 || cpu.rows[sums] != cpu.rows[a]) return false;
    if (cpu.row_bytes[a] != 4 * cpu.rows[b] || cpu.row_bytes[b] != cpu.row_bytes[sums])
        return false;
    const bool bfloats = instruction.opcode == 0x5C && instruction.prefix == 2;
    if (!bfloats && !(instruction.opcode == 0x5E && instruction.prefix == 1)) return false;
    for (int row = 0; row < cpu.rows[sums]; ++row)
        bfloats ? add_bfloat_row(sums, a, b, row) : add_byte_row(sums, a, b, row);
    return true;
}

/// TILELOADD and TILESTORED.
inline bool move_rows(const Instruction& instruction, bool load) {
    State& cpu = state();
    const int tile = instruction.reg;
    if (cpu.rows[tile] == 0) return false;
    if (load) std::memset(cpu.tiles[tile], 0, sizeof(cpu.tiles[tile]));
    for (int row = 0; row < cpu.rows[tile]; ++row) {
        auto* const memory = reinterpret_cast<unsigned char*>(
            instruction.base + static_cast<std::uintptr_t>(row) * instruction.index);
        const auto bytes = static_cast<std::size_t>(cpu.row_bytes[tile]);
        load ? std::memcpy(cpu.tiles[tile][row], memory, bytes)
             : std::memcpy(memory, cpu.tiles[tile][row], bytes);
    }
    return true;
}

inline bool execute(const Instruction& instruction) {
    State& cpu = state();
    if (instruction.opcode == 0x49 && instruction.prefix == 0 && instruction.has_memory)
        return configure(reinterpret_cast<const unsigned char*>(instruction.base));
    if (!cpu.configured) return false;
    if (instruction.opcode == 0x49 && instruction.prefix == 0) {  // TILERELEASE
        cpu.configured = false;
        return instruction.reg == 0 && instruction.rm == 0;
    }
    if (instruction.opcode == 0x49 && instruction.prefix == 3 && !instruction.has_memory) {
        std::memset(cpu.tiles[instruction.reg], 0, sizeof(cpu.tiles[0]));  // TILEZERO
        return cpu.rows[instruction.reg] > 0;
    }
    if (instruction.opcode == 0x4B && instruction.has_memory && instruction.rm == 4 &&
        instruction.prefix >= 2)
        return move_rows(instruction, instruction.prefix == 3);
    return !instruction.has_memory && multiply(instruction);
}

/// What it cannot run ends the program, as the CPU would.
inline void on_illegal_instruction(int, siginfo_t*, void* stopped) {
    auto& context = *static_cast<ucontext_t*>(stopped);
    Instruction instruction;
    if (!decode(context, instruction) || !execute(instruction)) {
        ::signal(SIGILL, SIG_DFL);
        return;
    }
    ++state().instructions;
    context.uc_mcontext.gregs[REG_RIP] += instruction.length;
}

/// The handler, as long as this lives. One thread at a time.
class Emulator {
public:
    Emulator() {
        state() = State();
        struct sigaction action {};
        action.sa_sigaction = on_illegal_instruction;
        action.sa_flags = SA_SIGINFO;
        ::sigaction(SIGILL, &action, &before_);
    }
    ~Emulator() { ::sigaction(SIGILL, &before_, nullptr); }
    Emulator(const Emulator&) = delete;
    Emulator& operator=(const Emulator&) = delete;

    long instructions() const { return state().instructions; }
    bool released() const { return !state().configured; }

private:
    struct sigaction before_ {};
};

}  // namespace tile_emulator

#endif
