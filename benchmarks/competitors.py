# SPDX-License-Identifier: MIT
"""The processes that compare.py lets take turns: how they are started, asked, and told to end."""
import os
import pathlib
import subprocess
import sys
import tempfile

import models
import names

HERE = pathlib.Path(__file__).resolve().parent
FILES = {"torch-eager": "folder", "torch-compiled": "folder", "torch-bf16": "folder", "torch-autocast": "folder",
         "onnxruntime": "onnx", "onnxruntime-int8": "onnx-int8", "openvino-default": "openvino",
         "openvino-fp32": "openvino", "openvino-bf16": "openvino", "openvino-int8": "openvino-int8",
         "openvino-int8-fp32": "openvino-int8"}

# Matrices of heads x n x n floats that were seen alive at once in exact attention; this library has none.
SCORES = {"torch": 4, "onnxruntime": 6, "openvino": 2}


def environment(name, threads, options):
    """Settings of OpenBLAS that may be there for this machine must not slow a peer down."""
    variables = dict(os.environ)
    if not names.is_ours(name):
        for variable in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
            variables.pop(variable, None)
        variables.update(OMP_NUM_THREADS=str(threads), TOKENIZERS_PARALLELISM="false", HF_HUB_OFFLINE="1",
                         TORCHINDUCTOR_CACHE_DIR=str(options.cache / "inductor"))
    return variables


def available_mib():
    for line in pathlib.Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) / 1024
    return float("inf")


def too_large(name, attention, length):
    """Why a competitor would not fit into memory, or nothing."""
    if names.is_ours(name) or attention == "nystrom":
        return None
    need = SCORES[name.partition("-")[0]] * 12 * length * length * 4 / 2**20 + 1500
    if need < available_mib():
        return None
    return f"not run: would need about {need / 1024:.0f} GiB of memory"


def make(words, options):
    """Makes a model file in a process of its own; an error's last line where that fails."""
    done = subprocess.run([sys.executable, HERE / "models.py", options.cache, *map(str, words)],
                          env=environment("", os.cpu_count(), options), stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True)
    return None if done.returncode == 0 else last_line(done.stderr)


def last_line(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "no message"


def build_driver(options):
    """forward.cpp as a plain user compiles it: optimised, for no machine in particular."""
    driver = options.cache / "forward"
    subprocess.run([options.compiler, "-std=c++20", "-O3", "-DNDEBUG", f"-I{models.ROOT / 'include'}",
                    f"-isystem{options.eigen}", HERE / "forward.cpp", "-pthread", "-o", driver], check=True)
    return driver


class Competitor:
    """One running process; `answer` gives seconds, or nothing once it has failed."""

    def __init__(self, name, cell, options):
        attention, length, threads = cell
        self.error = make(["folder" if names.is_ours(name) else FILES[name], attention, length], options)
        self.name, self.process = name, None
        if self.error:
            return
        if names.is_ours(name):
            command = [options.driver, models.folder_of(options.cache, attention, length), length, threads,
                       attention, models.LANDMARKS, names.COMPETITORS[name].precision]
        else:
            command = [sys.executable, HERE / "peers.py", options.cache, name, attention, length, threads]
        self.messages = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, text=True,
                                        stdout=subprocess.PIPE, stderr=self.messages,
                                        env=environment(name, threads, options))
        # Where memory runs out the system must end this process, and not the one that measures.
        pathlib.Path(f"/proc/{self.process.pid}/oom_score_adj").write_text("1000")

    def is_ready(self):
        words = self.process.stdout.readline().split() if self.process else []
        self.precision = words[1] if len(words) > 1 else names.COMPETITORS[self.name].precision
        return words[:1] == ["ready"]

    def answer(self, line):
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
            return float(self.process.stdout.readline())
        except (OSError, ValueError):  # it has ended: a closed pipe, an empty answer
            return None

    def peak_mib(self):
        """VmHWM: with the files that it maps, as these are needed, too."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
        return None

    def stop(self):
        self.process.stdin.close()
        self.process.stdout.close()
        return self.process.wait()

    def why(self):
        """Ends a process that failed and says why it did."""
        if self.process is None:
            return "no model file: " + self.error
        try:
            code = self.stop()
        except BrokenPipeError:
            code = self.process.wait()
        self.messages.seek(0)
        return f"failed ({code}): {last_line(self.messages.read())}"
