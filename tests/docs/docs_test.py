#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks the documents: links and the paths that they name exist, README keeps to its length, lines to 100 columns.

    python3 tests/docs/docs_test.py
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
README_LINES = 170
COLUMNS = 100
# A path in a text, such as tests/cli/cli_test.py; not one with a name in capitals, which stands for any.
PATH = re.compile(r"(?<![\w/.-])(?:tests|docs|cli|examples|tools|benchmarks|include|src|cmake|models|\.ci)/[\w./-]*\w")
PLACEHOLDER = re.compile(r"[A-Z]{3,}")


def anchors(page):
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


def faults_of_links(page, text):
    for link in re.findall(r"\]\(([^)]+)\)", text):
        if re.match(r"https?:", link):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if not target.exists():
            yield f"{link} does not exist"
        elif anchor and anchor not in anchors(target):
            yield f"{link}: no such heading"


def faults(page):
    text = page.read_text()
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    yield from faults_of_links(page, prose)
    for path in PATH.findall(prose):
        if not PLACEHOLDER.search(path.replace("README", "")) and not (ROOT / path).exists():
            yield f"{path} does not exist"
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(r"<{7} |>{7} |={7}$", line):
            yield f"line {number} is the mark of a merge conflict"
        if len(line) > COLUMNS and not line.startswith("|"):
            yield f"line {number} has {len(line)} columns, more than {COLUMNS}"


def main():
    found = [f"{page.relative_to(ROOT)}: {fault}" for page in PAGES for fault in faults(page)]
    length = len((ROOT / "README.md").read_text().splitlines())
    if length > README_LINES:
        found.append(f"README.md has {length} lines, more than {README_LINES}")
    print("\n".join(found) if found else f"{len(PAGES)} documents are in order.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
