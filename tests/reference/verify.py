# SPDX-License-Identifier: MIT
"""Compares the stored answers with transformers' untouched classes, under whichever version is
installed.

    python tests/reference/verify.py

Found on 2026-11-24 (torch 2.13.0, float64):
* 5.23.0: the 45 cases that it accepts are equal bit for bit. It refuses Nystrom attention with a
  padding mask and configs without convolution.
* 4.57.6 accepts both and agrees with them: 54 cases, largest deviation 2.6e-16. It differs in
  mlm-untied, where it knows one bias under the two names cls.predictions.bias and
  cls.predictions.decoder.bias (5.x reads both and uses the decoder's), and cannot load
  mlm-decoder-only.
* Neither runs inv_coeff_init_option, or Nystrom attention at lengths other than
segment_means_seq_len.
"""

import json
from pathlib import Path

import safetensors.torch
import transformers

import oracle

DATA = Path(__file__).parent / "data"


def stock_model(folder, head):
    """The model as a user of transformers loads it."""
    oracle.hf.NystromformerSelfAttention = oracle.PristineSelfAttention
    return oracle.HEADS[head].from_pretrained(folder, dtype=oracle.torch.float64).eval()


def compare(entry, stored):
    """The largest deviation over all tensors that transformers itself returns."""
    model = stock_model(DATA / "models" / entry["model"], entry["head"])
    inputs = {name[6:]: value for name, value in stored.items() if name.startswith("input.")}
    outputs, record = oracle.run(model, entry["head"], inputs, pristine=True)
    expected = {name[9:]: value for name, value in stored.items() if name.startswith("expected.")}
    found = {**record, **outputs}
    return max(oracle.deviation(found[name], expected[name]) for name in expected if name in found)


def by_option(entry):
    """True where a case asks for something that transformers has no option for."""
    options = (
        entry["attention"],
        entry["num_landmarks"],
        entry["inverse"],
        entry["inverse_iterations"],
    )
    return options != ("config", "0", "", "6")


def main():
    counts, worst = {"equal": 0, "refused": 0, "different": 0, "no such option": 0}, 0.0
    for entry in json.loads((DATA / "cases.json").read_text())["cases"]:
        if by_option(entry):
            counts["no such option"] += 1
            continue
        stored = safetensors.torch.load_file(DATA / entry["file"])
        try:
            found = compare(entry, stored)
        except Exception as error:  # whatever transformers raises means that it cannot run this
            counts["refused"] += 1
            print(f"{entry['file']}: refused, {type(error).__name__}: {str(error)[:90]!r}")
            continue
        kind = "equal" if found <= 1e-12 else "different"
        counts[kind] += 1
        worst = max(worst, found if kind == "equal" else 0.0)
        if kind == "different":
            print(f"{entry['file']}: differs by {found:.1e} ({entry['about']})")
    print(f"transformers {transformers.__version__}: {counts}, largest deviation {worst:.1e}")


if __name__ == "__main__":
    main()
