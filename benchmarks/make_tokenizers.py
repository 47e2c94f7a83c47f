#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Trains tokenizers of the types that published encoders have, for tokenizer.py --model.

Usage: make_tokenizers.py OUTPUT TEXT_FILE...       (needs: tokenizers)
Writes OUTPUT/roberta (byte-level BPE, 50,265 tokens at most) and OUTPUT/bert (lower-case WordPiece, 30,522).
"""
import pathlib
import sys

from tokenizers import ByteLevelBPETokenizer, BertWordPieceTokenizer, processors

TYPES = {
    "roberta": (ByteLevelBPETokenizer, 50_265, ["<s>", "<pad>", "</s>", "<unk>", "<mask>"], ("<s>", "</s>")),
    "bert": (BertWordPieceTokenizer, 30_522, ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], ("[CLS]", "[SEP]")),
}


def main():
    output, *files = sys.argv[1:]
    for name, (make, size, special_tokens, (first, last)) in TYPES.items():
        tokenizer = make()
        tokenizer.train(files, vocab_size=size, special_tokens=special_tokens, show_progress=False)
        ends = {"sep": (last, tokenizer.token_to_id(last)), "cls": (first, tokenizer.token_to_id(first))}
        tokenizer.post_processor = (
            processors.RobertaProcessing(**ends) if name == "roberta" else processors.BertProcessing(**ends))
        folder = pathlib.Path(output) / name
        folder.mkdir(parents=True, exist_ok=True)
        tokenizer.save(str(folder / "tokenizer.json"))
        print(f"{folder}: {tokenizer.get_vocab_size()} tokens")


if __name__ == "__main__":
    main()
