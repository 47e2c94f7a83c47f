#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds the command line without shared libraries, so that it runs on any Linux of its CPU, and installs it with its
# manual page and completions to build/static-CPU/install.
#   tools/static_program.sh [x86_64|aarch64] [CMAKE_OPTION...]     this machine's CPU by default
# Another CPU than this machine's is aarch64 by Debian's cross compiler.
set -euo pipefail
cd "$(dirname "$0")/.."

cpu=${1:-$(uname -m)}
build=build/static-$cpu
options=("${@:2}")
packages=(cmake ninja-build libeigen3-dev nlohmann-json3-dev libcli11-dev)
case "$cpu" in
    "$(uname -m)") packages+=(g++) ;;
    aarch64)
        packages+=(g++-aarch64-linux-gnu qemu-user)
        options+=(--toolchain cmake/aarch64-linux-gnu.cmake) ;;
    *) echo "$0: this machine builds for $(uname -m) and aarch64, not for $cpu" >&2; exit 2 ;;
esac

tools/install_packages.sh "${packages[@]}"
cmake --preset static -B "$build" "${options[@]}"
cmake --build "$build" --target nystromformer_program
rm -rf "$build/install"
for component in program models; do
    cmake --install "$build" --prefix "$build/install" --strip --component "nystromformer_$component"
done
ls -l "$build/install/bin/nystromformer"
