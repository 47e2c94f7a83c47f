#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The README's first command: installs what is missing, builds, and fills the mask of a sentence.
#   tools/first_run.sh [TEXT]
set -euo pipefail
cd "$(dirname "$0")/.."

tools/install_packages.sh g++ cmake ninja-build libeigen3-dev nlohmann-json3-dev libcli11-dev
cmake --preset release
cmake --build --preset release --target nystromformer_program
echo
build/release/bin/nystromformer fill-mask --model models/nystromformer-small-en \
    "${1:-She opened the [MASK] and walked into the garden.}"
