#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compile time of small programs, compared with another commit: CPU seconds, peak memory, sizes.

Each program is compiled by the two commits in turn, `--rounds` times; the table has the least CPU
seconds (user and system, of the compiler and its children) and the peak memory.

    python3 benchmarks/compile_time.py                       # the table of README
    python3 benchmarks/compile_time.py --scratch             # also the README's two commands, from clones
    python3 benchmarks/compile_time.py --compiler clang++
"""
import argparse
import datetime
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import machine

ROOT = pathlib.Path(__file__).resolve().parent.parent

TEN_LINES = """\
#include <nystromformer/{header}>

#include <iostream>

int main(int, char** argv) {{
    const nystromformer::FillMaskPipeline fill_mask(argv[1]);
    for (const auto& answer : fill_mask(argv[2], {{.top_k = 3}}))
        std::cout << answer.token_str << '\\t' << answer.score << '\\n';
}}
"""
MODELS = """\
#include <nystromformer/{header}>

#include <iostream>

int main(int, char** argv) {{
    const auto model = nystromformer::NystromformerForMaskedLM<float>::from_pretrained(argv[1]);
    const auto input = nystromformer::ModelInput<float>::stacked({{{{2, 5, 3}}}});
    std::cout << model(input).logits.rows() << '\\n';
}}
"""
EMPTY = "#include <nystromformer/nystromformer.hpp>\n\nint main() {{}}\n"

# name, source, header now, header of the base, compiled
CASES = [
    ("ten-line program, nystromformer::compiled", TEN_LINES, "fill_mask.hpp", "nystromformer.hpp", True),
    ("models.hpp, nystromformer::compiled", MODELS, "models.hpp", "nystromformer.hpp", True),
    ("ten-line program, header-only", TEN_LINES, "fill_mask.hpp", "nystromformer.hpp", False),
    ("umbrella header and an empty main", EMPTY, "", "", False),
]


def run(command):
    """CPU seconds and peak MB of a command and its children."""
    child = subprocess.Popen(command)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"failed: {' '.join(map(str, command))}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def compile_command(options, tree, source, compiled, output):
    command = [options.compiler, "-std=c++20", "-O2", f"-I{tree}/include", "-isystem", options.eigen]
    if compiled:
        command.append("-DNYSTROMFORMER_COMPILED")
    return [*command, "-c", source, "-o", output]


def measure(options, folder, base):
    """For each case: its name, then CPU seconds and MB now and before. A program of the base is in two cases, and is
    compiled once a round."""
    cases, sources = [], {}
    for name, text, header, base_header, compiled in CASES:
        pair = (ROOT, text.format(header=header), compiled), (base, text.format(header=base_header), False)
        cases.append((name, *pair))
        for source in pair:
            sources.setdefault(source, [])
    for _ in range(options.rounds):
        for (tree, text, compiled), figures in sources.items():
            (folder / "program.cpp").write_text(text)
            figures.append(run(compile_command(options, tree, folder / "program.cpp", compiled, folder / "program.o")))
            print(f"{tree.name}, compiled: {compiled}, {text.count(chr(10))} lines: {figures[-1]}", file=sys.stderr)
    least = {source: (min(t for t, _ in all_), max(m for _, m in all_)) for source, all_ in sources.items()}
    return [(name, *least[now], *least[before]) for name, now, before in cases]


def program_sizes(options, folder, base):
    """Bytes of a stripped header-only fill_mask."""
    sizes = []
    for tree in (ROOT, base):
        source = tree / "examples" / "fill_mask.cpp"
        program = folder / "fill_mask"
        run([options.compiler, "-std=c++20", "-O2", f"-I{tree}/include", "-isystem", options.eigen, source, "-o",
             program, "-pthread"])
        run(["strip", program])
        sizes.append(program.stat().st_size)
    return sizes


def scratch(folder, base):
    """Prints the wall seconds of the README's two commands in fresh clones, without a compiler cache. stderr names a
    command that fails; a test of the old commit may. Read there whether its seconds still count."""
    print("\n| command, from a fresh clone | wall s | before | ratio |\n|---|---|---|---|", flush=True)
    environment = dict(os.environ, CCACHE_DISABLE="1")
    for script in ["tools/first_run.sh", "tools/run_tests.sh"]:
        seconds = []
        for revision in ("HEAD", base):
            clone = folder / "clone"
            shutil.rmtree(clone, ignore_errors=True)
            subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
            subprocess.run(["git", "-C", clone, "checkout", "--quiet", revision], check=True)
            start = time.monotonic()
            run = subprocess.run([clone / script], env=environment, stdout=subprocess.PIPE, text=True)
            seconds.append(time.monotonic() - start)
            if run.returncode != 0:
                print(f"{script} of {revision} failed:", *run.stdout.splitlines()[-20:], sep="\n", file=sys.stderr)
        now, before = seconds
        print(f"| {script} | {now:.0f} | {before:.0f} | {now / before:.2f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", default="f61e3d0", help="the commit to compare with")
    parser.add_argument("--compiler", default="g++")
    parser.add_argument("--eigen", default="/usr/include/eigen3", help="the folder of Eigen's headers")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scratch", action="store_true", help="time the README's two commands, too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        base = folder / "base"
        base.mkdir()
        archive = subprocess.run(["git", "-C", ROOT, "archive", options.base, "include", "examples"], check=True,
                                 capture_output=True).stdout
        subprocess.run(["tar", "-x", "-C", base], input=archive, check=True)
        rows = measure(options, folder, base)
        sizes = program_sizes(options, folder, base)
        cpu = machine.cpu()["cpu"]
        print(f"{cpu}, {options.compiler} -O2, {datetime.date.today()}, compared with {options.base}\n")
        print("| program | CPU s | before | ratio | MB | before | ratio |\n|---|---|---|---|---|---|---|")
        for name, cpu, memory, old_cpu, old_memory in rows:
            print(f"| {name} | {cpu:.1f} | {old_cpu:.1f} | {cpu / old_cpu:.2f} | {memory:.0f} | {old_memory:.0f} |"
                  f" {memory / old_memory:.2f} |")
        print(f"\nStripped header-only fill_mask: {sizes[0]:,} bytes, before {sizes[1]:,}.")
        if options.scratch:
            scratch(folder, options.base)


if __name__ == "__main__":
    main()
