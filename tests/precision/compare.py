# SPDX-License-Identifier: MIT
"""How often fill-mask on the bundled model gives the same first word in bf16 and int8 as in fp32, on the 2,000 masks of
held_out.txt. Fails below what the README promises. Usage: compare.py PROGRAM MODEL_DIR"""
import json
import pathlib
import subprocess
import sys

LEAST = {"bf16": 0.995, "int8": 0.98}


def first_words(program, model, precision, lines):
    command = [program, "fill-mask", "--model", model, "--precision", precision, "--top-k", "1", "--json"]
    run = subprocess.run(command, input=lines, stdout=subprocess.PIPE, check=True)
    return [json.loads(line)["output"][0]["token"] for line in run.stdout.decode().splitlines()]


def main():
    program, model = sys.argv[1:]
    texts = (pathlib.Path(__file__).parent / "held_out.txt").read_text(encoding="utf-8").splitlines()
    lines = "".join(json.dumps({"text": text}) + "\n" for text in texts).encode()
    exact = first_words(program, model, "fp32", lines)
    assert len(exact) == len(texts) == 2000
    good = True
    for precision, least in LEAST.items():
        words = first_words(program, model, precision, lines)
        equal = sum(a == b for a, b in zip(exact, words, strict=True))
        print(f"{precision}: {equal} of {len(texts)} first words equal, {equal / len(texts):.2%}")
        good = good and equal >= least * len(texts)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
