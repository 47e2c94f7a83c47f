# SPDX-License-Identifier: MIT
"""Fills one mask with the bundled model, as a program of a peer does: compare.py takes the time from its start.

    python benchmarks/first_answer.py CACHE transformers|onnxruntime|openvino-fp32

`transformers` is its pipeline; the other two are the shortest programs there are: tokenizers, the exported
model, the largest logit.
"""
import pathlib
import sys

import models
import peers

TEXT = "She opened the [MASK] and walked into the garden."


def transformers_pipeline(_):
    import torch
    import transformers
    torch.set_num_threads(1)
    # The file holds bf16, in which transformers would compute; all others compute in fp32.
    fill_mask = transformers.pipeline("fill-mask", model=str(models.BUNDLED), dtype=torch.float32)
    return fill_mask(TEXT, top_k=1)[0]["token_str"]


def exported(run):
    import numpy
    import tokenizers
    tokenizer = tokenizers.Tokenizer.from_file(str(models.BUNDLED / "tokenizer.json"))
    ids = tokenizer.encode(TEXT).ids
    logits = run(numpy.array([ids], numpy.int64))
    return tokenizer.decode([int(logits[0, ids.index(tokenizer.token_to_id("[MASK]"))].argmax())])


def onnxruntime(cache):
    session = peers.onnxruntime_session(cache / "bundled/model.onnx", 1)
    return exported(lambda ids: session.run(None, {"input_ids": ids})[0])


def openvino(cache):
    request = peers.openvino_request(cache / "bundled/model.xml", 1, "f32")
    return exported(lambda ids: request.infer([ids])[0])


if __name__ == "__main__":
    peer = {"transformers": transformers_pipeline, "onnxruntime": onnxruntime, "openvino-fp32": openvino}[sys.argv[2]]
    print(peer(pathlib.Path(sys.argv[1])), flush=True)
