# SPDX-License-Identifier: MIT
"""The plots of report.py, as SVG that is the same for the same numbers."""
import matplotlib

matplotlib.use("svg")
matplotlib.rcParams.update({"svg.hashsalt": "nystromformer", "svg.fonttype": "none", "font.size": 10,
                            "axes.spines.top": False, "axes.spines.right": False})
import matplotlib.pyplot as plt  # noqa: E402  (after the backend is chosen)

COLOURS = {"nystromformer": "#c1272d", "PyTorch": "#7f7f7f", "ONNX Runtime": "#2a6ebb", "OpenVINO fp32 hint": "#4d9a4d"}


def save(figure, path):
    # White, as GitHub's dark theme would swallow the letters.
    figure.savefig(path, facecolor="white", bbox_inches="tight", metadata={"Date": None})
    plt.close(figure)
    # matplotlib ends lines with spaces, which git tells as errors.
    path.write_text("\n".join(line.rstrip() for line in path.read_text().splitlines()) + "\n")


def speedups(path, cells, title):
    """Bars of best peer / ours; `cells`: name -> (ratio, name of the peer)."""
    figure, axes = plt.subplots(figsize=(7, 0.8 + 0.36 * len(cells)))
    ratios = [ratio for ratio, _ in cells.values()]
    bars = axes.barh(list(cells), ratios, color=COLOURS["nystromformer"])
    axes.bar_label(bars, [f"{ratio:.2f} x {peer}" for ratio, peer in cells.values()], padding=4)
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xlim(0, 1.45 * max(ratios, default=1))
    axes.invert_yaxis()
    axes.set_title(title, fontsize=10)
    axes.set_xlabel("least time of the best peer / least time of nystromformer, fp32")
    save(figure, path)


def against_length(path, rows, field, label, title):
    """A line for each competitor and attention, both axes logarithmic."""
    figure, axes = plt.subplots(figsize=(7, 4.6))
    for name, attention in sorted({(row["name"], row["attention"]) for row in rows}):
        points = sorted((row["length"], row[field]) for row in rows
                        if (row["name"], row["attention"]) == (name, attention))
        ours = name == "nystromformer"
        axes.plot(*zip(*points), "-o" if attention == "nystrom" else "--s", color=COLOURS.get(name),
                  linewidth=2.2 if ours else 1.2, markersize=5 if ours else 3.5, zorder=3 if ours else 2,
                  label=f"{name}, {'Nyström' if attention == 'nystrom' else 'exact'}")
    lengths = sorted({row["length"] for row in rows})
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks(lengths, [f"{length:,}" for length in lengths])
    axes.set_title(title, fontsize=10)
    axes.set_xlabel("tokens")
    axes.set_ylabel(label)
    axes.grid(True, which="major", color="#dddddd", linewidth=0.6)
    axes.legend(fontsize=8)
    save(figure, path)
