#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Loaders, tokenizer and a small model on every compiler, standard library and version of a dependency that is
# here or on PyPI: optimised or not, with and without NDEBUG and RTTI, on 32 bits, big-endian under qemu, on Windows
# under Wine, as WebAssembly under Node, and compiled, but not run, for macOS.
#   tests/platforms/matrix.sh [--all] [NAME...]   the names that are given, else a short list, or all of them
# What a name needs (a compiler, a package) is looked for; the output names each variant that is left out.
set -uo pipefail
cd "$(dirname "$0")/../.."
out=build/matrix
mkdir -p "$out"
warnings="-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror"
eigen=/usr/include/eigen3 json="" threads=-pthread suffix=""

# A header package from PyPI, unpacked: wheel NAME VERSION
wheel() {
    local folder="$out/$1-$2"
    if [ ! -e "$folder/complete" ]; then
        rm -rf "$folder" && mkdir -p "$folder" &&
            python3 -m pip download --quiet --no-deps --dest "$folder" "$1==$2" &&
            python3 -m zipfile -e "$folder"/*.whl "$folder" && touch "$folder/complete"
    fi >/dev/null 2>&1
    [ -e "$folder/complete" ] && echo "$folder"
}

newest_clang() {
    local version
    for version in 21 20 19 18 17 16 15 14; do
        command -v "clang++-$version" && return
    done
    command -v clang++
}

# variant NAME "PROGRAMS" "RUNNER" COMPILER FLAGS...
variant() {
    local name=$1 programs=$2 runner=$3 compiler=$4 program start=$SECONDS
    shift 4
    if ! command -v "${compiler%% *}" >/dev/null; then
        echo "   $name: left out, no $compiler"
        return
    fi
    for program in $programs; do
        if ! { "$compiler" -std=c++20 $warnings "$@" -Iinclude $json -isystem "$eigen" "tests/platforms/matrix/$program.cpp" \
            -o "$out/$name-$program$suffix" $threads && $runner "$out/$name-$program$suffix" tests; } >"$out/$name.log" 2>&1; then
            echo "   $name: $program FAILED, see $out/$name.log"
            tail -n 20 "$out/$name.log"
            return
        fi
    done
    echo "   $name: good, $((SECONDS - start)) s, $(tail -n 2 "$out/$name.log" | head -n 1)"
}

both="loaders model"
clang=$(newest_clang)
# Clang 17 and newer find a deprecated function in what GCC 12's library makes of std::stable_sort.
old_library=-Wno-deprecated-declarations
# Debian's MinGW-w64 for Windows, run by Wine; Clang takes its libraries, too.
mingw=x86_64-w64-mingw32
mingw_clang() {
    local library
    library=$(dirname "$($mingw-g++-posix -print-libgcc-file-name)")
    clang++ --target=$mingw -nostdinc++ -isystem "$library/include/c++" -isystem "$library/include/c++/$mingw" \
        -L"$library" "$@"
}
{ command -v clang++ && command -v $mingw-g++-posix; } >/dev/null || unset -f mingw_clang
wine="env WINEDEBUG=-all LC_ALL=C.UTF-8 wine"
host="-idirafter /usr/include"
# PyPI's ziglang compiles for macOS.
zig() { python3 -m ziglang c++ "$@"; }
python3 -c "import ziglang" 2>/dev/null || unset -f zig

declare -A what=(
    [gcc-O0]="variant gcc-O0 '$both' '' g++ -O0"
    [gcc-O2-NDEBUG]="variant gcc-O2-NDEBUG '$both' '' g++ -O2 -DNDEBUG"
    [gcc-O3]="variant gcc-O3 '$both' '' g++ -O3"
    [gcc-no-rtti]="variant gcc-no-rtti '$both' '' g++ -O1 -fno-rtti"
    [gcc-c++23]="variant gcc-c++23 '$both' '' g++ -O1 -std=c++23"
    [clang-O0]="variant clang-O0 '$both' '' $clang -O0 $old_library"
    [clang-O2-NDEBUG-no-rtti]="variant clang-O2-NDEBUG-no-rtti '$both' '' $clang -O2 -DNDEBUG -fno-rtti $old_library"
    [clang-O3]="variant clang-O3 '$both' '' $clang -O3 $old_library"
    [clang-libc++]="variant clang-libc++ '$both' '' $clang -O1 -stdlib=libc++"
    [dependencies]="dependencies"
    [32-bit]="variant 32-bit loaders '' g++ -m32 -msse2 -O1 -I/usr/include/x86_64-linux-gnu -D_FILE_OFFSET_BITS=64"
    [big-endian]="variant big-endian loaders 'qemu-s390x -L /usr/s390x-linux-gnu' s390x-linux-gnu-g++ -O1 -idirafter /usr/include"
    [windows-gcc]="suffix=.exe; variant windows-gcc '$both' '$wine' $mingw-g++-posix -O1 -static $host"
    [windows-clang]="suffix=.exe; variant windows-clang '$both' '$wine' mingw_clang -O1 -static $host"
    [macos-arm64]="variant macos-arm64 '$both' true zig -O1 -target aarch64-macos $host"
    # Eigen::Index has 32 bits there. Emscripten 3.1.6 would ask the fetch of Node 18 for its own file.
    [wasm]="threads=; variant wasm '$both' 'node --no-experimental-fetch' em++ -O1 -Wno-shorten-64-to-32 -msimd128 -fwasm-exceptions -sNODERAWFS=1 -sALLOW_MEMORY_GROWTH=1 $host"
)
order="gcc-O0 gcc-O2-NDEBUG gcc-O3 gcc-no-rtti gcc-c++23 clang-O0 clang-O2-NDEBUG-no-rtti clang-O3 clang-libc++ dependencies 32-bit big-endian windows-gcc windows-clang wasm macos-arm64"

# The oldest and the newest Eigen 3.4 and nlohmann_json.
dependencies() {
    local pair eigen_wheel json_wheel
    for pair in "3.4.0 3.12.0" "3.4.1 3.11.2"; do
        eigen_wheel=$(wheel cmeel-eigen "${pair% *}") && json_wheel=$(wheel nlohmann-json "${pair#* }")
        if [ -z "${eigen_wheel:-}" ] || [ -z "${json_wheel:-}" ]; then
            echo "   Eigen and nlohmann_json $pair: left out, not on PyPI here"
            continue
        fi
        eigen="$eigen_wheel/cmeel.prefix/include/eigen3" json="-isystem $json_wheel/nlohmann_json/include" \
            variant "eigen-${pair% *}-json-${pair#* }" "$both" "" g++ -O1
        eigen=/usr/include/eigen3 json="" threads=-pthread
    done
}

names="gcc-O0 clang-O2-NDEBUG-no-rtti 32-bit big-endian"
[ "${1:-}" = --all ] && { names=$order; shift; }
told="$out/told"
: >"$told"
for name in ${*:-$names}; do
    [ -n "${what[$name]:-}" ] || { echo "no variant $name"; exit 2; }
    (eval "${what[$name]}") | tee -a "$told" &
    while [ "$(jobs -pr | wc -l)" -ge "$(nproc)" ]; do wait -n; done
done
wait
count() { grep -c "^   $1" "$told"; }
good=$(count '[^ ]*: good') failed=$(count '[^ ]*: [a-z]* FAILED, see') left_out=$(count '.*: left out')
echo "$good good, $failed failed, $left_out left out"
[ "$good" -gt 0 ] && [ "$failed" -eq 0 ]
