# SPDX-License-Identifier: MIT
# Toolchain file: builds for 64-bit Windows with Debian's MinGW-w64, and runs what it built under Wine.
# Packages: g++-mingw-w64-x86-64-posix, wine64. With -DNYSTROMFORMER_MINGW_COMPILER=clang++, Clang compiles for
# MinGW's libraries.
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(NYSTROMFORMER_MINGW_COMPILER x86_64-w64-mingw32-g++-posix CACHE STRING "The compiler for Windows")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES NYSTROMFORMER_MINGW_COMPILER)
set(CMAKE_CXX_COMPILER "${NYSTROMFORMER_MINGW_COMPILER}")
if(NYSTROMFORMER_MINGW_COMPILER MATCHES "clang")
    set(CMAKE_CXX_COMPILER_TARGET x86_64-w64-mingw32)
endif()
set(CMAKE_RC_COMPILER x86_64-w64-mingw32-windres)
# A program needs none of MinGW's DLLs beside it.
set(CMAKE_EXE_LINKER_FLAGS_INIT -static)
find_program(wine NAMES wine64 wine PATHS /usr/lib/wine)
set(CMAKE_CROSSCOMPILING_EMULATOR "${wine}")

# Nothing of the build machine is found by itself: its header-only packages are named one by one.
set(CMAKE_FIND_ROOT_PATH /usr/x86_64-w64-mingw32)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_PROJECT_nystromformer_INCLUDE "${CMAKE_CURRENT_LIST_DIR}/host_headers.cmake")
