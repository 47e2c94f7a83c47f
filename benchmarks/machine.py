# SPDX-License-Identifier: MIT
"""Where and with what was measured."""
import importlib.metadata
import json
import pathlib
import platform
import re
import subprocess

import models

PACKAGES = ["torch", "transformers", "onnxruntime", "openvino", "nncf"]
FLAGS = ["avx2", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8", "amx_bf16",
         "asimddp", "i8mm", "bf16"]  # the last three are AArch64's
NUMBERS = {"cpu family": "family", "model": "model", "CPU implementer": "implementer", "CPU part": "part"}


def output_of(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, cwd=models.ROOT)
    return done.stdout.strip()


def cpu():
    """Model, number of cores and the extensions that matter here."""
    lines = [line.partition(":") for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()]
    values = {name.strip(): value.strip() for name, _, value in lines}
    cores = sum(name.strip() == "processor" for name, _, _ in lines)
    numbers = [f"{word} {values[name]}" for name, word in NUMBERS.items() if name in values]
    name = re.sub(r"\((R|TM)\)|CPU @.*", "", values.get("model name", platform.machine()))
    flags = values.get("flags", values.get("Features", "")).split()
    return {"cpu": f"{' '.join(name.split())} ({', '.join(numbers)})", "cores": cores,
            "extensions": [flag for flag in FLAGS if flag in flags]}


def describe(program):
    info = json.loads(output_of(program, "info", "--model", models.BUNDLED))
    versions = {package: importlib.metadata.version(package) for package in PACKAGES}
    # Of the headers alone: the results that are being written must not make another version.
    commit = output_of("git", "log", "-1", "--format=%h", "--", "include")
    if output_of("git", "status", "--porcelain", "--", "include"):
        commit += " and changes"
    version = output_of(program, "--version").partition(" (")[0]  # without what it says of its build
    return {"machine": {**cpu(), "isa": info["isa"]},
            "versions": {"nystromformer": version + (f" ({commit})" if commit else ""),
                         "compiler": output_of("c++", "--version").split("\n")[0],
                         "python": platform.python_version(), **versions}}
