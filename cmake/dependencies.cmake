# SPDX-License-Identifier: MIT
# Eigen, nlohmann_json, and for our own programs and tests CLI11 and Catch2: the installed package
# where there is one, else a release archive of a fixed version and hash.
#
# Where the hashes are from: those of Eigen, nlohmann_json and Catch2 are what `sha256sum` says of the
# orig archives in Debian's signed source packages eigen3 3.4.0, nlohmann-json3 3.11.3 and catch2 3.7.1,
# which are the upstream archives unchanged. Debian repacks CLI11, so its hash is that of
# `git archive --format=tar --prefix=CLI11-2.5.0/ v2.5.0 | gzip -n` in a clone, which is how the archive
# at its address is made.
include(FetchContent)

# Fetches a header-only package without running its own build, and gives it an imported target:
# such a target needs no place in our export, and its headers are system headers.
function(nystromformer_fetch_headers name target folder)
    FetchContent_Declare(${name} ${ARGN} SOURCE_SUBDIR no-build-of-its-own DOWNLOAD_EXTRACT_TIMESTAMP FALSE)
    FetchContent_MakeAvailable(${name})
    FetchContent_GetProperties(${name} SOURCE_DIR source)
    add_library(${target} INTERFACE IMPORTED GLOBAL)
    target_include_directories(${target} SYSTEM INTERFACE "${source}/${folder}")
endfunction()

find_package(Threads REQUIRED)

# Eigen's version file accepts only its own major version, so both are asked for.
if(NOT TARGET Eigen3::Eigen)
    find_package(Eigen3 3.4 QUIET CONFIG)
endif()
if(NOT TARGET Eigen3::Eigen)
    find_package(Eigen3 5.0 QUIET CONFIG)
endif()
if(NOT TARGET Eigen3::Eigen)
    nystromformer_fetch_headers(eigen Eigen3::Eigen .
        URL https://gitlab.com/libeigen/eigen/-/archive/3.4.0/eigen-3.4.0.tar.bz2
        URL_HASH SHA256=b4c198460eba6f28d34894e3a5710998818515104d6e74e5cc331ce31e46e626)
endif()

if(NOT TARGET nlohmann_json::nlohmann_json)
    find_package(nlohmann_json 3.10.5 QUIET CONFIG)
endif()
if(NOT TARGET nlohmann_json::nlohmann_json)
    nystromformer_fetch_headers(nlohmann_json nlohmann_json::nlohmann_json include
        URL https://github.com/nlohmann/json/archive/refs/tags/v3.11.3.tar.gz
        URL_HASH SHA256=0d8ef5af7f9794e3263480193c491549b2ba6cc74bb018906202ada498a79406)
endif()

if((NYSTROMFORMER_BUILD_PROGRAMS OR NYSTROMFORMER_BUILD_FUZZERS) AND NOT TARGET CLI11::CLI11)
    find_package(CLI11 2.1 QUIET CONFIG)
    if(NOT TARGET CLI11::CLI11)
        nystromformer_fetch_headers(cli11 CLI11::CLI11 include
            URL https://github.com/CLIUtils/CLI11/archive/refs/tags/v2.5.0.tar.gz
            URL_HASH SHA256=17e02b4cddc2fa348e5dbdbb582c59a3486fa2b2433e70a0c3bacb871334fd55)
    endif()
endif()

if(NYSTROMFORMER_BUILD_TESTS AND NOT TARGET Catch2::Catch2)
    find_package(Catch2 3 QUIET CONFIG)
    if(NOT TARGET Catch2::Catch2)
        find_package(Catch2 2.13 QUIET CONFIG)
    endif()
    if(NOT TARGET Catch2::Catch2)
        FetchContent_Declare(Catch2
            URL https://github.com/catchorg/Catch2/archive/refs/tags/v3.7.1.tar.gz
            URL_HASH SHA256=c991b247a1a0d7bb9c39aa35faf0fe9e19764213f28ffba3109388e62ee0269c
            DOWNLOAD_EXTRACT_TIMESTAMP FALSE)
        FetchContent_MakeAvailable(Catch2)
        list(APPEND CMAKE_MODULE_PATH "${catch2_SOURCE_DIR}/extras")
    endif()
endif()
