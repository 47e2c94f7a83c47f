# SPDX-License-Identifier: MIT
"""One competitor of compare.py in a process of its own, as forward.cpp is for this library.

    python benchmarks/peers.py CACHE PEER exact|nystrom LENGTH THREADS

prints "ready", then answers each line of its input: "run" with the seconds of one forward pass, "write FILE"
with the last hidden state of one as raw floats in FILE. Imports stand in the functions: what a competitor does
not need must not count in its memory.
"""
import pathlib
import sys
import time

import models


def torch_eager(folder, ids, threads):
    import torch
    torch.set_num_threads(threads)
    torch.set_num_interop_threads(1)
    encoder, input_ids = models.load_encoder(folder), torch.tensor([ids])

    def forward():
        with torch.inference_mode():
            return encoder(input_ids).numpy()

    return forward


def torch_compiled(folder, ids, threads):
    """With freezing, which packs the weights for oneDNN."""
    import torch
    import torch._inductor.config
    torch.set_num_threads(threads)
    torch.set_num_interop_threads(1)
    torch._inductor.config.freezing = True
    encoder, input_ids = torch.compile(models.load_encoder(folder)), torch.tensor([ids])

    def forward():
        with torch.no_grad():
            return encoder(input_ids).numpy()

    return forward


def onnxruntime_session(path, threads):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def openvino_request(path, threads):
    import openvino
    settings = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY",
                "INFERENCE_PRECISION_HINT": "f32"}
    return openvino.Core().compile_model(path, "CPU", settings).create_infer_request()


def onnxruntime(folder, ids, threads, name="onnx"):
    import numpy
    session = onnxruntime_session(folder / f"{name}-{len(ids)}/model.onnx", threads)
    input_ids = {"input_ids": numpy.array([ids], numpy.int64)}
    return lambda: session.run(None, input_ids)[0]


def openvino(folder, ids, threads, name="openvino"):
    import numpy
    request = openvino_request(folder / f"{name}-{len(ids)}/model.xml", threads)
    input_ids = numpy.array([ids], numpy.int64)
    return lambda: request.infer([input_ids])[0]


PEERS = {
    "torch-eager": torch_eager,
    "torch-compiled": torch_compiled,
    "onnxruntime": onnxruntime,
    "onnxruntime-int8": lambda *of: onnxruntime(*of, name="onnx-int8"),
    "openvino": openvino,
    "openvino-int8": lambda *of: openvino(*of, name="openvino-int8"),
}


def main():
    cache, peer, attention, length, threads = sys.argv[1:]
    folder = models.folder_of(pathlib.Path(cache), attention, int(length))
    forward = PEERS[peer](folder, models.ids_of(int(length)), int(threads))
    print("ready", flush=True)
    for line in sys.stdin:
        started = time.perf_counter()
        states = forward()
        seconds = time.perf_counter() - started
        if line.startswith("write "):
            pathlib.Path(line[6:].rstrip("\n")).write_bytes(states.astype("float32").tobytes())
        print(seconds, flush=True)


if __name__ == "__main__":
    main()
