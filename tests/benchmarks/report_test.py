#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that docs/benchmarks.md keeps one section for each machine, with figures that were made up for this test.

    python3 tests/benchmarks/report_test.py
"""
import pathlib
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))
import page  # noqa: E402  (after the path is set)
import results  # noqa: E402

OLD = {"cpu": "Old One (family 1, model 2)", "cores": 2, "extensions": ["avx2"], "isa": "avx2"}
NEW = {"cpu": "New One (family 3, model 4)", "cores": 8, "extensions": ["avx512f", "amx_bf16"], "isa": "amx"}


def measure(folder, part, machine, seconds, again=False, version="1.0", **precisions):
    """A part with one cell, as compare.py keeps it. `seconds`: of each competitor."""
    here = {"machine": machine, "versions": {"torch": version}}
    rows = [{"attention": "exact", "length": 128, "threads": 1, "competitor": name, "min": time, "median": 2 * time,
             "peak_mib": 10.0} for name, time in seconds.items()]
    for row in rows:
        if row["competitor"].replace("-", "_") in precisions:
            row["precision"] = precisions[row["competitor"].replace("-", "_")]
    results.Results(folder, part, here, f"compare.py --part {part}", again).add(rows)


def sections(folder):
    """The text of each machine's section by its heading."""
    return {text.partition("\n")[0]: text for text in page.page(results.load(folder)).split("\n## ")[1:]}


def check_titles(found):
    """The paragraph before each table names the CPU, and whether it has AMX."""
    for machine, amx in ((OLD, "no"), (NEW, "yes")):
        paragraphs = [" ".join(text.split()) for text in found[machine["cpu"]].split("\n\n")]
        title = f"{machine['cpu']}, {machine['cores']} cores, AMX: {amx}."
        titles = [before for before, text in zip(paragraphs, paragraphs[1:]) if text.startswith("|")]
        assert titles and all(text.endswith(title) for text in titles), titles


def check_machines(folder):
    measure(folder, "table", OLD, {"nystromformer": 1.111, "torch-eager": 2.222})
    measure(folder, "table", NEW, {"nystromformer": 3.333, "torch-eager": 4.444})
    measure(folder, "lengths", NEW, {"nystromformer": 5.555, "torch-eager": 6.666})
    before = sections(folder)
    assert list(before) == [NEW["cpu"], OLD["cpu"]], list(before)
    old, new = before[OLD["cpu"]], before[NEW["cpu"]]
    assert "1.111" in old and "3.333" not in old and "3.333" in new and "1.111" not in new, before
    check_titles(before)
    measure(folder, "table", NEW, {"nystromformer": 7.777, "torch-eager": 8.888}, again=True)
    after = sections(folder)
    assert after[OLD["cpu"]] == old, after
    new = after[NEW["cpu"]]
    assert "7.777" in new and "3.333" not in new and "5.555" in new, new
    kept = results.load(folder)[results.slug(NEW["cpu"])]["table"]["rows"]
    assert [row["min"] for row in kept] == [7.777, 8.888], kept
    try:
        measure(folder, "table", NEW, {"nystromformer": 9.999}, version="2.0")
    except SystemExit as refusal:
        assert "--again" in str(refusal), refusal
    else:
        raise AssertionError("figures of two versions were mixed")
    assert sections(folder) == after


def check_ratios(folder):
    """bf16 is compared with bf16, and a runtime that chooses counts as what it chose."""
    seconds = {"nystromformer": 8.0, "nystromformer-bf16": 4.0, "nystromformer-int8": 2.0, "torch-bf16": 7.0,
               "openvino-default": 6.0, "openvino-fp32": 10.0, "onnxruntime-int8": 3.0}
    measure(folder, "int8", NEW, seconds, openvino_default="bf16")
    measure(folder, "int8", OLD, seconds, openvino_default="fp32")
    found = sections(folder)
    assert "chose bf16" in found[NEW["cpu"]] and "chose fp32" in found[OLD["cpu"]], found
    check_titles(found)
    int8 = "**1.50** / 1.50 (ONNX Runtime int8)"
    line = f"| **1.25** / 1.25 (OpenVINO fp32 hint) | **1.50** / 1.50 (OpenVINO as it comes) | {int8} |"
    assert line in found[NEW["cpu"]], found[NEW["cpu"]]
    line = f"| **0.75** / 0.75 (OpenVINO as it comes) | **1.75** / 1.75 (PyTorch bf16) | {int8} |"
    assert line in found[OLD["cpu"]], found[OLD["cpu"]]


def main():
    for check in (check_machines, check_ratios):
        with tempfile.TemporaryDirectory() as name:
            check(pathlib.Path(name))
    machines = results.load(results.FOLDER)
    assert page.page(machines) == (ROOT / "docs/benchmarks.md").read_text(), "run benchmarks/report.py"
    print(f"Sections stay apart, and docs/benchmarks.md is that of {len(machines)} machines.")


if __name__ == "__main__":
    main()
