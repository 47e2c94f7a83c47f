# SPDX-License-Identifier: MIT
# Toolchain file: builds for WebAssembly with Debian's Emscripten, whose programs Node runs.
# Packages: emscripten, node-acorn (its optimiser needs it and does not find it by itself).
set(ENV{NODE_PATH} /usr/share/nodejs)
include(/usr/share/emscripten/cmake/Modules/Platform/Emscripten.cmake)
# 128-bit vectors, and exceptions by WebAssembly's own instructions: Chrome 95, Firefox 100, Safari 16.4.
set(CMAKE_CXX_FLAGS_INIT "-msimd128 -fwasm-exceptions")
set(CMAKE_EXE_LINKER_FLAGS_INIT "-msimd128 -fwasm-exceptions")
set(CMAKE_PROJECT_nystromformer_INCLUDE "${CMAKE_CURRENT_LIST_DIR}/host_headers.cmake")
