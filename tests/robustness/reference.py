# SPDX-License-Identifier: MIT
"""The same folder in Python: token ids by tokenizers, logits by transformers, embeddings by sentence-transformers."""
import json
import logging
import math
import os
import random
import subprocess
import warnings

import requests_of

TOLERANCE = 2e-4
warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)
os.environ["HF_HUB_OFFLINE"] = os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = os.environ["TQDM_DISABLE"] = "1"


def ask(run, command, options, texts):
    """Our answers (or None for an error) to texts."""
    data = "".join(json.dumps({"text": text}) + "\n" for text in texts)
    done = subprocess.run([run.program, command, "--model", str(run.folder.path), *options], input=data.encode(),
                          capture_output=True, timeout=60)
    return [json.loads(line).get("output") for line in done.stdout.decode().split("\n")[:-1]]


def far(ours, theirs):
    return len(ours) != len(theirs) or not all(
        math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=TOLERANCE) for a, b in zip(ours, theirs))


def compare(folder, run, require):
    dice = random.Random(folder.path.name)
    texts = [requests_of.draw_text(dice) for _ in range(6)]
    tokens(folder, run, texts, require)
    config = folder.config
    settings = json.loads((folder.path / "tokenizer_config.json").read_text())
    # transformers 5 fails with Nystrom attention for most inputs, and without a convolution or with the exact norm for
    # all; its BertTokenizer is not the file's tokenizer.
    is_exact = config["num_landmarks"] == config["segment_means_seq_len"] and not config["inv_coeff_init_option"]
    if not is_exact or not config["conv_kernel_size"] or settings["tokenizer_class"] == "BertTokenizer":
        return
    if folder.modules:
        embeddings(folder, run, texts, require)
    elif folder.head == "classes":
        logits(folder, run, texts, require)


def tokens(folder, run, texts, require):
    import tokenizers
    tokenizer = tokenizers.Tokenizer.from_file(str(folder.path / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    file = json.loads((folder.path / "tokenizer.json").read_text())
    if file["truncation"] or file["padding"]:
        return  # `tokenize` does what the file says; the pipelines do not
    for text, ours in zip(texts, ask(run, "tokenize", [], texts)):
        theirs = tokenizer.encode(text)
        require(ours is not None and ours["ids"] == theirs.ids, f"ids of {text!r}: {ours}, expected {theirs.ids}")
        require([tuple(pair) for pair in ours["offsets"]] == theirs.offsets,
                f"offsets of {text!r}: {ours['offsets']}, expected {theirs.offsets}")


def embeddings(folder, run, texts, require):
    import sentence_transformers
    try:
        model = sentence_transformers.SentenceTransformer(str(folder.path), device="cpu")
    except Exception:  # whatever it is: Python cannot load the folder, so there is nothing to compare
        return
    for name in ("long", "query", "odd"):
        answers = ask(run, "embed", ["--truncation", "--prompt-name", name], texts)
        for text, ours in zip(texts, answers):
            try:
                theirs = model.encode([text], prompt_name=name)[0].tolist()
            except (ValueError, RuntimeError, IndexError):
                continue  # a text of no token, say
            told = f"embedding of {text!r} with the prompt {name}: {ours}, expected {theirs}"
            if not all(map(math.isfinite, theirs)):
                require(ours is None, told)  # the largest of no token
            else:
                require(ours is not None and not far(ours, theirs), told)


def logits(folder, run, texts, require):
    import torch
    import transformers
    try:
        model = transformers.AutoModelForSequenceClassification.from_pretrained(folder.path).eval()
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder.path)
    except Exception:  # as above
        return
    answers = ask(run, "classify", ["--truncation", "--function-to-apply", "none", "--top-k", "all"], texts)
    longest = min(folder.config["max_position_embeddings"], tokenizer.model_max_length)
    for text, ours in zip(texts, answers):
        encoded = tokenizer([text], return_tensors="pt", truncation=True, max_length=longest)
        if encoded["input_ids"].shape[-1] == 0:
            continue
        with torch.no_grad():
            theirs = model(**encoded).logits[0].tolist()
        names = list(folder.config["id2label"].values())
        by_label = {one["label"]: one["score"] for one in ours or []}
        told = f"logits of {text!r}: {ours}, expected {theirs}"
        require(ours is not None and not far([by_label[name] for name in names], theirs), told)
