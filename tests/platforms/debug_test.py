#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that GCC optimizes the kernels of a Debug build that takes the headers alone.

    python3 tests/platforms/debug_test.py GCC [FLAG...]

Kernels that are not optimized take 13 times as long and 2.5 times as much code, and code can be counted.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCE = """
#include <nystromformer/kernels/targets.hpp>
namespace d = nystromformer::detail;
auto floats() { return d::float_kernels<float>(); }
auto rows() { return d::row_kernels(); }
auto bfloats() { return d::bfloat_kernels(); }
auto bytes() { return d::byte_kernels(); }
"""


def bytes_of_code(compiler, flags):
    with tempfile.TemporaryDirectory() as folder:
        command = [compiler, "-std=c++20", f"-I{ROOT}/include", *flags, "-x", "c++", "-", "-c", "-o", f"{folder}/k.o"]
        subprocess.run(command, input=SOURCE, text=True, check=True)
        listing = subprocess.run(["size", "-A", f"{folder}/k.o"], text=True, check=True, capture_output=True).stdout
    return sum(int(size) for size in re.findall(r"^\.text\S* +(\d+)", listing, re.MULTILINE))


def main():
    compiler, *flags = sys.argv[1:]
    debug, optimized = (bytes_of_code(compiler, [*flags, level]) for level in ("-O0", "-O2"))
    print(f"kernels: {debug} bytes of code by -O0, {optimized} by -O2")
    assert optimized > 10_000 and debug < 1.5 * optimized


if __name__ == "__main__":
    main()
