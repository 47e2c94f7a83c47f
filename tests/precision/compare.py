# SPDX-License-Identifier: MIT
"""How often fill-mask on the bundled model gives the same first word in bf16 and int8 as in fp32, on the 2,000 masks of
held_out.txt, and the cosine of the last hidden states of every tenth text to those of fp32. Fails below what the README
promises. Usage: compare.py PROGRAM MODEL_DIR"""
import itertools
import json
import math
import operator
import pathlib
import subprocess
import sys

LEAST = {"bf16": 0.995, "int8": 0.98}
LEAST_COSINE = 0.999


def answers(program, command, model, precision, lines, *options):
    command = [program, command, "--model", model, "--precision", precision, "--json", *options]
    run = subprocess.run(command, input="".join(lines).encode(), stdout=subprocess.PIPE, check=True)
    return [json.loads(line)["output"] for line in run.stdout.decode().splitlines()]


def first_words(program, model, precision, lines):
    return [answer[0]["token"] for answer in answers(program, "fill-mask", model, precision, lines, "--top-k", "1")]


def hidden_states(program, model, precision, lines):
    """The numbers of each text, one list."""
    return [list(itertools.chain(*tokens)) for tokens, in answers(program, "features", model, precision, lines)]


def cosine(a, b):
    return product(a, b) / math.sqrt(product(a, a) * product(b, b))


def product(a, b):
    return sum(map(operator.mul, a, b))


def main():
    program, model = sys.argv[1:]
    texts = (pathlib.Path(__file__).parent / "held_out.txt").read_text(encoding="utf-8").splitlines()
    lines = [json.dumps({"text": text}) + "\n" for text in texts]
    exact = first_words(program, model, "fp32", lines)
    assert len(exact) == len(texts) == 2000
    exact_states = hidden_states(program, model, "fp32", lines[::10])
    good = True
    for precision, least in LEAST.items():
        words = first_words(program, model, precision, lines)
        equal = sum(a == b for a, b in zip(exact, words, strict=True))
        states = hidden_states(program, model, precision, lines[::10])
        lowest = min(cosine(a, b) for a, b in zip(exact_states, states, strict=True))
        print(f"{precision}: {equal} of {len(texts)} first words equal, {equal / len(texts):.2%}; "
              f"lowest cosine of a text {lowest:.5f}")
        good = good and equal >= least * len(texts) and lowest >= LEAST_COSINE
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
