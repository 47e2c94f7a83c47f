#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Long runs: load, run and destroy over and over, and lines without end through the command line.  Resident memory
must stay flat and no descriptor may be left open.  Standard library only.

    cmake --build --preset dev --target nystromformer_soak
    python3 tests/robustness/soak.py --seconds 3600 --lines 1000000 --program build/release/bin/nystromformer \
        --soak build/dev/bin/nystromformer_soak

Half the time is for nystromformer_soak (tests/robustness/soak.cpp), then the lines go through `classify`.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
FOLDER = ROOT / "reference" / "pipelines" / "classes"


def state(pid):
    """Resident KiB and open descriptors of a process."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    resident = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    return resident, len(os.listdir(f"/proc/{pid}/fd"))


def watch(process, name, seconds):
    """Samples while the process runs; returns how much resident memory grew after the first third, in KiB, and by how
    many the descriptors that were always open did."""
    samples, start = [], time.monotonic()
    while process.poll() is None and time.monotonic() - start < seconds + 60:
        try:
            samples.append((time.monotonic() - start, *state(process.pid)))
        except (FileNotFoundError, StopIteration, ProcessLookupError):
            break
        time.sleep(min(1, seconds / 60))
    later = [sample for sample in samples if sample[0] > samples[-1][0] / 3]
    third = max(1, len(later) // 3)
    early, late = (max(sample[1] for sample in part) for part in (later[:third], later[-third:]))
    open_early, open_late = (min(sample[2] for sample in part) for part in (later[:third], later[-third:]))
    hours = max(later[-1][0] - later[0][0], 1) / 3600
    growth = late - early
    print(f"{name}: {len(samples)} samples in {samples[-1][0]:.0f} s, resident {early} KiB, later {late} KiB "
          f"({growth / 1024 / hours:+.2f} MiB an hour), descriptors {open_early}, later {open_late}")
    return growth, open_late - open_early


def lines(program, count, seconds):
    """`count` lines, one in ten of them bad, in order through classify; at most for `seconds`."""
    process = subprocess.Popen([program, "classify", "--model", str(FOLDER), "--threads", "1"], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE)
    sent = [0]

    def feed():
        end = time.monotonic() + seconds
        with process.stdin:
            for i in range(count):
                if i % 1000 == 0 and time.monotonic() > end:
                    break
                text = "not json" if i % 10 == 3 else json.dumps({"text": "a garden " * (1 + i % 7), "id": i})
                process.stdin.write(text.encode() + b"\n")
                sent[0] += 1
    wrong = [0]
    got = [0]

    def check():
        for number, line in enumerate(process.stdout):
            answer = json.loads(line)
            bad = number % 10 == 3
            wrong[0] += ("error" in answer) != bad or (answer.get("line") != number + 1 if bad else answer["id"] != number)
            got[0] += 1
    feeder, checker = threading.Thread(target=feed), threading.Thread(target=check)
    feeder.start()
    checker.start()
    growth, leaked = watch(process, "lines", seconds)
    feeder.join()
    checker.join()
    code = process.wait()
    print(f"lines: {sent[0]} sent, {got[0]} answered, {wrong[0]} wrong, exit code {code}")
    return wrong[0] == 0 and sent[0] == got[0] and code == 3 and growth < 1024 and leaked == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--soak", required=True)
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--lines", type=int, default=1_000_000)
    arguments = parser.parse_args()
    half = arguments.seconds / 2
    process = subprocess.Popen([arguments.soak, str(ROOT), str(half)])
    growth, leaked = watch(process, "load, run, destroy", half)
    good = process.wait() == 0 and growth < 1024 and leaked == 0
    good = lines(arguments.program, arguments.lines, half) and good
    print("flat" if good else "NOT FLAT")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
