# SPDX-License-Identifier: MIT
"""The text of docs/benchmarks.md: one section for each machine."""
import re

import tables

PARTS = {"table": "fp32", "int8": "int8 and bf16", "lengths": "Time and memory against the length",
         "first-answer": "From the start of a process to the first answer"}
TABLES = {"table": tables.comparison, "int8": tables.low_precision, "lengths": tables.comparison,
          "first-answer": tables.first_answer}
PLOTS = {"table": {"speedups": "Speed-up over the best peer"},
         "lengths": {"time": "Time against the length", "memory": "Memory against the length"}}
HOW = """The model has base size (12 layers, hidden size 768, 12 heads, intermediate size 3072, a convolution
of 65 taps) and random weights. Batch 1; Nyström attention has 64 landmarks. Each competitor is a
process that has loaded its model and warmed up. They take turns, one forward pass at a time. The
last hidden states of the competitors were compared before.

- The two ratios are best peer / ours, of the minima and of the medians, both of the same precision.
  Above 1, this library is faster. On a shared machine the minima say more: neighbours only ever
  take time away.
- Peak memory is the VmHWM of the process, including mapped weight files. PyTorch's compiled model
  includes its compiler.
- ONNX Runtime and OpenVINO get a graph of one fixed length.
- "OpenVINO as it comes" has no precision hint: it chooses, and counts as what it chose. "fp32 hint"
  and "bf16 hint" set `INFERENCE_PRECISION_HINT`. "OpenVINO int8" is the model quantized by NNCF,
  without a hint unless the name has one.
- "ONNX Runtime int8" is its dynamic quantization.
- "PyTorch bf16" has the whole model in `bfloat16`; "PyTorch autocast bf16" has the fp32 model under
  `torch.autocast`.
- transformers' Nyström branch runs without its attention mask, because it fails with one.
- PyTorch's compiled model runs with frozen weights.
"""


def anchor(heading):
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def shown(parts):
    return {part: parts[part] for part in PARTS if parts.get(part, {}).get("rows")}


def cpu_of(parts):
    return next(iter(parts.values()))["machine"]["cpu"]


def plot_file(plot, machine):
    return f"{plot}-{machine}.svg"


def span(parts):
    dates = sorted(row["date"] for part in parts for row in part["rows"])
    return dates[0] if dates[0] == dates[-1] else f"{dates[0]} to {dates[-1]}"


def bullets(facts):
    return "".join(tables.wrapped("- " + fact, indent="  ") + "\n" for fact in facts)


def machine_text(machine):
    return f"{machine['cores']} cores, {' '.join(machine['extensions'])}; this library uses {machine['isa']}"


def merged_versions(parts):
    """Each name once, with every version that some part has."""
    found = {}
    for part in parts:
        for name, version in part["versions"].items():
            found.setdefault(name, {})[version] = None
    return ", ".join(f"{name} {' and '.join(versions)}" for name, versions in found.items())


def provenance(part):
    listed = ", ".join(f"{name} {version}" for name, version in part["versions"].items())
    text = bullets([f"{part['machine']['cpu']}, {machine_text(part['machine'])}", span([part]), listed,
                    *part.get("remarks", [])])
    return text + "\n```sh\n" + "\n".join(tables.wrapped(c, " \\", "    ") for c in part["commands"]) + "\n```\n"


def section(machine, parts):
    """Of one machine; `machine` is the name of its file of results."""
    cpu = cpu_of(parts)
    machines = dict.fromkeys(f"{machine_text(part['machine'])}; AMX: {tables.has_amx(part['machine'])}"
                             for part in parts.values())
    text = f"## {cpu}\n\n" + bullets([*machines, span(parts.values()), merged_versions(parts.values())])
    for part in parts:
        text += f"\n### {PARTS[part]}\n\n"
        text += "".join(f"![{alt}]({plot_file(plot, machine)})\n\n" for plot, alt in PLOTS.get(part, {}).items())
        text += TABLES[part](parts[part]).rstrip("\n") + "\n"
    text += "\n### How it was measured\n"
    for part in parts:
        text += f"\n#### {PARTS[part]}\n\n{provenance(parts[part])}"
    return text


def page(machines):
    """`machines`: what results.load gives."""
    machines = {machine: shown(parts) for machine, parts in machines.items() if shown(parts)}
    index = bullets(f"[{cpu_of(parts)}](#{anchor(cpu_of(parts))}), AMX: "
                    f"{tables.has_amx(next(iter(parts.values()))['machine'])}" for parts in machines.values())
    text = f"# Benchmarks\n\n{HOW}\nEach machine has a section, which ends with how each part was measured:\n\n{index}"
    return text + "".join("\n" + section(machine, parts) for machine, parts in machines.items())
