#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# How much of the headers the tests reach: lines and branches for each folder of include/nystromformer, as
# Clang counts them, in docs/coverage.md; and what nothing reaches in the folders named.
#   tests/robustness/coverage.sh [FOLDER...]      for example checkpoint tokenizer: also their lines and branches not reached
# Clang counts each instance of a template apart. Here they are one: a line, and each side of a branch, counts as
# reached where any instance reaches it. Templates that no test uses at all are not counted.
# NYSTROMFORMER_COVERAGE_TESTS chooses tests, in Catch2's words (all by default), for example
# "[#checkpoint_test],[#tokenizer_test]"; the table is then printed, not written.
set -euo pipefail
cd "$(dirname "$0")/../.."

build=build/coverage
cmake --preset dev -B $build -DCMAKE_CXX_COMPILER=clang++ -DNYSTROMFORMER_BUILD_PROGRAMS=OFF \
    -DCMAKE_CXX_FLAGS="-fprofile-instr-generate -fcoverage-mapping" -DCMAKE_CXX_FLAGS_DEBUG=-O1 >/dev/null
cmake --build $build --target nystromformer_tests -j 2
LLVM_PROFILE_FILE=$build/tests.profraw $build/bin/nystromformer_tests --filenames-as-tags \
    "${NYSTROMFORMER_COVERAGE_TESTS:-~[.]}" | tail -n 3
# Of the same version as the compiler, which writes what they read.
"$(clang++ -print-prog-name=llvm-profdata)" merge -sparse $build/tests.profraw -o $build/tests.profdata
"$(clang++ -print-prog-name=llvm-cov)" export -format=text -skip-functions -instr-profile=$build/tests.profdata \
    $build/bin/nystromformer_tests >$build/coverage.json
table=docs/coverage.md
[ -n "${NYSTROMFORMER_COVERAGE_TESTS:-}" ] && table=
python3 tests/robustness/coverage.py $build/coverage.json "$table" "$@"
