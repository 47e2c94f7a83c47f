#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Times this library beside PyTorch, ONNX Runtime and OpenVINO, taking turns, on an idle machine.

    python benchmarks/compare.py --part table          # fp32: the table
    python benchmarks/compare.py --part int8           # int8 and bf16 beside fp32
    python benchmarks/compare.py --part lengths        # time and memory against the length
    python benchmarks/compare.py --part first-answer   # from the start of a process
    python benchmarks/report.py                        # docs/benchmarks.md and its plots, from what was measured

Needs: benchmarks/requirements.txt, `cmake --preset release && cmake --build --preset release`, a C++ compiler
(also for torch.compile), 12 GB of memory and, in the cache folder, 30 GB of disk.

Each competitor is a process that loads one model and runs one forward pass when told to; all competitors of a
cell (attention, length, threads) run round robin, one at a time. What is measured is kept after every cell, in
benchmarks/results, in a file for each CPU; a cell that is there is not measured again without --again, which
forgets this part on this CPU alone. --only exact:512:1 measures only this cell, with cells separated by commas.
"""
import argparse
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import competitors
import machine
import models
import names
import results

ROOT = models.ROOT
FP32 = ["nystromformer", "torch-eager", "torch-compiled", "onnxruntime", "openvino-fp32"]
INT8 = ["nystromformer", "nystromformer-int8", "nystromformer-bf16", "torch-eager", "torch-bf16", "torch-autocast",
        "onnxruntime", "onnxruntime-int8", "openvino-default", "openvino-fp32", "openvino-bf16", "openvino-int8"]
LENGTHS = [128, 256, 512, 1024, 2048, 4096, 8192, 16384]
CELLS = {  # (attention, length, threads)
    "table": [(attention, length, threads) for attention, length in
              [("exact", 128), ("exact", 512), ("nystrom", 512), ("nystrom", 4096), ("exact", 4096)]
              for threads in (1, 2)],
    "int8": [("exact", length, threads) for length in (128, 512) for threads in (1, 2)],
    "lengths": [(attention, length, 2) for attention in ("nystrom", "exact") for length in LENGTHS],
}
COMPETITORS = {"table": FP32, "int8": INT8,
               "lengths": ["nystromformer", "torch-eager", "onnxruntime", "openvino-fp32"]}
ROUNDS = {"table": 9, "int8": 15, "lengths": 3, "first-answer": 15}
TOLERANCES = {"fp32": 1e-4, "bf16": 0.05, "int8": 0.1}  # of last hidden states, relative to the largest value
PAUSE = 0.3  # seconds between two turns, in which the threads of the one before stop spinning


def difference(state, reference):
    """The largest difference, relative to the largest value, and the cosine."""
    import numpy
    state, reference = state.astype("float64"), reference.astype("float64")
    return {"difference": float(abs(state - reference).max() / max(1, abs(reference).max())),
            "cosine": float(state @ reference / (numpy.linalg.norm(state) * numpy.linalg.norm(reference)))}


def check_states(running, rows, reference_name):
    """Compares the last hidden states with one competitor's: who computes something else must not be timed."""
    import numpy
    states = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, process in running.items():
            path = pathlib.Path(folder, name)
            if process.answer(f"write {path}") is not None:
                states[name] = numpy.fromfile(path, "float32")
    if reference_name not in states:
        return
    for name, state in states.items():
        rows[name].update(difference(state, states[reference_name]))
        if rows[name]["difference"] > TOLERANCES[names.precision_of(rows[name])]:
            rows[name]["note"] = f"its states differ by {rows[name]['difference']:.1e}"
            running.pop(name).stop()


def turns(running, rows, rounds):
    """`rounds` times one forward pass of each, in an order that moves on by one each round."""
    seconds = {name: [] for name in running}
    for number in range(rounds):
        order = list(running)
        at = number % max(1, len(order))
        for name in order[at:] + order[:at]:
            time.sleep(PAUSE)
            answer = running[name].answer("run")
            if answer is None:
                rows[name]["note"] = running.pop(name).why()
            else:
                seconds[name].append(answer)
    for name, process in running.items():
        rows[name].update(seconds=seconds[name], min=min(seconds[name]), median=statistics.median(seconds[name]),
                          peak_mib=process.peak_mib())


def measure_cell(cell, chosen, rounds, options, stopped=()):
    """A row for each competitor; one that cannot run has a note in place of seconds."""
    attention, length, threads = cell
    rows = {name: {"attention": attention, "length": length, "threads": threads, "competitor": name}
            for name in chosen}
    running = {}
    try:
        for name in chosen:
            why_not = "stopped: a shorter text took too long" if name in stopped else \
                competitors.too_large(name, attention, length)
            if why_not:
                rows[name]["note"] = why_not
                continue
            process = competitors.Competitor(name, cell, options)
            if process.is_ready() and process.answer("run") is not None:  # the first pass warms up
                running[name] = process
                rows[name]["precision"] = process.precision
            else:
                rows[name]["note"] = process.why()
                print("  ", name, rows[name]["note"], flush=True)
        check_states(running, rows, "torch-eager" if "torch-eager" in running else "openvino-fp32")
        turns(running, rows, rounds)
    finally:
        for process in running.values():
            process.stop()
    return list(rows.values())


def measure_cells(part, found, options):
    for cell in options.only or CELLS[part]:
        attention, length, threads = cell
        if found.has(attention=attention, length=length, threads=threads):
            print(f"{part}: {attention} {length}, {threads} threads: there already", flush=True)
            continue
        print(f"{part}: {attention} {length}, {threads} threads", flush=True)
        stopped = found.slower(options.stop_seconds, attention, length) if part == "lengths" else ()
        rows = measure_cell(cell, options.competitors or COMPETITORS[part], options.rounds or ROUNDS[part], options,
                            stopped)
        for row in rows:
            print("   {competitor:20}".format(**row),
                  "{min:.4f} s {median:.4f} s {peak_mib:.0f} MiB".format(**row) if "min" in row else row["note"],
                  flush=True)
        found.add(rows)


def measure_first_answers(found, options):
    """Seconds from the start of a process to its first line, of each in turn."""
    if found.has(competitor="nystromformer"):
        return print("first-answer: there already", flush=True)
    competitors.make(["bundled"], options)
    text = "She opened the [MASK] and walked into the garden."
    commands = {"nystromformer": [options.program, "fill-mask", "--model", models.BUNDLED, "--threads", 1,
                                  "--top-k", 1, text]}
    for peer in ("transformers", "onnxruntime", "openvino-fp32"):
        commands[peer] = [sys.executable, ROOT / "benchmarks/first_answer.py", options.cache, peer]
    seconds = {name: [] for name in commands}
    rounds = options.rounds or ROUNDS["first-answer"]
    for number in range(rounds + 1):
        for name, command in commands.items():
            time.sleep(PAUSE)
            started = time.perf_counter()
            with subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True,
                                  stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                  env=competitors.environment(name, 1, options)) as process:
                line = process.stdout.readline()
                elapsed = time.perf_counter() - started
            assert "door" in line, (name, line)
            if number:  # the first round brings the files into the page cache
                seconds[name].append(elapsed)
    rows = [{"competitor": name, "seconds": values, "min": min(values), "median": statistics.median(values)}
            for name, values in seconds.items()]
    for row in rows:
        print("   {competitor:20} {min:.4f} s {median:.4f} s".format(**row), flush=True)
    found.add(rows)


def cells_of(text):
    cells = [word.split(":") for word in text.split(",")]
    return [(attention, int(length), int(threads)) for attention, length, threads in cells]


def competitors_of(text):
    found = text.split(",")
    unknown = [name for name in found if name not in names.COMPETITORS]
    if unknown:
        raise argparse.ArgumentTypeError(f"no {', '.join(unknown)}; there are {', '.join(names.COMPETITORS)}")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", required=True, choices=[*CELLS, "first-answer"])
    parser.add_argument("--only", type=cells_of, metavar="ATTENTION:LENGTH:THREADS,...")
    parser.add_argument("--competitors", type=competitors_of, metavar="NAME,...")
    parser.add_argument("--rounds", type=int, help=f"default: {ROUNDS}")
    parser.add_argument("--stop-seconds", type=float, default=60,
                        help="in part lengths, a competitor slower than this is not run on longer texts")
    parser.add_argument("--again", action="store_true", help="forget what was measured for this part")
    parser.add_argument("--cache", type=pathlib.Path, default=pathlib.Path.home() / ".cache/nystromformer/benchmarks")
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/release/bin/nystromformer")
    parser.add_argument("--results", type=pathlib.Path, default=results.FOLDER)
    parser.add_argument("--compiler", default="c++")
    parser.add_argument("--eigen", default="/usr/include/eigen3")
    options = parser.parse_args()
    options.cache = options.cache.resolve()
    options.cache.mkdir(parents=True, exist_ok=True)
    command = "python benchmarks/compare.py " + " ".join(sys.argv[1:])
    found = results.Results(options.results, options.part, machine.describe(options.program), command, options.again)
    if options.part == "first-answer":
        return measure_first_answers(found, options)
    options.driver = competitors.build_driver(options)
    measure_cells(options.part, found, options)


if __name__ == "__main__":
    main()
