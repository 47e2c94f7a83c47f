# SPDX-License-Identifier: MIT
"""What compare.py measured: one file for each CPU, benchmarks/results/CPU.json.

A file has for each part where, when and with what it was measured, the commands, and the rows.
"""
import datetime
import json
import pathlib
import re

FOLDER = pathlib.Path(__file__).resolve().parent / "results"


def slug(cpu):
    return re.sub(r"[^a-z0-9]+", "-", cpu.lower()).strip("-")


def load(folder):
    """The parts of each machine by the name of its file."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}


class Results:
    """The file of one machine while one of its parts is being measured; `here` is what machine.describe gives."""

    def __init__(self, folder, part, here, command, again=False):
        self.path, self.part = folder / f"{slug(here['machine']['cpu'])}.json", part
        self.parts = json.loads(self.path.read_text()) if self.path.exists() else {}
        before = self.parts.get(part)
        if before and not again and any(before[key] != here[key] for key in here):
            raise SystemExit(f"{self.path}: part {part} was measured on another machine or with other versions; "
                             "--again measures it anew")
        if again or not before:
            self.parts[part] = {**here, "commands": [], "rows": []}
        if command not in self.parts[part]["commands"]:
            self.parts[part]["commands"].append(command)

    def has(self, **cell):
        return any(cell.items() <= row.items() for row in self.parts[self.part]["rows"])

    def slower(self, seconds, attention, length):
        """Competitors that took longer than that for a shorter text."""
        return {row["competitor"] for row in self.parts[self.part]["rows"]
                if row["attention"] == attention and row["length"] < length and row.get("median", 0) > seconds}

    def add(self, rows):
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
        self.parts[self.part]["rows"] += [{**row, "date": now} for row in rows]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps(self.parts, indent=1) + "\n")
