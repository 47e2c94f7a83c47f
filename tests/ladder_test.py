#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks the house rules that a compiler cannot see.

A header includes only its own room and the rooms that MAY lists for it, and opens with the licence
line and one sentence that says what it is.  The programs of cli/ and examples/ use the face alone.
`--lengths` prints how long the headers are.
"""
import argparse
import pathlib
import re
import sys

# The map of the house: which rooms a room may include. docs/architecture.md explains it.
MAY = {
    "core": [],
    "kernels": ["core"],
    "checkpoint": ["core"],
    "tokenizer": ["core"],
    "model": ["core", "kernels", "checkpoint"],
    "conversion": ["core", "kernels", "checkpoint", "tokenizer", "model"],
    "pipelines": ["core", "kernels", "checkpoint", "tokenizer", "model"],
}
# The face: public headers at the top of include/nystromformer, each with the room that has its bodies.
FACE = {
    "version.hpp": "core",
    "error.hpp": "core",
    "file_bytes.hpp": "core",
    "json.hpp": "core",
    "scratch.hpp": "core",
    "options.hpp": "core",
    "threads.hpp": "core",
    "matrix.hpp": "core",
    "embeddings.hpp": "core",
    "encoding.hpp": "tokenizer",
    "tokenizer.hpp": "tokenizer",
    "text.hpp": "tokenizer",
    "isa.hpp": "kernels",
    "conversion.hpp": "conversion",
    "answers_json.hpp": "pipelines",
    "entity.hpp": "pipelines",
    "feature_extraction.hpp": "pipelines",
    "fill_mask.hpp": "pipelines",
    "multiple_choice.hpp": "pipelines",
    "question_answering.hpp": "pipelines",
    "rerank.hpp": "pipelines",
    "semantic_search.hpp": "pipelines",
    "sentence_embedding.hpp": "pipelines",
    "text_classification.hpp": "pipelines",
    "token_classification.hpp": "pipelines",
    "zero_shot_classification.hpp": "pipelines",
    "dtype.hpp": "checkpoint",
    "tensor.hpp": "checkpoint",
    "tensor_view.hpp": "checkpoint",
    "checkpoint.hpp": "checkpoint",
    "safetensors.hpp": "checkpoint",
    "config.hpp": "model",
    "forward_options.hpp": "model",
    "model_input.hpp": "model",
    "model_output.hpp": "model",
    "heads.hpp": "model",
    "state_dict.hpp": "model",
    "models.hpp": "model",
}
ROOT = pathlib.Path(__file__).resolve().parent.parent
HEADERS = ROOT / "include" / "nystromformer"
# Of the version, so that two versions of the headers in one program are two libraries, not a mixture.
NAMESPACE = "v{}_{}".format(*re.findall(r"#define NYSTROMFORMER_VERSION_M[AI][JN]OR (\d+)", (HEADERS / "version.hpp").read_text()))
LICENCE = "SPDX-License-Identifier: MIT"
SOURCES = {".hpp", ".inc", ".cpp", ".py", ".sh", ".cmake", ".in"}
EXTERNAL = re.compile(r"[a-z_0-9]+(\.h)?|sys/[a-z]+\.h|Eigen/\w+|nlohmann/json(_fwd)?\.hpp")


def room_of(path):
    """The room of a file under include/nystromformer, or nothing for the umbrella, which sees all."""
    first = path.relative_to(HEADERS).parts[0]
    return FACE.get(first, first if first in MAY else None)


def faults_of_header(path):
    text = path.read_text()
    lines = text.splitlines()
    name = path.relative_to(ROOT)
    if not (len(lines) > 1 and lines[1].startswith("// ")):
        yield f"{name}:2: no sentence says what this file is"
    if path.suffix == ".hpp" and "#pragma once" not in lines:
        yield f"{name}: no #pragma once"
    for number, line in enumerate(lines, 1):
        if re.match(r"namespace nystromformer\b", line) and f"::inline {NAMESPACE}" not in line:
            yield f"{name}:{number}: the namespace is nystromformer::inline {NAMESPACE}"
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
        elif (room := room_of(path)) and room_of(below) not in [room, *MAY[room]]:
            yield f"{place}: {room}/ may not include {target}"


def faults_of_program(path):
    """The command line and the examples are written on the face alone, as a user's program is."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        place = f"{path.relative_to(ROOT)}:{number}"
        included = re.match(r'\s*#\s*include\s+[<"]nystromformer/([^>"]+)[>"]', line)
        if included and included[1] not in {*FACE, "nystromformer.hpp"}:
            yield f"{place}: {included[1]} is not public"
        if re.search(r"\b(nf|nystromformer)::detail\b|^namespace nystromformer\b", line):
            yield f"{place}: a program uses no internal name"


def faults():
    headers = sorted(p for p in HEADERS.rglob("*") if p.suffix in {".hpp", ".inc"})
    if not headers:
        yield f"{HEADERS}: no headers"
    for header in headers:
        if header.parent != HEADERS and room_of(header) is None:
            yield f"{header.relative_to(ROOT)}: its folder is not a room of the map"
        yield from faults_of_header(header)
    for folder in ["cli", "examples"]:
        for path in sorted((ROOT / folder).rglob("*.[ch]pp")):
            yield from faults_of_program(path)
    for folder in ["include", "cli", "examples", "tests", "cmake", "tools", ".ci"]:
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
