#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds the fuzz targets, replays their corpora and fuzzes, two targets at a time.
#   tests/fuzz/run.sh [SECONDS] [TARGET...]     30 seconds each; 0 replays alone; without a name: all
# What is found goes to build/fuzz/findings, what the fuzzer learns to build/fuzz/corpus. To run one again:
#   build/fuzz/bin/fuzz_PROGRAM --target=TARGET FILE
# The last lines are a table: target, executions, executions a second, edges and features covered.
set -uo pipefail
cd "$(dirname "$0")/../.."

program_of() {
    case "$1" in
        safetensors | shard_index | torch_archive | pickle | config) echo fuzz_files ;;
        encode | decode | tokenizer_json | charsmap | spiece) echo fuzz_tokenizers ;;
        forward) echo fuzz_model ;;
        json_line | text_file) echo fuzz_lines ;;
        *) echo "no target $1" >&2 && return 1 ;;
    esac
}

seconds=${1:-30}
shift
targets=("$@")
[ ${#targets[@]} -eq 0 ] && targets=(forward tokenizer_json safetensors shard_index torch_archive pickle
    config charsmap spiece encode decode json_line text_file)
cmake --preset fuzz >/dev/null && cmake --build --preset fuzz -j 2 || exit

# A hang is told by CPU time; the time-out, by the clock, is for one that never ends.
# A finding is every crash, sanitizer report, leak, other exception, more than a second of CPU, more than
# 512 MB. The quarantine of freed memory is made small so that it does not count.
export ASAN_OPTIONS=quarantine_size_mb=16:allocator_may_return_null=0:detect_stack_use_after_return=1
export UBSAN_OPTIONS=print_stacktrace=1
mkdir -p build/fuzz/findings build/fuzz/logs

fuzz() {
    local target=$1 program corpus=tests/fuzz/corpus options
    program=$(program_of "$target") || return
    options=(--target="$target" -max_len=4096 -timeout=900 -rss_limit_mb=512 -reload=0 -print_final_stats=1
        -artifact_prefix="build/fuzz/findings/$target-")
    [ -e "$corpus/$target.dict" ] && options+=(-dict="$corpus/$target.dict")
    if [ "$seconds" -eq 0 ]; then options+=(-runs=0); else options+=(-max_total_time="$seconds"); fi
    mkdir -p "build/fuzz/corpus/$target"
    "build/fuzz/bin/$program" "${options[@]}" "build/fuzz/corpus/$target" "$corpus/$target" \
        >"build/fuzz/logs/$target.log" 2>&1 && return
    grep -E "^FINDING|ERROR|runtime error|SUMMARY|Test unit written" "build/fuzz/logs/$target.log"
    echo "$target: a finding, see build/fuzz/logs/$target.log"
    return 1
}
export seconds
export -f fuzz program_of
printf '%s\n' "${targets[@]}" | xargs -P 2 -I{} bash -c 'fuzz {}'
failed=$?

for target in "${targets[@]}"; do
    log=build/fuzz/logs/$target.log
    cover=$(grep -oE 'cov: [0-9]+ ft: [0-9]+' "$log" | tail -n 1)
    printf '%-16s %12s executions %8s a second  %s\n' "$target" \
        "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" \
        "$(sed -n 's/^stat::average_exec_per_sec: *//p' "$log")" "$cover"
done
exit "$failed"
