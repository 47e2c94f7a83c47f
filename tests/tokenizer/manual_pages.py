#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Paragraphs of translated manual pages, out of Debian's packages.

Usage: manual_pages.py FOLDER        (needs: apt-get, dpkg-deb, the network; no rights of root)
Writes FOLDER/LANGUAGE.txt, paragraphs with blank lines between. Seventeen languages in Latin, Greek, Cyrillic, Chinese,
Japanese and Korean writing; downloads 23 MB to a temporary folder, which is removed.
"""
import gzip
import pathlib
import re
import subprocess
import sys
import tempfile

LANGUAGES = ("cs", "de", "el", "es", "fr", "ja", "ko", "mk", "pl", "pt_BR", "ro", "ru", "sr", "tr", "uk", "vi", "zh_CN",
             "zh_TW")
PACKAGES = [f"manpages-{name}" for name in ("cs", "de", "el", "es", "fr", "ja", "mk", "pl", "pt-br", "ro", "ru", "sr", "tr",
                                            "uk", "vi", "zh")] + ["passwd"]  # the Korean ones
FONTS = ("B", "I", "R", "BI", "BR", "IB", "IR", "RB", "RI", "SM", "SB")
ESCAPES = [(re.compile(pattern), text) for pattern, text in (
    (r"\\f(\[[^]]*\]|\(..|.)", ""), (r"\\[&,/^|:%]", ""), (r"\\-", "-"), (r"\\\(aq", "'"), (r"\\e", r"\\"), (r"\\ ", " "))]


def paragraphs_of(page):
    """The text of a page in roff, without most of its markup."""
    paragraph = []
    for line in page.split("\n") + [".PP"]:
        words = []
        if line.startswith((".", "'")):
            name, _, rest = line[1:].strip().partition(" ")
            if name in FONTS:
                paragraph.append(rest)
                continue
            words = [rest] if name in ("SH", "SS", "IP") else []
        elif line.strip():
            paragraph.append(line)
            continue
        for part in ("\n".join(paragraph), *words):
            for pattern, text in ESCAPES:
                part = pattern.sub(text, part)
            if part.strip():
                yield part
        paragraph = []


def manual_pages():
    """{language: its paragraphs, each once}"""
    result = {}
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["apt-get", "download", "-qq", "-o", "APT::Sandbox::User=root", *PACKAGES], cwd=folder, check=True)
        for package in pathlib.Path(folder).glob("*.deb"):
            subprocess.run(["dpkg-deb", "-x", package, folder], check=True)
        for language in LANGUAGES:
            found = {}
            for page in sorted(pathlib.Path(folder, "usr/share/man", language).glob("man*/*.gz")):
                text = gzip.decompress(page.read_bytes()).decode("utf-8", errors="replace")
                found.update(dict.fromkeys(paragraphs_of(text)))
            result[language] = list(found)
    return result


def some_of(count):
    """`count` paragraphs of each language, evenly from all of its pages, in one list; tells how many."""
    result = []
    numbers = []
    for language, found in manual_pages().items():
        some = found[::max(1, len(found) // max(count, 1))][:count]
        numbers.append(f"{language} {len(some)}")
        result += some
    print(f"manual pages: {', '.join(numbers)} paragraphs", flush=True)
    return result


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for language, found in manual_pages().items():
        (folder / f"{language}.txt").write_text("\n\n".join(found) + "\n", encoding="utf-8")
        print(f"{folder / language}.txt: {len(found)} paragraphs")


if __name__ == "__main__":
    main()
