// SPDX-License-Identifier: MIT
#include "options/version_text.hpp"

#include <nystromformer/error.hpp>
#include <nystromformer/isa.hpp>
#include <nystromformer/version.hpp>

namespace command_line {

namespace {

std::string compiler() {
#if defined(__clang__)
    return "clang " __clang_version__;
#else
    return "g++ " __VERSION__;
#endif
}

/// The instruction set that runs, or why none does.
std::string active() {
    try {
        return std::string(nystromformer::name(nystromformer::active_isa()));
    } catch (const nystromformer::Error& error) {
        return error.what();
    }
}

}  // namespace

std::string version_text() {
    std::string text(nystromformer::version());
    text += " (commit " NYSTROMFORMER_COMMIT ", " + compiler() + "; runs on " + active() + " of";
    const char* separator = " ";
    for (const nystromformer::Isa isa : nystromformer::supported_isas()) {
        text += separator + std::string(nystromformer::name(isa));
        separator = ", ";
    }
    return text + ')';
}

}  // namespace command_line
