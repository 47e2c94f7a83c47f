# SPDX-License-Identifier: MIT
"""The tables of docs/benchmarks.md, each of one part on one machine."""
import textwrap

import names


def by_cell(rows):
    cells = {}
    for row in rows:
        cells.setdefault((row["attention"], row["length"], row["threads"]), {})[row["competitor"]] = row
    return cells


def cell_name(attention, length, threads):
    return f"{'Nyström' if attention == 'nystrom' else 'exact'} {length}, {threads} thread{'s' if threads > 1 else ''}"


def best_peer(cell, precision, of="min"):
    """The name and row of the fastest of a precision that is not this library, by its "min" or "median"."""
    return min(((name, row) for name, row in cell.items()
                if not names.is_ours(name) and of in row and names.precision_of(row) == precision),
               key=lambda item: item[1][of], default=(None, None))


def ratio_of(cell, precision="fp32", of="min"):
    """Best peer over ours, both of one precision."""
    _, row = best_peer(cell, precision, of)
    ours = cell.get(names.OURS[precision], {})
    return row[of] / ours[of] if row and of in ours else None


def ratio_text(cell, precision="fp32"):
    ratio = ratio_of(cell, precision)
    if not ratio:
        return "-"
    peer = names.label(best_peer(cell, precision)[0])
    return f"**{ratio:.2f}** / {ratio_of(cell, precision, 'median'):.2f} ({peer})"


def wrapped(text, continuation="", indent=""):
    """Lines of at most 100 columns; `continuation` ends those that go on."""
    lines = textwrap.wrap(text, 100 - len(continuation), subsequent_indent=indent, break_long_words=False,
                          break_on_hyphens=False)
    return (continuation + "\n").join(lines)


def markdown(header, lines):
    rule = ["---"] + ["---:"] * (len(header) - 1)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [header, rule, *lines]) + "\n"


def grid(rows, entry, last=None):
    """A table with a line for each cell and a column for each competitor."""
    shown = [name for name in names.COMPETITORS if any(row["competitor"] == name for row in rows)]
    lines = []
    for key, cell in by_cell(rows).items():
        line = [cell_name(*key)] + [entry(cell[name]) if name in cell else "" for name in shown]
        lines.append(line + ([last[1](cell)] if last else []))
    return markdown(["", *map(names.label, shown), *([last[0]] if last else [])], lines)


def seconds(row):
    return f"{row['min']:.3f} / {row['median']:.3f}" if "median" in row else "-"


def memory(row):
    return f"{row['peak_mib']:.0f}" if "median" in row else "-"


def has_amx(machine):
    return "yes" if any(flag.startswith("amx") for flag in machine["extensions"]) else "no"


def titled(text, part):
    """The line above a table, with where it was measured."""
    machine = part["machine"]
    return wrapped(f"{text}. {machine['cpu']}, {machine['cores']} cores, AMX: {has_amx(machine)}.") + "\n\n"


def notes(rows):
    """What a runtime chose, and the reasons for missing numbers, each once."""
    found = {}
    for row in rows:
        where = cell_name(row["attention"], row["length"], row["threads"])
        name = names.label(row["competitor"])
        usual = names.COMPETITORS[row["competitor"]].precision
        if row.get("precision", usual) != usual:  # it had no hint, or one that this CPU cannot follow
            found.setdefault((name, f"chose {row['precision']}"), []).append(where)
        if "note" in row:
            found.setdefault((name, row["note"]), []).append(where)
    return "".join(wrapped(f"- {name}: {note} ({'; '.join(where)})", indent="  ") + "\n"
                   for (name, note), where in found.items()) + ("\n" if found else "")


def comparison(part):
    """fp32 alone."""
    rows = part["rows"]
    return (titled("Seconds, min / median", part) + grid(rows, seconds, ("best peer / ours", ratio_text)) + "\n" +
            titled("Peak memory, MiB", part) + grid(rows, memory) + "\n" + notes(rows))


def ratios(rows):
    cells = by_cell(rows).items()
    return markdown(["", *names.OURS], [[cell_name(*key), *(ratio_text(cell, precision) for precision in names.OURS)]
                                        for key, cell in cells])


def gains(rows):
    """What each low precision gains over the same runtime's fp32, and the cosine of the states."""
    lines = []
    for key, cell in by_cell(rows).items():
        for name, row in cell.items():
            full = cell.get(names.COMPETITORS[name].base, {})
            if "median" in row and "median" in full:
                cosine = f"{row['cosine']:.5f}" if "cosine" in row else "-"
                lines.append([f"{cell_name(*key)}: {names.label(name)}", f"{full['min'] / row['min']:.2f}", cosine])
    return markdown(["", "gain over its own fp32, min", "cosine to fp32"], lines)


def low_precision(part):
    rows = part["rows"]
    return (titled("Seconds, min / median", part) + grid(rows, seconds) + "\n" +
            titled("Best peer / ours of the same precision, min / median; a dash where one was not measured",
                   part) + ratios(rows) + "\n" +
            titled("Peak memory, MiB", part) + grid(rows, memory) + "\n" + notes(rows) +
            titled("What a lower precision gains, and what it costs", part) + gains(rows) +
            "\nThe weights are random; the cosines of a trained model differ.\n")


def first_answer(part):
    lines = [[names.label(row["competitor"]), f"{row['min']:.3f} / {row['median']:.3f}"] for row in part["rows"]]
    return ("Fill-mask of one sentence with the bundled model on one thread, with the files in the page cache.\n"
            "transformers runs its pipeline. ONNX Runtime and OpenVINO run the shortest Python program with\n"
            "`tokenizers` and an exported model.\n\n" + titled("Seconds, min / median", part) +
            markdown(["", "seconds, min / median"], lines))
