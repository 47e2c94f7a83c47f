#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Mutation testing of the loaders: one operator or number of include/nystromformer/checkpoint at a time is made
wrong, and the tests must notice.

    python3 tests/mutants/mutants.py [--count 150] [--seed 1] [--only zip.hpp] [--oracle] [--list]

A mutant costs a few seconds: the tests are compiled without optimisation against a small stand-in for Catch2 and
precompiled headers. Those that survive are printed with their line; with --oracle they then meet
tests/oracle/mutate.py too. A mutant that does not compile counts neither way; one that runs for a minute or ends
by a signal is killed. Lines with the comment "NOLINT(mutants)" are left out, and so are conditions whose two sides
are the same for every input (listed in `equal`)."""

import argparse
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile

root = pathlib.Path(__file__).resolve().parents[2]
folder = root / "include" / "nystromformer" / "checkpoint"
# What writes files, and what only gives memory back, is no parser.
left_out = {"safetensors_writer.hpp", "state_writer.hpp", "mapped_file.hpp", "state_dict.hpp"}

replacements = [(r" < ", [" <= ", " > "]), (r" <= ", [" < "]), (r" > ", [" >= "]), (r" >= ", [" > "]),
                (r" == ", [" != "]), (r" != ", [" == "]), (r" && ", [" || "]), (r" \|\| ", [" && "]),
                (r" \+ ", [" - "]), (r" - ", [" + "]), (r" \* ", [" + "]), (r"\+\+", ["--"]),
                (r"\btrue\b", ["false"]), (r"\bfalse\b", ["true"]), (r"(?<=[( ])!(?=[a-z(*])", [""]),
                (r"(?<![\w.\"'])\d+(?![\w.\"'])", ["+1", "-1"]), (r"\b0x[0-9A-F]+u?\b", ["^1"])]

# Mutants that no test can tell from the original, by file and a part of the changed line: (why)
equal = [
    ("reserve(", "room alone"),
    ("std::min<std::uint64_t>(directory.entries", "room alone"),
]


def code_spans(text):
    """`text` with comments, strings, characters and preprocessor lines blanked out, at the same places."""
    pattern = re.compile(r'//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'|^\s*#[^\n]*', re.M)
    return pattern.sub(lambda match: " " * len(match.group()), text)


def changed(old, new):
    """A number by itself is counted up or down."""
    if new in ("+1", "-1"):
        return str(int(old) + int(new))
    return f"({old} ^ 1u)" if new == "^1" else new


def mutants(path):
    """(file, line, before, after, text) of every mutant of a header."""
    text = path.read_text()
    code = code_spans(text)
    for pattern, news in replacements:
        for match in re.finditer(pattern, code):
            begin, end = match.span()
            start, stop = text.rfind("\n", 0, begin) + 1, text.find("\n", end)
            line = text[start:stop]
            if "NOLINT(mutants)" in line or any(part in line for part, _ in equal):
                continue
            if re.match(r"\s*(template|static_assert|using|namespace|friend)\b", line):
                continue
            for new in news:
                if new == "-1" and match.group() == "0":
                    continue
                after = changed(match.group(), new)
                whole = text[:begin] + after + text[end:]
                number = text.count("\n", 0, begin) + 1
                shown = whole[start:whole.find("\n", begin)]
                yield path.name, number, line.strip(), shown.strip(), whole


class Bench:
    """Compiles and runs the tests with one header replaced."""

    def __init__(self, work):
        self.work = pathlib.Path(work)
        self.headers = self.work / "include" / "nystromformer" / "checkpoint"
        self.headers.mkdir(parents=True)
        common = self.work / "common.hpp"
        common.write_text("".join(f"#include <{name}>\n" for name in (
            "nlohmann/json.hpp", "Eigen/Core", "filesystem", "fstream", "iostream", "random", "sstream", "map", "set",
            "span", "deque", "variant", "functional", "thread", "condition_variable", "tuple", "cmath")))
        self.flags = ["-std=c++20", "-O0", "-w", "-pthread", f"-I{self.work}/include", f"-I{root}/tests/mutants",
                      f"-I{root}/tests", f"-I{root}/include", "-isystem", "/usr/include/eigen3",
                      f'-DNYSTROMFORMER_TEST_DATA="{root}/tests"', f'-DNYSTROMFORMER_MODELS="{root}/models"']
        subprocess.run(["g++", *self.flags, "-x", "c++-header", common, "-o", f"{common}.gch"], check=True)

    def verdict(self, name, text, source, command):
        """"survived", "killed" or "broken" of a header's text."""
        for old in self.headers.iterdir():
            old.unlink()
        if name:
            (self.headers / name).write_text(text)
        program = self.work / "program"
        built = subprocess.run(["g++", *self.flags, "-include", self.work / "common.hpp", source, "-o", program],
                               capture_output=True)
        if built.returncode != 0:
            return "broken"
        environment = dict(os.environ, TMPDIR=str(self.work))
        try:
            # No more memory than 4 GB: some mutants ask for all there is.
            ran = subprocess.run(["bash", "-c", 'ulimit -v 4000000; exec "$@"', "bash", *command(program)],
                                 capture_output=True, timeout=60, env=environment)
        except subprocess.TimeoutExpired:
            return "killed"
        return "survived" if ran.returncode == 0 else "killed"

    def tests(self, name, text):
        return self.verdict(name, text, root / "tests" / "mutants" / "main.cpp", lambda program: [program])

    def oracle(self, name, text):
        return self.verdict(name, text, root / "tests" / "oracle" / "reader.cpp",
                            lambda program: [sys.executable, root / "tests" / "oracle" / "mutate.py", program])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=150, help="how many, chosen at random")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="a header's name")
    parser.add_argument("--oracle", action="store_true")
    parser.add_argument("--list", action="store_true", help="print all mutants and end")
    options = parser.parse_args()
    paths = [path for path in sorted(folder.glob("*.hpp")) if path.name not in left_out]
    every = [one for path in paths if options.only in (None, path.name) for one in mutants(path)]
    if options.list:
        for name, number, before, after, _ in every:
            print(f"{name}:{number}: {after}")
        print(len(every), "mutants")
        return 0
    chosen = random.Random(options.seed).sample(every, min(options.count, len(every)))
    count = {"survived": 0, "killed": 0, "broken": 0}
    work = tempfile.mkdtemp()
    try:
        bench = Bench(work)
        if bench.tests("", "") != "survived":
            sys.exit("the tests fail without any mutant")
        for name, number, before, after, text in chosen:
            verdict = bench.tests(name, text)
            if verdict == "survived" and options.oracle and name in ("safetensors.hpp", "safetensors_header.hpp",
                                                                     "header_sax.hpp", "shard_index.hpp", "tensor.hpp"):
                verdict = bench.oracle(name, text)
            count[verdict] += 1
            if verdict == "survived":
                print(f"{name}:{number}: {before}\n    -> {after}", flush=True)
    finally:
        shutil.rmtree(work)
    judged = count["survived"] + count["killed"]
    print(f"{judged} of {len(every)} mutants: {count['killed']} killed, {count['survived']} survived "
          f"({count['killed'] / max(judged, 1):.1%}); {count['broken']} more do not compile")
    return 0


if __name__ == "__main__":
    sys.exit(main())
