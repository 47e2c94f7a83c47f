#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds the consumer project against the installed package (find_package) and against the sources
# (add_subdirectory), with GCC and with Clang, and runs it.
#   tests/package/run.sh BUILD_FOLDER [COMPILER...]
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
build=$(mkdir -p "$1" && cd "$1" && pwd)
shift
compilers=("$@")
[ ${#compilers[@]} -gt 0 ] || compilers=(g++ clang++)

cmake -G Ninja -S "$root" -B "$build/library" -DCMAKE_INSTALL_PREFIX="$build/prefix" \
    -DNYSTROMFORMER_BUILD_PROGRAMS=OFF -DNYSTROMFORMER_BUILD_TESTS=OFF >"$build/library.log"
cmake --install "$build/library" >>"$build/library.log"

for compiler in "${compilers[@]}"; do
    for way in find_package add_subdirectory; do
        folder="$build/$compiler-$way"
        rm -rf "$folder"
        if [ "$way" = find_package ]; then
            from=(-DCMAKE_PREFIX_PATH="$build/prefix")
        else
            from=(-DNYSTROMFORMER_SOURCE="$root")
        fi
        cmake -G Ninja -S "$root/tests/package/consumer" -B "$folder" -DCMAKE_BUILD_TYPE=Release \
            -DCMAKE_CXX_COMPILER="$compiler" "${from[@]}" >"$folder.log"
        cmake --build "$folder" >>"$folder.log" || { cat "$folder.log"; exit 1; }
        "$folder/consumer" "$root/models/nystromformer-small-en" >>"$folder.log" || { cat "$folder.log"; exit 1; }
        echo "consumer: $compiler with $way: good"
    done
done
