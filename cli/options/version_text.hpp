// SPDX-License-Identifier: MIT
// What --version prints: version, commit, compiler, instruction sets.
#pragma once

#include <string>

namespace command_line {

/// "0.2.0 (commit 1a2b3c4, g++ 12.2.0; avx2 of portable, avx2, avx512)".
std::string version_text();

}  // namespace command_line
