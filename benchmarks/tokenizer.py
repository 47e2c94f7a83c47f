#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Times encoding beside Hugging Face's Rust library, one thread each, taking turns, in processor time.

Usage: tokenizer.py [--rounds N] [--model FOLDER]... TEXT_FILE...     (needs: tokenizers, a C++ compiler, Eigen,
nlohmann_json). FOLDER has a tokenizer.json, as make_tokenizers.py writes; without it the bundled one is timed.
Builds benchmarks/tokenizer_encode.cpp with -O2 and nothing machine-specific, unless --program is one. Prints MB/s (of UTF-8) of the best
and of the median round, and their ratio, for whole files and for paragraphs.
"""
import argparse
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"
import tokenizers  # noqa: E402  (reads the environment)

ROOT = pathlib.Path(__file__).parent.parent
MODEL = ROOT / "models/nystromformer-small-en"


def build(folder, compiler, eigen):
    program = pathlib.Path(folder) / "tokenizer_encode"
    subprocess.run([compiler, "-std=c++20", "-O2", f"-I{ROOT / 'include'}", f"-isystem{eigen}",
                    ROOT / "benchmarks/tokenizer_encode.cpp", "-o", program], check=True)
    return program


def measure(program, model, mode, files, rounds):
    tokenizer = tokenizers.Tokenizer.from_file(str(model / "tokenizer.json"))
    texts = [pathlib.Path(file).read_bytes().decode() for file in files]
    if mode == "paragraphs":
        texts = [line for text in texts for line in text.split("\n") if line]
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    ours, theirs = [], []
    with subprocess.Popen([program, model, mode, *files], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as process:
        for number in range(rounds + 1):
            process.stdin.write("\n")
            process.stdin.flush()
            seconds, tokens = process.stdout.readline().split()
            started = time.process_time()
            wanted = sum(len(tokenizer.encode(text).ids) for text in texts)
            elapsed = time.process_time() - started
            assert int(tokens) == wanted, (tokens, wanted)
            if number:  # the first round warms up
                ours.append(float(seconds))
                theirs.append(elapsed)
        process.stdin.close()
    for name, pick in (("best", min), ("median", statistics.median)):
        print(f"{mode}, {megabytes:.1f} MB, {name} of {rounds}: {megabytes / pick(ours):.1f} MB/s, "
              f"tokenizers {tokenizers.__version__} {megabytes / pick(theirs):.2f} MB/s, "
              f"{pick(theirs) / pick(ours):.1f} x", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--model", type=pathlib.Path, action="append")
    parser.add_argument("--program", type=pathlib.Path, help="tokenizer_encode.cpp, built")
    parser.add_argument("--compiler", default=os.environ.get("CXX", "c++"))
    parser.add_argument("--eigen", default="/usr/include/eigen3")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        program = options.program or build(folder, options.compiler, options.eigen)
        for model in options.model or [MODEL]:
            print(f"{model.name}:")
            for mode in ("whole", "paragraphs"):
                measure(program, model, mode, options.files, options.rounds)


if __name__ == "__main__":
    main()
