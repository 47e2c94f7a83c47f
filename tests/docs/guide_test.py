#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compiles and runs every program of docs/guide.md.

    python3 tests/docs/guide_test.py COMPILER LIBRARY FLAG...

LIBRARY is libnystromformer.a (or .so); the flags are its definitions, and say where the headers are.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = re.compile(r"<!-- run: (\S+) -->\n```cpp\n(.*?)```\n", re.DOTALL)


def main():
    compiler, library, *flags = sys.argv[1:]
    programs = PROGRAM.findall((ROOT / "docs" / "guide.md").read_text())
    assert len(programs) >= 10, len(programs)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for model, text in programs:
            source = folder / "program.cpp"
            source.write_text(text)
            command = [compiler, "-std=c++20", f"-I{ROOT}/include", *flags, source, library,
                       "-pthread", "-o", folder / "program"]
            done = subprocess.run(command, capture_output=True, text=True)
            assert done.returncode == 0, f"{text}\n{done.stderr}"
            done = subprocess.run([folder / "program", ROOT / model], capture_output=True, text=True)
            assert done.returncode == 0 and done.stdout and not done.stderr, f"{text}\n{done.stdout}\n{done.stderr}"
            print(done.stdout.splitlines()[0])
    print(f"{len(programs)} programs of the guide run.")


if __name__ == "__main__":
    main()
