#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds the consumer project in every way that a user may, and runs it: header-only and compiled, from an installed
# package, from the sources, by pkg-config.
#   tests/package/run.sh BUILD_FOLDER [COMPILER...]
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
build=$(mkdir -p "$1" && cd "$1" && pwd)
shift
compilers=("$@")
[ ${#compilers[@]} -gt 0 ] || compilers=(g++ clang++)
model=$root/models/nystromformer-small-en
# The library is the same in every way, so a cache compiles it once.
cache=$(command -v ccache || true)

# Installs the library to $build/NAME: install_library NAME [CMAKE_OPTION...]
install_library() {
    local name=$1
    shift
    cmake -G Ninja -S "$root" -B "$build/library-$name" -DCMAKE_INSTALL_PREFIX="$build/$name" \
        -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_COMPILER_LAUNCHER="$cache" -DNYSTROMFORMER_BUILD_PROGRAMS=OFF -DNYSTROMFORMER_BUILD_TESTS=OFF "$@" &&
        cmake --build "$build/library-$name" && cmake --install "$build/library-$name"
}

# Builds and runs the consumer: consume NAME COMPILER CMAKE_OPTION...
consume() {
    local folder="$build/$2-$1" name=$1 compiler=$2
    shift 2
    rm -rf "$folder"
    { cmake -G Ninja -S "$root/tests/package/consumer" -B "$folder" -DCMAKE_BUILD_TYPE=Release \
        -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_CXX_COMPILER_LAUNCHER="$cache" "$@" && cmake --build "$folder" &&
        "$folder/consumer" "$model"; } >"$folder.log" 2>&1 || { cat "$folder.log"; exit 1; }
    echo "consumer: $compiler, $name: good"
}

# The headers as README says.
install_headers() {
    rm -rf "$build/library-headers"
    (cd "$root" && cmake --preset headers -B "$build/library-headers" -DCMAKE_INSTALL_PREFIX="$build/headers") &&
        cmake --install "$build/library-headers"
}

{ install_headers && install_library static -DNYSTROMFORMER_INSTALL_COMPILED=ON &&
    install_library shared -DNYSTROMFORMER_INSTALL_COMPILED=ON -DBUILD_SHARED_LIBS=ON; } \
    >"$build/library.log" 2>&1 || { cat "$build/library.log"; exit 1; }

for compiler in "${compilers[@]}"; do
    consume find_package "$compiler" -DCMAKE_PREFIX_PATH="$build/headers"
    consume compiled-find_package "$compiler" -DCMAKE_PREFIX_PATH="$build/static" -DCONSUMER_COMPILED=ON
    consume compiled-shared "$compiler" -DCMAKE_PREFIX_PATH="$build/shared" -DCONSUMER_COMPILED=ON
done
# What does not depend on the compiler, once.
compiler=${compilers[0]}
consume compiled-add_subdirectory "$compiler" -DNYSTROMFORMER_SOURCE="$root" -DCONSUMER_COMPILED=ON
consume mixed "$compiler" -DCMAKE_PREFIX_PATH="$build/static" -DCONSUMER_COMPILED=MIXED

# pkg-config, without CMake.
lib=$(dirname "$(find "$build/static" -name libnystromformer.a)")
export PKG_CONFIG_PATH="$lib/pkgconfig"
read -ra flags < <(pkg-config --cflags --libs nystromformer-compiled)
"$compiler" -std=c++20 -O2 "$root"/tests/package/consumer/{main,second}.cpp "${flags[@]}" -o "$build/by-pkg-config"
"$build/by-pkg-config" "$model" >/dev/null
echo "consumer: $compiler, pkg-config: good"
