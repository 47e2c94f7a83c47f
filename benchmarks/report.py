#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes docs/benchmarks.md and its plots from benchmarks/results, which compare.py measured.

    python benchmarks/report.py [--results benchmarks/results] [--docs docs]
"""
import argparse
import pathlib

import names
import page
import plots
import results
import tables


def draw(folder, machine, parts):
    """The plots of one machine."""
    for part, found in page.shown(parts).items():
        here = found["machine"]
        title = f"{here['cpu']}, {here['cores']} cores, AMX: {tables.has_amx(here)}"
        files = {plot: folder / page.plot_file(plot, machine) for plot in page.PLOTS.get(part, {})}
        if part == "table":
            cells = {tables.cell_name(*key): (tables.ratio_of(cell), tables.best_peer(cell, "fp32")[0])
                     for key, cell in tables.by_cell(found["rows"]).items()}
            plots.speedups(files["speedups"], {name: (ratio, names.label(peer))
                                               for name, (ratio, peer) in cells.items() if ratio}, title)
        if part == "lengths":
            rows = [{**row, "name": names.label(row["competitor"])} for row in found["rows"] if "median" in row]
            plots.against_length(files["time"], rows, "median", "seconds of a forward pass", title)
            plots.against_length(files["memory"], rows, "peak_mib", "peak memory, MiB", title)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=pathlib.Path, default=results.FOLDER)
    parser.add_argument("--docs", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parent.parent / "docs")
    options = parser.parse_args()
    machines = results.load(options.results)
    for machine, parts in machines.items():
        draw(options.docs, machine, parts)
    (options.docs / "benchmarks.md").write_text(page.page(machines))


if __name__ == "__main__":
    main()
