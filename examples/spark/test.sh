#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Spark's answer on two cores is that of one process, byte for byte, and a command that fails fails the job.
#   examples/spark/test.sh VENV PROGRAM      (VENV: a Python environment with requirements.txt)
set -euo pipefail
cd "$(dirname "$0")/../.."
venv=$1 program=$(realpath "$2")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Masks of novels, among them lines that are no JSON, no object, without a mask, with a number of their own, and of
# characters that are ends of lines to others than JSON.
"$venv/bin/python" - >"$work/input.jsonl" <<'PYTHON'
import json
texts = open("tests/precision/held_out.txt", encoding="utf-8").read().splitlines()[:400]
lines = [json.dumps({"id": i, "text": text}, ensure_ascii=i % 2 == 0) for i, text in enumerate(texts)]
lines[7] = "no JSON"
lines[210] = '{"text": "no mask"}'
lines[250] = '{"text": "A [MASK].\u2028\u0085 And \u00e9."}'
lines[251] = '{"text":\r"A [MASK] barked."}\r'
lines[333] = "[1]"
lines[350] = '{"text": 1, "line": "own"}'
lines[399] = ""
print("\n".join(lines))
PYTHON

pipe() {
    PATH="$venv/bin:$PATH" spark-submit --master 'local[2]' --conf spark.ui.enabled=false \
        --conf spark.driver.bindAddress=127.0.0.1 --conf spark.driver.host=127.0.0.1 \
        examples/spark/pipe.py "$@" >"$work/log" 2>&1
}
command=("$program" fill-mask --model "$PWD/models/nystromformer-small-en" --top-k 2 --threads 1)

"${command[@]}" <"$work/input.jsonl" >"$work/expected.jsonl" || [ $? -eq 3 ]
pipe --partitions 5 "$work/input.jsonl" "$work/output" "${command[@]}" || { cat "$work/log"; exit 1; }
[ "$(find "$work/output" -name 'part-*' | wc -l)" -ge 5 ]
cat "$work"/output/part-* | cmp - "$work/expected.jsonl"
[ "$(grep -c '"error"' "$work/expected.jsonl")" -eq 5 ]

if pipe "$work/input.jsonl" "$work/none" "$program" fill-mask --model "$work/no-model"; then
    echo "A command that cannot start was taken for one that is done"
    exit 1
fi
[ ! -e "$work/none/_SUCCESS" ]
echo "400 lines by Spark on local[2] as by one process; a failure fails the job"
