# SPDX-License-Identifier: MIT
"""Writes held_out.txt: 2,000 sentences, each with one word masked, from the ten novels that the bundled model was not
trained on (models/nystromformer-small-en/README.md). Usage: make_masks.py FOLDER_OF_NOVELS >held_out.txt"""
import pathlib
import random
import re
import sys

NOVELS = ["eltec_ENG18551_Trollope", "eltec_ENG18660_Eliot", "eltec_ENG18702_Jenkins", "eltec_ENG18952_Wells",
          "en100_Cbronte_Jane_1847", "en100_Chesterton_Thursday_1908", "en100_Corelli_Satan_1895",
          "en100_Gaskell_Lovers_1863", "en100_Wcollins_Legacy_1889", "en100_Wcollins_Woman_1860"]
EACH = 200


def masked(sentence, dice):
    """The sentence with one of its words, punctuation apart, replaced."""
    words = [match.span() for match in re.finditer(r"[A-Za-z]+", sentence)]
    first, last = dice.choice(words)
    return sentence[:first] + "[MASK]" + sentence[last:]


def main():
    dice = random.Random(0)
    for novel in NOVELS:
        text = pathlib.Path(sys.argv[1], novel + ".txt").read_text(encoding="utf-8")
        sentences = re.split(r"(?<=[.!?])\s+", re.sub(r"\s+", " ", text))
        good = [s for s in sentences if 40 <= len(s) <= 160 and re.fullmatch(r"[A-Z][\w ,;:'’.!?-]*", s)]
        for sentence in dice.sample(good, EACH):
            print(masked(sentence, dice))


if __name__ == "__main__":
    main()
