#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds the fuzz targets, replays their corpora and fuzzes, two targets at a time.
#   tests/fuzz/run.sh [SECONDS] [TARGET...]     30 seconds each; 0 replays alone; without a name: all
#   tests/fuzz/run.sh --runs N [TARGET...]      N executions each
#   tests/fuzz/run.sh --totals                  of all runs with this build folder, as a table for docs/fuzzing.md
# What is found goes to build/fuzz/findings, what the fuzzer learns to build/fuzz/corpus. To run one again:
#   build/fuzz/bin/fuzz_PROGRAM --target=TARGET FILE
# The last lines are a table: target, executions, executions a second, edges and features covered. Options of
# ASAN_OPTIONS are added to those here. With NYSTROMFORMER_FUZZ_PROGRAMS, a folder, nothing is built: its programs run.
set -uo pipefail
cd "$(dirname "$0")/../.."
record=build/fuzz/record.tsv # a line a run: target, executions, seconds, edges, features, 1 for a finding

program_of() {
    case "$1" in
        safetensors | shard_index | torch_archive | pickle | config) echo fuzz_files ;;
        encode | decode | tokenizer_json | built_tokenizer | charsmap | spiece) echo fuzz_tokenizers ;;
        forward) echo fuzz_model ;;
        json_line | text_file) echo fuzz_lines ;;
        *) echo "no target $1" >&2 && return 1 ;;
    esac
}

# As long as the longest that tells something new: every byte more is time.
length_of() {
    case "$1" in
        decode | encode) echo 256 ;;
        built_tokenizer | json_line | text_file) echo 512 ;;
        config | forward | shard_index) echo 1024 ;;
        torch_archive) echo 4096 ;;
        *) echo 2048 ;;
    esac
}

if [ "${1:-}" = --totals ]; then
    echo "| target | executions | a second | edges | features | runs with a finding |"
    echo "|---|---:|---:|---:|---:|---:|"
    exec awk -F'\t' '{ n[$1] += $2; s[$1] += $3; if ($4 > e[$1]) e[$1] = $4; if ($5 > f[$1]) f[$1] = $5; bad[$1] += $6 }
        END { for (t in n) printf "| %s | %d | %d | %d | %d | %d |\n", t, n[t], n[t] / (s[t] > 0 ? s[t] : 1), e[t], f[t],
              bad[t] | "sort" }' "$record"
fi
limit=-max_total_time=${1:-30}
[ "${1:-30}" = 0 ] && limit=-runs=0
[ "${1:-}" = --runs ] && limit=-runs=$2 && shift
shift
targets=("$@")
[ ${#targets[@]} -eq 0 ] && targets=(forward tokenizer_json built_tokenizer safetensors shard_index torch_archive pickle
    config charsmap spiece encode decode json_line text_file)
programs=${NYSTROMFORMER_FUZZ_PROGRAMS:-build/fuzz/bin}
if [ -z "${NYSTROMFORMER_FUZZ_PROGRAMS:-}" ]; then
    cmake --preset fuzz >/dev/null && cmake --build --preset fuzz -j 2 || exit
fi

# CPU time detects a hang; the time-out, by the clock, is for one that never ends.
# A finding is every crash, sanitizer report, leak, other exception, more than a second of CPU, more than
# 512 MB. The quarantine of freed memory is made small so that it does not count; stacks of allocations are cut
# and pages kept for speed, as is libFuzzer's entropic scheduling off, which took a third of the time.
asan=quarantine_size_mb=16:allocator_may_return_null=0:detect_stack_use_after_return=1
export ASAN_OPTIONS=$asan:malloc_context_size=4:allocator_release_to_os_interval_ms=-1:${ASAN_OPTIONS:-}
export UBSAN_OPTIONS=print_stacktrace=1
mkdir -p build/fuzz/findings build/fuzz/logs
python3 tests/fuzz/make_corpus.py build/fuzz/seeds || exit

stat_of() { sed -n "s/^stat::$1: *//p" "$2" | grep . || echo 0; }

fuzz() {
    local target=$1 program corpus=build/fuzz/seeds found=tests/fuzz/found/$1 log=build/fuzz/logs/$1.log options start=$SECONDS failed=0
    program=$(program_of "$target") || return
    options=(--target="$target" -max_len="$(length_of "$target")" -timeout=900 -rss_limit_mb=512 -reload=0
        -entropic=0 -print_final_stats=1 -artifact_prefix="build/fuzz/findings/$target-" "$limit")
    [ -e "$corpus/$target.dict" ] && options+=(-dict="$corpus/$target.dict")
    mkdir -p "build/fuzz/corpus/$target"
    local folders=("build/fuzz/corpus/$target" "$corpus/$target")
    [ -d "$found" ] && folders+=("$found")
    "$programs/$program" "${options[@]}" "${folders[@]}" >"$log" 2>&1 ||
        [ $? -eq 72 ] || failed=1 # 72: ended by hand (SIGINT), which is no finding
    printf '%s\t%s\t%s\t%s\t%s\n' "$target" "$(stat_of number_of_executed_units "$log")" "$((SECONDS - start))" \
        "$(grep -oE 'cov: [0-9]+ ft: [0-9]+' "$log" | tail -n 1 | awk '{ print $2 "\t" $4 }')" "$failed" >>"$record"
    [ "$failed" -eq 0 ] && return
    grep -E "^FINDING|ERROR|runtime error|SUMMARY|Test unit written" "$log"
    echo "$target: a finding, see $log"
    return 1
}
export limit programs record
export -f fuzz program_of length_of stat_of
printf '%s\n' "${targets[@]}" | xargs -P 2 -I{} bash -c 'fuzz {}'
failed=$?

for target in "${targets[@]}"; do
    log=build/fuzz/logs/$target.log
    cover=$(grep -oE 'cov: [0-9]+ ft: [0-9]+' "$log" | tail -n 1)
    printf '%-16s %12s executions %8s a second  %s\n' "$target" "$(stat_of number_of_executed_units "$log")" \
        "$(stat_of average_exec_per_sec "$log")" "$cover"
done
exit "$failed"
