#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs those of the named Debian packages that are missing, as root or with sudo. Without apt it
# prints what is needed and continues: CMake fetches the libraries that it does not find.
set -euo pipefail

if ! command -v apt-get >/dev/null; then
    echo "No apt-get here. Needed: a C++20 compiler, CMake 3.25 or newer and Ninja." \
         "Libraries that are not installed are fetched by CMake." >&2
    exit 0
fi

missing=()
for package in "$@"; do
    # A program on the PATH, such as a newer CMake, replaces the package of its name.
    case "$package" in
        cmake | g++ | clang) command -v "$package" >/dev/null && continue ;;
        ninja-build) command -v ninja >/dev/null && continue ;;
    esac
    dpkg-query --show --showformat='${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^ii' ||
        missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "Missing packages: ${missing[*]}. Install them as root, or run this as root." >&2
        exit 1
    fi
    as_root=(sudo)
fi
echo "Installing ${missing[*]}" >&2
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
