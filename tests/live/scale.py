#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs a command over very many JSON lines: memory, progress, and a run that is killed and resumed.

    python3 tests/live/scale.py --program build/release/bin/nystromformer --lines 1000000 tokenize
    python3 tests/live/scale.py --program build/release/bin/nystromformer --seconds 120 fill-mask --top-k 1

What stands after the program's own options is the command with its options. Makes the lines of
tests/precision/held_out.txt, every thousandth a bad one. Exits 1 where memory at the end is not that of 10,000
lines, where stderr has shown no rate and time to go, where answers are missing, or where a run that is killed halfway
and resumed with --skip does not write the same bytes. Standard library only; takes about three times the run.
"""
import argparse
import hashlib
import json
import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
FEW = 10_000
PROGRESS = re.compile(rb"\r(\d+) lines, ([\d.]+) a second \[#* *\] +\d+ %, \d+ s to go ")


def write_lines(path, count):
    texts = (ROOT / "tests/precision/held_out.txt").read_text(encoding="utf-8").splitlines()
    with open(path, "w", encoding="utf-8") as file:
        for i in range(count):
            fields = {"id": i} if i % 1000 == 999 else {"id": i, "text": texts[i % len(texts)]}
            file.write(json.dumps(fields) + "\n")


class Run:
    """One run: its peak of memory in MiB, seconds, exit code, and what a terminal for messages showed of it."""

    def __init__(self, command, source, target, until=None):
        """`until`: kills the process once it has written that many bytes."""
        master, slave = pty.openpty()
        started = time.monotonic()
        with open(source, "rb") as stdin, open(target, "wb") as stdout:
            process = subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=slave)
        os.close(slave)
        self.shown = b""
        while True:
            if select.select([master], [], [], 0.05)[0]:
                try:
                    chunk = os.read(master, 65536)
                except OSError:  # how Linux tells that the other end is closed
                    break
                if not chunk:
                    break
                self.shown += chunk
            if until is not None and os.path.getsize(target) >= until:
                process.send_signal(signal.SIGKILL)
                until = None
        os.close(master)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = self.code = os.waitstatus_to_exitcode(status)
        self.seconds = time.monotonic() - started
        self.mib = usage.ru_maxrss / 1024


def complete_lines(path):
    """Cuts a file after its last whole line and counts them."""
    count = size = 0
    with open(path, "r+b") as file:
        for line in file:
            if not line.endswith(b"\n"):
                break
            count += 1
            size += len(line)
        file.truncate(size)
    return count


def digest(*paths):
    result = hashlib.sha256()
    for path in paths:
        with open(path, "rb") as file:
            while chunk := file.read(1 << 20):
                result.update(chunk)
    return result.hexdigest()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", required=True)
    parser.add_argument("--model", default=str(ROOT / "models/nystromformer-small-en"))
    parser.add_argument("--lines", type=int, help="how many")
    parser.add_argument("--seconds", type=float, help="instead: as many as take about so long")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    if not options.command or (options.lines is None) == (options.seconds is None):
        parser.error("a command, and either --lines or --seconds, are required")
    name, *rest = options.command
    command = [options.program, name, "--model", options.model, *rest]
    faults = []

    def must(condition, what):
        if not condition:
            faults.append(what)

    with tempfile.TemporaryDirectory() as folder:
        path = {key: str(pathlib.Path(folder) / key) for key in ("few", "all", "few.out", "all.out", "half.out", "rest.out")}
        write_lines(path["few"], FEW)
        few = Run(command, path["few"], path["few.out"])
        print(f"{name}: {FEW} lines in {few.seconds:.1f} s, {FEW / few.seconds:.0f} a second, at most {few.mib:.1f} MiB",
              flush=True)
        count = options.lines or max(2000, int(FEW * options.seconds / few.seconds))  # at least two bad lines
        write_lines(path["all"], count)
        whole = Run(command, path["all"], path["all.out"])
        print(f"{name}: {count} lines in {whole.seconds:.1f} s, {count / whole.seconds:.0f} a second, "
              f"at most {whole.mib:.1f} MiB", flush=True)
        must(few.code == 3 and whole.code == 3, f"exit codes {few.code} and {whole.code} instead of 3")
        must(whole.mib <= few.mib * 1.1 + 4, "memory grows with the lines")
        told = [(int(lines), rate) for lines, rate in PROGRESS.findall(whole.shown)]
        must(len(told) > whole.seconds and told == sorted(told, key=lambda item: item[0]) and told[-1][0] == count,
             f"progress was told {len(told)} times, the last time with {told[-1:]}")
        must(complete_lines(path["all.out"]) == count, "not one answer for each line")
        with open(path["all.out"], encoding="utf-8") as file:
            errors = [fields for fields in map(json.loads, (line for line in file if '"error"' in line)) if "error" in fields]
        must(len(errors) == count // 1000 and all(fields["line"] == fields["id"] + 1 for fields in errors),
             f"{len(errors)} errors, or their lines are wrong")

        half = Run(command, path["all"], path["half.out"], until=os.path.getsize(path["all.out"]) // 2)
        done = complete_lines(path["half.out"])
        resumed = Run([*command, "--skip", str(done)], path["all"], path["rest.out"])
        print(f"{name}: killed after {done} lines, resumed: {resumed.seconds:.1f} s, at most {resumed.mib:.1f} MiB",
              flush=True)
        must(half.code == -signal.SIGKILL and 0 < done < count, f"the run was not killed halfway ({half.code}, {done})")
        must(digest(path["half.out"], path["rest.out"]) == digest(path["all.out"]),
             "a run that was killed and resumed writes other bytes")
        print(whole.shown[-90:].split(b"\r")[-1].decode().strip())
    for fault in faults:
        print("FAULT:", fault)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
