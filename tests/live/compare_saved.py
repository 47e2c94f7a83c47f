#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""save_pretrained, read by transformers: every reference model, Nystromformer or BERT, goes through examples/to_safetensors.cpp,
and transformers must load the result with no missing or unexpected name and the same answers."""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
import transformers

transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
MODELS = Path(__file__).parents[1] / "reference" / "data" / "models"
FAMILIES = MODELS.parents[1] / "families"


def load(folder, head):
    """The model in float32, and the names that the folder lacks or has too many of."""
    cls = getattr(transformers, head)
    model, info = cls.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
    names = {key: [name for name in found if "pooler" not in name] for key, found in info.items()}
    return model.eval(), {key: found for key, found in names.items() if found}  # no output here needs BERT's pooler


def logits(model, config, head):
    ids = torch.arange(7)[None] % config["vocab_size"]
    if head.endswith("ForMultipleChoice"):
        ids = ids.repeat(3, 1)[None]
    if config.get("num_landmarks") != config.get("segment_means_seq_len"):  # transformers takes this length alone
        ids = ids.repeat_interleave(config["segment_means_seq_len"], dim=-1)
        ids = ids[..., : config["segment_means_seq_len"]]
    with torch.no_grad():
        return model(ids)[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", required=True, help="the program to_safetensors")
    program = parser.parse_args().run
    failures = 0
    folders = sorted(path.parent for place in (MODELS, FAMILIES) for path in place.glob("*/config.json"))
    compared = 0
    for folder in folders:
        config = json.loads((folder / "config.json").read_text())
        head = config.get("architectures", [""])[0]
        if not head or head.endswith("ForPreTraining"):
            continue  # to_safetensors goes by the class
        if config.get("conv_kernel_size", 65) is None or config.get("inv_coeff_init_option"):
            continue  # transformers 5 cannot make these
        with tempfile.TemporaryDirectory() as saved:
            subprocess.run([program, folder, saved], check=True)
            model, problems = load(saved, head)
            expected, _ = load(folder, head)
            error = (logits(model, config, head) - logits(expected, config, head)).abs().max().item()
        compared += 1
        if problems or not error < 1e-5:
            failures += 1
            print(f"{folder.name}: {head} differs by {error}, {problems}")
    print(f"{compared - failures} of {compared} saved models are what transformers loads from the original")
    sys.exit(failures > 0 or compared == 0)


if __name__ == "__main__":
    main()
