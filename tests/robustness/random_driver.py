#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs every command of the program on random valid but odd folders, options and texts, and checks what must hold
whatever they are.  A run is one folder, one command with drawn options, and a handful of inputs.

    python3 tests/robustness/random_driver.py PROGRAM [--seed 1] [--count 200] [--seconds 0] [--python]

PROGRAM is best one that was built with sanitizers.  Of each run: no signal and no sanitizer's report, an exit code of
the contract, one line for each input line, in order, with its own fields and an answer or an error, numbers that are
finite, time, memory and output within bounds, and what the command itself promises.  Of a third of them: the same
answers line by line, on one thread.  With --python, where the reference libraries are installed: token ids, embeddings
and logits as they compute them.  A finding prints its run number; --seed S --only N runs that one alone and keeps its
folder."""
import argparse
import json
import pathlib
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time

import checks
import folders
import requests_of

MAX_SECONDS, MAX_BYTES, MAX_KIB = 60, 16 << 20, 3 << 20
RUNS_OF_FOLDER = 8
TRACES = ("Sanitizer", "runtime error:", "json.exception", "std::", "terminate called")


class Finding(Exception):
    """What does not hold."""


def require(holds, what):
    if not holds:
        raise Finding(what)


class Run:
    """One command on one folder with its input lines."""

    def __init__(self, dice, folder, program, scratch):
        self.dice, self.folder, self.program = dice, folder, program
        self.request = requests_of.draw(dice, folder, scratch)

    def call(self, options, data):
        arguments = [self.program, self.request.command, "--model", str(self.folder.path), *options]
        try:
            done = subprocess.run(arguments, input=data, capture_output=True, timeout=MAX_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise Finding(f"no end in {MAX_SECONDS} s: {arguments}") from error
        err = done.stderr.decode("utf-8", "replace")
        told = f"{arguments}: exit {done.returncode}: {err[:3000]}"
        require(done.returncode in (0, 1, 2, 3), told)
        require(not any(trace in err for trace in TRACES), told)
        require(len(done.stdout) <= MAX_BYTES, f"{len(done.stdout)} bytes of output: {told}")
        return done.returncode, done.stdout, err

    def check(self):
        request = self.request
        data = b"".join(line + b"\n" for line in request.lines)
        code, out, err = self.call([*request.options, "--threads", "2"] if request.threads else request.options, data)
        told = f"{request.command} {request.options} {data[:2000]!r}: exit {code}: {err[:500]}"
        if code in (1, 2):
            require(not out and err, told)
            require(code in request.codes, told)
            return code
        if not request.lines:
            require(code == 0, told)
            return checks.whole(self.folder, request, out, require)
        answers = self.answers(out, code, told)
        for line, answer in zip(request.lines, answers):
            if "output" in answer:
                checks.answer(self.folder, request, answer, require)
        if self.dice.random() < 1 / 3 and request.repeatable:
            self.check_alone(answers)
        return code

    def answers(self, out, code, told):
        answers = [json.loads(line) for line in out.decode("utf-8").split("\n")[:-1]]
        require(len(answers) == len(self.request.lines), f"{len(answers)} lines: {told}")
        failed = 0
        for line, answer in zip(self.request.lines, answers):
            require(("output" in answer) != ("error" in answer), f"{answer}: {told}")
            failed += "error" in answer
            try:
                own = json.loads(line)
            except ValueError:
                require("error" in answer, f"{line!r} has an answer: {told}")
                continue
            # Half of a surrogate pair, which Python takes, is no text.
            for key, value in own.items() if isinstance(own, dict) and b"\\ud800" not in line else ():
                if key not in ("output", "error", "cut", "line"):
                    require(answer.get(key) == value, f"{key} of {line!r} is {answer.get(key)!r}: {told}")
        require((code == 3) == (failed > 0), f"{failed} failed: {told}")
        return answers

    def check_alone(self, together):
        """Each line alone, on one thread, and in other batches, gets the same answer."""
        request = self.request
        options = [*request.options, "--threads", "1"]
        if request.batches and "--batch-tokens" not in options:
            options += ["--batch-tokens", str(self.dice.choice([1, 3, 17]))]
        arguments = [self.program, request.command, "--model", str(self.folder.path), *options]
        process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            for number, line in enumerate(request.lines):
                process.stdin.write(line + b"\n")
                process.stdin.flush()
                alone = process.stdout.readline()
                require(alone, f"no line: {arguments}: {process.stderr.read(3000) if process.poll() else ''}")
                require(json.loads(alone) == together[number],
                        f"{arguments}\n  {line!r}\n  alone {alone[:1000]!r}\n  together {str(together[number])[:1000]}")
        finally:
            process.communicate()


def one(program, seed, number, scratch, compare):
    """Run `number`; its folder is drawn from a number of its own, which some runs share."""
    path = scratch / f"folder{number // RUNS_OF_FOLDER}"
    if path.exists():
        shutil.rmtree(path)
    folder = folders.Folder(random.Random(f"{seed} folder {number // RUNS_OF_FOLDER}"), path)
    return check(folder, program, seed, number, scratch, compare)


def check(folder, program, seed, number, scratch, compare):
    run = Run(random.Random(f"{seed} run {number}"), folder, program, scratch)
    code = run.check()
    if compare and number % RUNS_OF_FOLDER == 0:
        import reference  # needs the libraries
        reference.compare(folder, run, require)
    return run.request.command, code


def run_all(arguments, scratch):
    counts, findings, start = {}, 0, time.monotonic()
    folder, number = None, arguments.first
    while number < arguments.first + arguments.count:
        if arguments.seconds and time.monotonic() - start > arguments.seconds:
            break
        try:
            if folder is None or number % RUNS_OF_FOLDER == 0:
                if folder:
                    shutil.rmtree(folder.path)
                place = number // RUNS_OF_FOLDER
                folder = folders.Folder(random.Random(f"{arguments.seed} folder {place}"), scratch / f"folder{place}")
            key = check(folder, arguments.program, arguments.seed, number, scratch, arguments.python)
            counts[key] = counts.get(key, 0) + 1
        except Finding as finding:
            findings += 1
            print(f"run {number}: {finding}\n", flush=True)
            if findings >= arguments.most_findings:
                break
        number += 1
    seconds = time.monotonic() - start
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    by_command = {}
    for (command, code), count in counts.items():
        by_command.setdefault(command, {})[code] = count
    for command, codes in sorted(by_command.items()):
        print(f"{command:12} " + ", ".join(f"{count} with exit {code}" for code, count in sorted(codes.items())))
    print(f"{number - arguments.first} runs in {seconds:.0f} s, {findings} findings, at most {peak // 1024} MiB")
    if peak > MAX_KIB:
        print(f"more than {MAX_KIB // 1024} MiB")
    return findings > 0 or peak > MAX_KIB


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--first", type=int, default=0, help="number of the first run, to share a seed between processes")
    parser.add_argument("--seconds", type=float, default=0, help="stop after that many")
    parser.add_argument("--most-findings", type=int, default=20)
    parser.add_argument("--only", type=int, help="this run alone; its folder is kept")
    parser.add_argument("--python", action="store_true", help="compare with the reference libraries, too")
    arguments = parser.parse_args()
    arguments.program = str(pathlib.Path(arguments.program).resolve())
    if arguments.only is not None:
        scratch = pathlib.Path(tempfile.mkdtemp(prefix="random_driver_"))
        print(f"in {scratch}")
        print(one(arguments.program, arguments.seed, arguments.only, scratch, arguments.python))
        return
    with tempfile.TemporaryDirectory(prefix="random_driver_") as scratch:
        sys.exit(run_all(arguments, pathlib.Path(scratch)))


if __name__ == "__main__":
    main()
