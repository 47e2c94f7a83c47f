#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# How much of the headers the tests reach: lines and branches for each folder of include/nystromformer, as
# Clang counts them, and the lines that nothing runs in the folders named.
#   tests/coverage.sh [FOLDER...]      for example checkpoint tokenizer: also their lines that are not reached
# NYSTROMFORMER_COVERAGE_TESTS chooses tests, in Catch2's words (all by default), for example
# "[#checkpoint_test],[#tokenizer_test]".
set -euo pipefail
cd "$(dirname "$0")/.."

build=build/coverage
cmake --preset dev -B $build -DCMAKE_CXX_COMPILER=clang++ -DNYSTROMFORMER_BUILD_PROGRAMS=OFF \
    -DCMAKE_CXX_FLAGS="-fprofile-instr-generate -fcoverage-mapping" -DCMAKE_CXX_FLAGS_DEBUG=-O0 >/dev/null
cmake --build $build --target nystromformer_tests -j 2
LLVM_PROFILE_FILE=$build/tests.profraw $build/bin/nystromformer_tests --filenames-as-tags \
    "${NYSTROMFORMER_COVERAGE_TESTS:-*}" | tail -n 3
llvm-profdata merge -sparse $build/tests.profraw -o $build/tests.profdata
llvm-cov export -format=text -instr-profile=$build/tests.profdata $build/bin/nystromformer_tests \
    include/nystromformer >$build/coverage.json
python3 - "$build/coverage.json" "$@" <<'PYTHON'
import collections
import json
import pathlib
import sys

totals = collections.defaultdict(lambda: [0, 0, 0, 0])
for file in json.load(open(sys.argv[1]))["data"][0]["files"]:
    path = pathlib.Path(file["filename"])
    place = str(path).split("include/nystromformer/")[-1].split("/")[0]
    summary = file["summary"]
    for i, (kind, field) in enumerate((k, f) for k in ("lines", "branches") for f in ("covered", "count")):
        totals[place][i] += summary[kind][field]
    if place not in sys.argv[2:]:
        continue
    # A segment: line, column, count, has a count, is the start of a region.
    missed = sorted({line for line, _, count, counted, entry, *_ in file["segments"] if counted and entry and not count})
    source = path.read_text().splitlines()
    for line in missed:
        print(f"{'/'.join(path.parts[-2:])}:{line}: {source[line - 1].strip()}")
for place, (lines, all_lines, branches, all_branches) in sorted(totals.items()):
    print(f"{place:12} {lines / max(all_lines, 1):7.2%} of {all_lines:6} lines "
          f"{branches / max(all_branches, 1):7.2%} of {all_branches:6} branches")
PYTHON
