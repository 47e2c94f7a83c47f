#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Draws docs/benchmarks.md and its plots from docs/benchmarks.json, which compare.py measured.

    python benchmarks/report.py [--results docs/benchmarks.json]

The page and the plots go beside the results.
"""
import argparse
import json
import pathlib
import textwrap

import plots

NAMES = {"nystromformer": "nystromformer", "nystromformer-int8": "nystromformer int8",
         "nystromformer-bf16": "nystromformer bf16", "torch-eager": "PyTorch", "torch-compiled": "torch.compile",
         "onnxruntime": "ONNX Runtime", "onnxruntime-int8": "ONNX Runtime int8", "openvino": "OpenVINO",
         "openvino-int8": "OpenVINO int8", "transformers": "transformers pipeline"}
PARTS = {"table": "fp32", "int8": "int8 and bf16", "lengths": "Time and memory against the length",
         "first-answer": "From the start of a process to the first answer"}
HOW = """The model has base size (12 layers, hidden size 768, 12 heads, intermediate size 3072, a convolution
of 65 taps) and random weights. Batch 1; Nyström attention has 64 landmarks. Each competitor is a
process that has loaded its model and warmed up. They take turns, one forward pass at a time. The
last hidden states of the fp32 competitors were compared before.

- The two ratios are best peer / ours, of the minima and of the medians. Above 1, this library is
  faster. On a shared machine the minima say more: neighbours only ever take time away.
- Peak memory is the VmHWM of the process, including mapped weight files. PyTorch's compiled model
  includes its compiler.
- ONNX Runtime and OpenVINO get a graph of one fixed length.
- transformers' Nyström branch runs without its attention mask, because it fails with one.
- PyTorch's compiled model runs with frozen weights.

[How each part was measured](#how-it-was-measured) is at the end of this page."""


def by_cell(rows):
    cells = {}
    for row in rows:
        cells.setdefault((row["attention"], row["length"], row["threads"]), {})[row["competitor"]] = row
    return cells


def cell_name(attention, length, threads):
    return f"{'Nyström' if attention == 'nystrom' else 'exact'} {length}, {threads} thread{'s' if threads > 1 else ''}"


def is_ours(name):
    return name.startswith("nystromformer")


def best_peer(cell, of="min"):
    """The name and row of the fastest that is not this library, by its "min" or "median"."""
    return min(((name, row) for name, row in cell.items() if not is_ours(name) and of in row),
               key=lambda item: item[1][of], default=(None, None))


def ratio_of(cell, of="min"):
    """Best peer over ours."""
    _, row = best_peer(cell, of)
    ours = cell.get("nystromformer", {})
    return row[of] / ours[of] if row and of in ours else None


def markdown(header, lines):
    rule = ["---"] + ["---:"] * (len(header) - 1)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [header, rule, *lines])


def names_in(rows):
    return [name for name in NAMES if any(row["competitor"] == name for row in rows)]


def grid(rows, entry, last=None):
    """A table with a line for each cell and a column for each competitor."""
    names = names_in(rows)
    lines = []
    for key, cell in by_cell(rows).items():
        line = [cell_name(*key)] + [entry(cell[name]) if name in cell else "" for name in names]
        lines.append(line + ([last[1](cell)] if last else []))
    return markdown(["", *(NAMES[name] for name in names), *([last[0]] if last else [])], lines)


def seconds(row):
    return f"{row['min']:.3f} / {row['median']:.3f}" if "median" in row else "-"


def memory(row):
    return f"{row['peak_mib']:.0f}" if "median" in row else "-"


def ratio_text(cell):
    if not ratio_of(cell):
        return "-"
    return f"**{ratio_of(cell):.2f}** / {ratio_of(cell, 'median'):.2f} ({NAMES[best_peer(cell)[0]]})"


def notes(rows):
    """The reasons for missing numbers, each once."""
    found = {}
    for row in rows:
        if "note" in row:
            where = cell_name(row["attention"], row["length"], row["threads"])
            found.setdefault((NAMES[row["competitor"]], row["note"]), []).append(where)
    return "".join(wrapped(f"- {name}: {note} ({'; '.join(where)})", indent="  ") + "\n"
                   for (name, note), where in found.items())


def comparison(rows):
    return (f"Seconds, min / median:\n\n{grid(rows, seconds, ('best peer / ours', ratio_text))}\n\n"
            f"Peak memory, MiB:\n\n{grid(rows, memory)}\n\n{notes(rows)}")


def int8_section(rows):
    """With the gain of each low precision over the same runtime's fp32, and the cosine of the states."""
    lines = []
    for key, cell in by_cell(rows).items():
        for name, row in cell.items():
            full = cell.get(name.partition("-")[0], {})
            if name in FP32_NAMES or "median" not in row or "median" not in full:
                continue
            cosine = f"{row['cosine']:.5f}" if "cosine" in row else "-"
            lines.append([f"{cell_name(*key)}: {NAMES[name]}", f"{full['min'] / row['min']:.2f}", cosine])
    gains = markdown(["", "gain over its own fp32, min", "cosine to fp32"], lines)
    return comparison(rows) + f"\n{gains}\n\nThe weights are random; the cosines of a trained model differ.\n"


FP32_NAMES = ("nystromformer", "onnxruntime", "openvino")


def first_answer_section(rows):
    lines = [[NAMES[row["competitor"]], f"{row['min']:.3f} / {row['median']:.3f}"] for row in rows]
    return ("Fill-mask of one sentence with the bundled model on one thread, with the files in the page cache.\n"
            "transformers runs its pipeline. ONNX Runtime and OpenVINO run the shortest Python program with\n"
            "`tokenizers` and an exported model.\n\n" + markdown(["", "seconds, min / median"], lines) + "\n")


def wrapped(text, continuation="", indent=""):
    """Lines of at most 100 columns; `continuation` ends those that go on."""
    lines = textwrap.wrap(text, 100 - len(continuation), subsequent_indent=indent, break_long_words=False,
                          break_on_hyphens=False)
    return (continuation + "\n").join(lines)


def provenance(part):
    machine, versions = part["machine"], part["versions"]
    dates = sorted(row["date"] for row in part["rows"])
    spread = dates[0] if dates[0] == dates[-1] else f"{dates[0]} to {dates[-1]}"
    listed = ", ".join(f"{name} {version}" for name, version in versions.items())
    facts = [f"{machine['cpu']}, {machine['cores']} cores, {' '.join(machine['extensions'])}; this library uses "
             f"{machine['isa']}", spread, listed]
    text = "".join(wrapped("- " + fact, indent="  ") + "\n" for fact in facts)
    return text + "\n```sh\n" + "\n".join(wrapped(c, " \\", "    ") for c in part["commands"]) + "\n```\n"


def page(parts, images):
    sections = {"table": comparison, "int8": int8_section, "lengths": comparison,
                "first-answer": first_answer_section}
    shown = [part for part in PARTS if parts.get(part, {}).get("rows")]
    text = f"# Benchmarks\n\n{HOW}\n"
    for part in shown:
        text += f"\n## {PARTS[part]}\n\n"
        text += "".join(f"![{alt}]({file})\n\n" for file, alt in images.get(part, []))
        text += sections[part](parts[part]["rows"]).rstrip("\n") + "\n"
    text += "\n## How it was measured\n"
    for part in shown:
        text += f"\n### {PARTS[part]}\n\n{provenance(parts[part])}"
    return text.rstrip("\n") + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parent.parent / "docs/benchmarks.json")
    options = parser.parse_args()
    parts = json.loads(options.results.read_text())
    folder = options.results.parent
    images = {}
    if parts.get("table", {}).get("rows"):
        cells = {cell_name(*key): (ratio_of(cell), NAMES.get(best_peer(cell)[0]))
                 for key, cell in by_cell(parts["table"]["rows"]).items()}
        plots.speedups(folder / "speedups.svg", cells)
        images["table"] = [("speedups.svg", "Speed-up over the best peer")]
    if parts.get("lengths", {}).get("rows"):
        rows = [{**row, "name": NAMES[row["competitor"]]} for row in parts["lengths"]["rows"] if "median" in row]
        plots.against_length(folder / "time.svg", rows, "median", "seconds of a forward pass")
        plots.against_length(folder / "memory.svg", rows, "peak_mib", "peak memory, MiB")
        images["lengths"] = [("time.svg", "Time against the length"), ("memory.svg", "Memory against the length")]
    (folder / "benchmarks.md").write_text(page(parts, images))


if __name__ == "__main__":
    main()
