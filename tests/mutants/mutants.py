#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Mutation testing of the loaders: one operator or number of include/nystromformer/checkpoint at a time is made
wrong, and the tests must notice.

    python3 tests/mutants/mutants.py [--count 150] [--seed 1] [--only zip.hpp] [--record FILE] [--again] [--oracle]

What judges is compiled by Clang without optimisation, with precompiled headers: first the malformed files of
tests/robustness/malformed, each to be refused with its error (judge_tables.cpp), then tests/unit/checkpoint/checkpoint_test.cpp against a
small stand-in for Catch2 (judge_tests.cpp), with --oracle then tests/oracle/mutate.py. Those that survive are
printed with their line. A mutant that does not compile counts neither way; one that runs for a minute or ends by a
signal is killed. With --record a run goes on where the last one ended. Lines with the comment "NOLINT(mutants)" are
left out, and so are those whose change no input can tell (`equal_lines` and `equal`, with the reasons)."""

import argparse
import collections
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile

root = pathlib.Path(__file__).resolve().parents[2]
folder = root / "include" / "nystromformer" / "checkpoint"
# What writes files, and what only gives memory back, is no parser.
left_out = {"safetensors_writer.hpp", "tensor_elements.hpp", "mapped_file.hpp"}
# Where a limit is met only with a million tensors, and what the oracle's reader reads.
with_many_tensors = {"safetensors_reader.hpp", "safetensors_header.hpp", "header_sax.hpp"}
with_oracle_reader = {"safetensors_reader.hpp", "safetensors_header.hpp", "header_sax.hpp", "shard_index.hpp",
                      "tensor_layout.hpp"}

replacements = [(r" < ", [" <= ", " > "]), (r" <= ", [" < "]), (r" > ", [" >= "]), (r" >= ", [" > "]),
                (r" == ", [" != "]), (r" != ", [" == "]), (r" && ", [" || "]), (r" \|\| ", [" && "]),
                (r" \+ ", [" - "]), (r" - ", [" + "]), (r" \* ", [" + "]), (r"\+\+", ["--"]),
                (r"\btrue\b", ["false"]), (r"\bfalse\b", ["true"]), (r"(?<=[( ])!(?=[a-z(*])", [""]),
                (r"(?<![\w.\"'])\d+(?![\w.\"'])", ["+1", "-1"]), (r"\b0x[0-9A-F]+u?\b", ["^1"])]

# Mutants that no test can tell from the original, by a part of the changed line, which is left out whole...
equal_lines = [
    ("reserve(", "room alone"),
    ("std::min<std::uint64_t>(directory.entries", "room alone"),
]
# ... or by a header and a part of the line after the change.
equal = [
    ("convert.hpp", "if constexpr (std::endian::native == std::endian::little) return false;", "a faster way only"),
    ("quantized_weights.hpp", "by_name(named[a], named[b]) : a <= b", "no index is compared with itself"),
    ("quantized_weights.hpp", "sizes[1] < 1 ||", "a packed matrix has words, so a size of 0 does not fit"),
    ("half.hpp", "std::reverse_copy(", "for big-endian hosts alone"),
    ("crc32.hpp", "for (std::uint32_t i = 1; i < 256", "the first entry of the table is 0"),
    ("safetensors_header.hpp", "int number_of_offsets_ = 1", "set for each tensor before it is counted"),
    ("safetensors_header.hpp", "std::array<bool, 4> seen_{}", "a fourth that nobody asks"),
    ("zip.hpp", "std::uint64_t size = 1;", "read from the directory before it is asked"),
    ("zip.hpp", "std::uint64_t header = 1;", "read from the directory before it is asked"),
    ("zip.hpp", "std::uint32_t crc = 1;", "read from the directory before it is asked"),
    ("zip.hpp", "std::uint16_t flags = 1;", "read from the directory before it is asked"),
    ("zip.hpp", "std::uint16_t method = 1;", "read from the directory before it is asked"),
    ("zip.hpp", "std::uint64_t packed = 1;", "read from the directory before it is asked"),
    ("pickle_stack.hpp", "std::int64_t integer = 1;", "set where a kind of value has one"),
    ("safetensors_header.hpp", "std::uint64_t begin = 1, end = 0;", "set for each tensor: the field must be there"),
    ("safetensors_header.hpp", "std::uint64_t begin = 0, end = 1;", "set for each tensor: the field must be there"),
    ("torch_archive.hpp", "(bytes.size(), 63)", "of these bytes the message shows 40 at most"),
    ("torch_archive.hpp", "(bytes.size(), 65)", "of these bytes the message shows 40 at most"),
    ("torch_archive.hpp", "i + 1 <= root.items.size()", "a dict has an even number of items"),
    ("safetensors_reader.hpp", "entry->begin <= covered ?", "where they are equal nothing is wrong"),
    ("shard_index.hpp", "name.size() >= extension.size()", "a name that is the extension begins with a dot"),
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
            if "NOLINT(mutants)" in line or any(part in line for part, _ in equal_lines):
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
                if any(name == path.name and part in shown for name, part, _ in equal):
                    continue
                yield path.name, number, line.strip(), shown.strip(), whole


def key_of(mutant):
    """What tells a mutant in a record, whatever changes elsewhere in its header: the line after, and its place
    among the same lines."""
    name, number, before, after, text = mutant
    lines = [line.strip() for line in text.split("\n")]
    return f"{name}\t{sum(line == before for line in lines[:number - 1])}\t{before}\t{after}"


def closure(path, seen=None):
    """A header of the library and all that it includes."""
    seen = set() if seen is None else seen
    if path not in seen:
        seen.add(path)
        for name in re.findall(r"#include <(nystromformer/[^>]+)>", path.read_text()):
            closure(root / "include" / name, seen)
    return seen


class Bench:
    """Compiles and runs what judges, with one header replaced."""

    def __init__(self, work):
        self.work = pathlib.Path(work)
        self.headers = self.work / "include" / "nystromformer" / "checkpoint"
        self.headers.mkdir(parents=True)
        self.common = self.work / "common.hpp"
        self.flags = ["-std=c++20", "-O0", "-w", "-pthread", "-D_GLIBCXX_ASSERTIONS", f"-I{self.work}/include",
                      f"-I{root}/tests/mutants", f"-I{root}/tests", f"-I{root}/include",
                      "-isystem", "/usr/include/eigen3",
                      f'-DNYSTROMFORMER_TEST_DATA="{root}/tests"', f'-DNYSTROMFORMER_MODELS="{root}/models"']
        self.header = None
        self.precompile("")
        self.tables = self.work / "tables"
        subprocess.run([self.build("mutants/write_tables.cpp"), self.tables], check=True)

    def precompile(self, name):
        """All headers that do not depend on the one of that name."""
        if name == self.header:
            return
        self.header = name
        names = ["nlohmann/json.hpp", "Eigen/Core", "filesystem", "fstream", "iostream", "random", "sstream", "map",
                 "set", "span", "deque", "variant", "functional", "thread", "condition_variable", "tuple", "cmath"]
        if name:
            every = closure(folder.parent / "state_dict.hpp") | closure(folder.parent / "safetensors.hpp")
            names += sorted(str(path.relative_to(root / "include")) for path in every
                            if path.suffix == ".hpp" and folder / name not in closure(path))
        self.common.write_text("".join(f"#include <{one}>\n" for one in names))
        subprocess.run(["clang++", *self.flags, "-fpch-instantiate-templates", "-x", "c++-header", self.common,
                        "-o", f"{self.common}.pch"], check=True)

    def build(self, source):
        """The program of one source, or nothing where it does not compile."""
        program = self.work / pathlib.Path(source).stem
        built = subprocess.run(["clang++", *self.flags, "-include-pch", f"{self.common}.pch",
                                root / "tests" / source, "-o", program], capture_output=True)
        return program if built.returncode == 0 else None

    def passes(self, source, *arguments):
        """Whether the judge is content; nothing where it does not compile."""
        program = self.build(source)
        if program is None:
            return None
        command = [argument if argument else program for argument in arguments]
        environment = dict(os.environ, TMPDIR=str(self.work))
        try:
            # No more memory than 4 GB: some mutants ask for all there is. A minute is of the CPU, which a busy
            # machine shares; some wait for ever.
            ran = subprocess.run(["bash", "-c", 'ulimit -v 4000000 -t 60; exec "$@"', "bash", *command],
                                 capture_output=True, timeout=600, env=environment)
        except subprocess.TimeoutExpired:
            return False
        return ran.returncode == 0

    def verdict(self, name, text, with_oracle=False):
        """"survived", "killed" or "broken" of a header's text: the tables first, for they are quick."""
        for old in self.headers.iterdir():
            old.unlink()
        self.precompile(name)
        if name:
            (self.headers / name).write_text(text)
        judges = [("mutants/judge_tables.cpp", "", self.tables),
                  ("mutants/judge_tests.cpp", "", *(["--long"] if name in with_many_tensors else []))]
        if with_oracle and name in with_oracle_reader:
            judges.append(("oracle/reader.cpp", sys.executable, root / "tests" / "oracle" / "mutate.py", ""))
        for judge in judges:
            content = self.passes(*judge)
            if not content:
                return "broken" if content is None else "killed"
        return "survived"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=150, help="how many, chosen at random")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="a header's name")
    parser.add_argument("--oracle", action="store_true")
    parser.add_argument("--record", type=pathlib.Path, help="a file of verdicts to add to; those in it are kept")
    parser.add_argument("--again", action="store_true", help="judge the survivors of the record once more")
    parser.add_argument("--list", action="store_true", help="print all mutants and end")
    options = parser.parse_args()
    paths = [path for path in sorted(folder.glob("*.hpp")) if path.name not in left_out]
    every = [one for path in paths if options.only in (None, path.name) for one in mutants(path)]
    if options.list:
        for name, number, before, after, _ in every:
            print(f"{name}:{number}: {after}")
        print(len(every), "mutants")
        return 0
    known = {}
    if options.record and options.record.exists():
        for line in options.record.read_text().splitlines():
            verdict, key = line.split("\t", 1)
            known[key] = verdict
    chosen = random.Random(options.seed).sample(every, min(options.count, len(every)))
    chosen.sort(key=lambda mutant: mutant[0])  # for what is precompiled
    verdicts = {}
    with tempfile.TemporaryDirectory() as work:
        bench = Bench(work)
        if bench.verdict("", "") != "survived":
            sys.exit("the tests fail without any mutant")
        for one in chosen:
            key = key_of(one)
            name, number, before, after, text = one
            verdict = known.get(key)
            if verdict is None or (options.again and verdict == "survived"):
                verdict = bench.verdict(name, text, options.oracle)
                if options.record:
                    with options.record.open("a") as record:
                        record.write(f"{verdict}\t{key}\n")
            verdicts[key] = verdict
            if verdict == "survived":
                print(f"{name}:{number}: {before}\n    -> {after}", flush=True)
    count = collections.Counter(verdicts.values())
    judged = count["survived"] + count["killed"]
    print(f"{judged} of {len(every)} mutants: {count['killed']} killed, {count['survived']} survived "
          f"({count['killed'] / max(judged, 1):.1%}); {count['broken']} more do not compile")
    return 0


if __name__ == "__main__":
    sys.exit(main())
