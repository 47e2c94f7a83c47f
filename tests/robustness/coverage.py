#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Sums up what llvm-cov exports, for coverage.sh: coverage.py JSON TABLE [FOLDER...]. All instances of a template
count as one. Constants are no branches."""

import collections
import datetime
import fnmatch
import json
import os
import pathlib
import re
import sys


# What reads the bytes of files; all of checkpoint/ does.
PARSERS = ("tokenizer/loaders/*", "tokenizer/*_json.hpp", "tokenizer/*_parser.hpp", "tokenizer/*_reader.hpp",
           "tokenizer/normalizers/charsmap.hpp", "tokenizer/normalizers/precompiled.hpp", "tokenizer/special_names.hpp",
           "tokenizer/models/vocabulary.hpp", "tokenizer/tokenizer_file.hpp")


def lines_of(segments):
    """Counts by line, as llvm-cov has them: of all regions that begin in a line and of the one around its start."""
    counts = {}
    by_line = collections.defaultdict(list)
    for segment in segments:
        by_line[segment[0]].append(segment)
    around = None
    for line in range(segments[0][0], segments[-1][0] + 1) if segments else ():
        here = by_line.get(line, [])
        # A segment: line, column, count, has a count, begins a region, is a gap.
        starts = [count for _, _, count, counted, entry, gap in here if counted and entry and not gap]
        skipped = here and not here[0][3] and here[0][4]
        if not skipped and (starts or (around and around[3])):
            counts[line] = max(starts + ([around[2]] if around and around[3] else []))
        if here:
            around = here[-1]
    return counts


def branches_of(branches, source):
    """[taken, not taken] by place. Clang counts neither for a constant, which is no branch."""
    counts = collections.defaultdict(lambda: [0, 0])
    for begin, column, _, _, taken, skipped, *_ in branches:
        counts[begin, column][0] += taken
        counts[begin, column][1] += skipped
    constant = re.compile(r"constexpr|sizeof|while \(true\)")
    return {place: pair for place, pair in counts.items() if any(pair) or not constant.search(source[place[0] - 1])}


def main():
    export, table, *shown = sys.argv[1:]
    totals = collections.defaultdict(lambda: [0, 0, 0, 0])
    for file in json.load(open(export))["data"][0]["files"]:
        path = pathlib.Path(os.path.normpath(file["filename"]))  # ccache makes them build/x/../../include
        _, inside, header = str(path).rpartition("include/nystromformer/")
        if not inside:
            continue
        place = header.split("/")[0] if "/" in header else "public headers"
        places = [place, "all"]
        if any(fnmatch.fnmatch(header, parser) for parser in PARSERS):
            places.append("tokenizer: what reads files")
        source = path.read_text().splitlines()
        lines = lines_of(file["segments"])
        branches = branches_of(file.get("branches", []), source)
        sides = [side for pair in branches.values() for side in pair]
        for name in places:
            for i, number in enumerate((sum(map(bool, lines.values())), len(lines), sum(map(bool, sides)), len(sides))):
                totals[name][i] += number
        if place not in shown:
            continue
        for line in sorted(line for line, count in lines.items() if not count):
            print(f"{path.name}:{line}: {source[line - 1].strip()}")
        for (line, column), pair in sorted(branches.items()):
            if lines.get(line) and not all(pair):
                side = "always" if pair[0] else "never" if pair[1] else "not asked"
                print(f"{path.name}:{line}:{column}: {side}: {source[line - 1].strip()}")
    text = ("| folder | lines | reached | sides of branches | reached |\n|---|---:|---:|---:|---:|\n" +
            "".join(f"| {place} | {all_lines} | {lines / max(all_lines, 1):.2%} | {sides} | "
                    f"{reached / max(sides, 1):.2%} |\n"
                    for place, (lines, all_lines, reached, sides) in sorted(totals.items(), key=lambda t: (t[0] == "all", t))))
    print(text, end="")
    if not table:
        return
    page = pathlib.Path(table)
    begin, end = "<!-- coverage.sh writes this -->\n", "<!-- until here -->\n"
    before, _, rest = page.read_text().partition(begin)
    after = rest.partition(end)[2]
    page.write_text(f"{before}{begin}Measured on {datetime.date.today()}.\n\n{text}{end}{after}")


if __name__ == "__main__":
    main()
