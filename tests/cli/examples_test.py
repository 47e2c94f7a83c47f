#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the programs of examples/ and checks what they print.

    python3 tests/cli/examples_test.py FOLDER-OF-THE-PROGRAMS
"""
import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = ROOT / "models" / "nystromformer-small-en"
ANSWERS = ROOT / "tests" / "reference" / "pipelines" / "answers"
TEXT = "She opened the [MASK] and walked into the garden."


def run(name, *arguments):
    program = pathlib.Path(sys.argv[1]) / name
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, f"{name}: exit code {done.returncode}, {done.stderr}"
    return done.stdout.splitlines(), done.stderr


def main():
    lines, _ = run("fill_mask", MODEL, TEXT)
    assert len(lines) == 3 and lines[0].split("\t")[0] == "door", lines
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        document = folder / "document.txt"
        words = (ROOT / "docs" / "chapter.txt").read_text().split()[:900]
        document.write_text(" ".join(words))
        lines, messages = run("long_document_qa", ANSWERS, document, "Who travels?")
        assert "windows" in messages and 1 <= len(lines) <= 3, (lines, messages)
        assert all(float(line.split("\t")[0]) >= 0 for line in lines), lines
        file = folder / "lines.txt"
        file.write_text("The sea was calm.\nHe ate an apple.\nThe ocean was quiet.\n")
        lines, _ = run("search", MODEL, file, "The sea was quiet.")
        assert len(lines) == 3 and "apple" in lines[2], lines
        run("to_safetensors", MODEL, folder / "copy")
        assert (folder / "copy" / "model.safetensors").is_file()
        config = json.loads((folder / "copy" / "config.json").read_text())
        assert config["architectures"] == ["NystromformerForMaskedLM"], config
    lines, _ = run("custom_ids", MODEL)
    assert len(lines) == 2 and all(float(line) > 0 for line in lines), lines
    lines, _ = run("tokenizer_only", MODEL, "caf\u00e9 au lait")
    assert lines[0].split("\t")[1] == "[CLS]" and lines[-1] == "cafe au lait", lines
    print("6 examples are right.")


if __name__ == "__main__":
    main()
