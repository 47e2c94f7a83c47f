#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks the house rules that a compiler cannot see.

A header includes only what stands on its own step of the ladder or below it, and opens with the
licence line and one sentence that says what it is.  `--lengths` prints how long the headers are.
"""
import argparse
import pathlib
import re
import sys

LADDER = ["core", "kernels", "checkpoint", "model", "tokenizer", "pipelines"]
ROOT = pathlib.Path(__file__).resolve().parent.parent
HEADERS = ROOT / "include" / "nystromformer"
LICENCE = "SPDX-License-Identifier: MIT"
SOURCES = {".hpp", ".inc", ".cpp", ".py", ".sh", ".cmake", ".in"}
EXTERNAL = re.compile(r"[a-z_0-9]+(\.h)?|sys/[a-z]+\.h|Eigen/\w+|nlohmann/json(_fwd)?\.hpp")


def step_of(path):
    """The step of a file under include/nystromformer; the umbrella stands above all."""
    folder = path.relative_to(HEADERS).parts[0]
    return LADDER.index(folder) if folder in LADDER else len(LADDER)


def faults_of_header(path):
    text = path.read_text()
    lines = text.splitlines()
    name = path.relative_to(ROOT)
    if not (len(lines) > 1 and lines[1].startswith("// ")):
        yield f"{name}:2: no sentence says what this file is"
    if path.suffix == ".hpp" and "#pragma once" not in lines:
        yield f"{name}: no #pragma once"
    for number, line in enumerate(lines, 1):
        included = re.match(r'\s*#\s*include\s+([<"])([^>"]+)[>"]', line)
        if not included:
            continue
        place = f"{name}:{number}"
        target = included[2]
        if not target.startswith("nystromformer/"):
            if included[1] == '"' or not EXTERNAL.fullmatch(target):
                yield f"{place}: {target} is neither ours, the standard's, Eigen's nor nlohmann's"
            continue
        below = HEADERS.parent / target
        if not below.is_file():
            yield f"{place}: {target} is no file"
        elif step_of(below) > step_of(path):
            yield f"{place}: {target} stands above {name}"


def faults():
    headers = sorted(p for p in HEADERS.rglob("*") if p.suffix in {".hpp", ".inc"})
    if not headers:
        yield f"{HEADERS}: no headers"
    for header in headers:
        if header.parent != HEADERS and step_of(header) == len(LADDER):
            yield f"{header.relative_to(ROOT)}: its folder is no step of the ladder"
        yield from faults_of_header(header)
    for folder in ["include", "examples", "tests", "cmake", "tools", ".ci"]:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and (path.suffix in SOURCES or path.name in {"CMakeLists.txt", "run"}):
                if not any(LICENCE in line for line in path.read_text().splitlines()[:3]):
                    yield f"{path.relative_to(ROOT)}: no '{LICENCE}' in its first three lines"


def print_lengths():
    lengths = sorted((len(p.read_text().splitlines()), p) for p in HEADERS.rglob("*.hpp"))
    for length, path in reversed(lengths):
        print(f"{length:6} {path.relative_to(ROOT)}")
    print(f"{sum(length for length, _ in lengths):6} in {len(lengths)} headers, "
          f"median {lengths[len(lengths) // 2][0]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lengths", action="store_true", help="also print the headers' lengths")
    arguments = parser.parse_args()
    if arguments.lengths:
        print_lengths()
    found = list(faults())
    print("\n".join(found) if found else "The ladder stands.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
