#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the Windows program under Wine beside the one of this system: names outside ASCII, ends of lines, UTF-8 both
ways, lists of folders.  Exits 1 at the first check that does not hold.

    python3 tests/platforms/windows_test.py WINDOWS_PROGRAM PROGRAM MODEL [WINE]
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

TEXTS = ["She opened the [MASK] and walked into the garden.", "Das Caf\u00e9 \u65e5\u672c had a [MASK] \U0001f600."]
NAME = "Mod\u00e8le \u65e5\u672c \u042f"


def close(a, b):
    """Whether two JSON values are equal, but for the last digits of their numbers."""
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(close(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(map(close, a, b))
    if isinstance(a, float):
        return abs(a - b) < 1e-5
    return a == b


class Windows:
    """The program for Windows, called from a folder with one of each thing that tests name."""

    def __init__(self, program, wine, folder):
        self.command, self.folder = [wine, str(program)], folder
        self.environment = os.environ | {"LC_ALL": "C.UTF-8", "WINEDEBUG": "-all", "WINEPREFIX": str(folder / "wine")}

    def __call__(self, *arguments, data=b"", code=0, **environment):
        done = subprocess.run([*self.command, *arguments], input=data, capture_output=True, cwd=self.folder, timeout=300,
                              env=self.environment | environment)
        told = f"{arguments}: exit {done.returncode}: {done.stderr.decode(errors='replace')}"
        assert done.returncode == code, told
        return done.stdout.decode(), done.stderr.decode()

    def lines(self, *arguments, **more):
        return [json.loads(line) for line in self(*arguments, **more)[0].splitlines()]


def main():
    windows_program, program, model = (pathlib.Path(argument).resolve() for argument in sys.argv[1:4])
    wine = sys.argv[4] if len(sys.argv) > 4 else "wine"
    data = "".join(json.dumps({"text": text}, ensure_ascii=False) + "\r\n" for text in TEXTS).encode()

    def here(*arguments, data=b""):
        done = subprocess.run([program, *arguments], input=data, capture_output=True, check=True)
        return [json.loads(line) for line in done.stdout.decode().splitlines()]

    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(made)
        shutil.copytree(model, folder / NAME)
        windows = Windows(windows_program, wine, folder)
        wanted = here("fill-mask", "--model", str(model), "--json", data=data)

        assert close(windows.lines("fill-mask", "--model", NAME, "--json", data=data), wanted), "JSON lines of stdin"
        assert windows("fill-mask", "--model", NAME, "--json", data=data)[0].count("\r") == 0, "stdout is not bytes"
        found = windows.lines("fill-mask", "--model", NAME, "--json", *TEXTS)
        assert [line["output"] for line in found] and close(found, here("fill-mask", "--model", str(model), "--json", *TEXTS)), \
            "texts of the command line"

        corpus = folder / (NAME + ".txt")
        corpus.write_bytes("\ufeff".encode() + "".join(text + "\r\n" for text in TEXTS).encode())
        assert close(windows.lines("tokenize", "--model", NAME, "--json", "--corpus", corpus.name),
                     here("tokenize", "--model", str(model), "--json", "--corpus", str(corpus))), "a file of texts"

        windows("attention", "--model", NAME, "--html", NAME + ".html", TEXTS[1].replace("[MASK]", "door"))
        assert "caf\u00e9" in (folder / (NAME + ".html")).read_text().lower(), "a file that it writes"

        shutil.copytree(model, folder / NAME / "mine")
        for list_of_folders in (NAME, "nowhere;" + NAME):
            assert close(windows.lines("fill-mask", "--model", "mine", "--json", data=data,
                                       NYSTROMFORMER_MODELS=list_of_folders), wanted), "NYSTROMFORMER_MODELS"

        _, error = windows("fill-mask", "--model", NAME + " 2", "a [MASK]", code=1)
        assert NAME + " 2 does not exist" in error, error
        _, error = windows("fill-mask", "--model", "..", "a [MASK]", code=1)
        assert "config.json" in error, error
        isa = windows.lines("info", "--model", NAME, "--json")[0]["isa"]
        print(f"the Windows program answers as this system's (instruction set {isa})")


if __name__ == "__main__":
    main()
