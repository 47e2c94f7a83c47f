#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The README's second command: installs what is missing, builds, and runs all tests.
#   tools/run_tests.sh [PRESET]     dev (the default) or asan
set -euo pipefail
cd "$(dirname "$0")/.."

tools/install_packages.sh g++ cmake ninja-build libeigen3-dev nlohmann-json3-dev libcli11-dev catch2 python3
cmake --workflow --preset "${1:-dev}"
