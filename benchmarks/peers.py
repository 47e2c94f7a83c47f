# SPDX-License-Identifier: MIT
"""One competitor of compare.py in a process of its own, as forward.cpp is for this library.

    python benchmarks/peers.py CACHE PEER exact|nystrom LENGTH THREADS

prints "ready" and the precision in which it computes, then answers each line of its input: "run" with the seconds
of one forward pass, "write FILE" with the last hidden state of one as raw floats in FILE. Imports stand in the
functions: what a competitor does not need must not count in its memory.
"""
import pathlib
import sys
import time

import models


def torch_eager(folder, ids, threads, model="float32", autocast=False):
    """In bf16 where the model is, or where autocast makes its products so; which is faster depends on the CPU."""
    import torch
    torch.set_num_threads(threads)
    torch.set_num_interop_threads(1)
    encoder, input_ids = models.load_encoder(folder), torch.tensor([ids])
    encoder.to(getattr(torch, model))

    def forward():
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            return encoder(input_ids).float().numpy()

    return forward, "bf16" if autocast or model == "bfloat16" else "fp32"


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

    return forward, "fp32"


def onnxruntime_session(path, threads):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def openvino_request(path, threads, hint=None):
    """Without a hint, OpenVINO chooses the precision, and may compute an fp32 model in bf16."""
    import openvino
    settings = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY"}
    if hint:
        settings["INFERENCE_PRECISION_HINT"] = hint
    return openvino.Core().compile_model(path, "CPU", settings).create_infer_request()


def onnxruntime(folder, ids, threads, name="onnx"):
    import numpy
    session = onnxruntime_session(folder / f"{name}-{len(ids)}/model.onnx", threads)
    input_ids = {"input_ids": numpy.array([ids], numpy.int64)}
    return lambda: session.run(None, input_ids)[0], "int8" if name.endswith("int8") else "fp32"


def openvino(folder, ids, threads, name="openvino", hint=None):
    import numpy
    request = openvino_request(folder / f"{name}-{len(ids)}/model.xml", threads, hint)
    input_ids = numpy.array([ids], numpy.int64)
    used = request.get_compiled_model().get_property("INFERENCE_PRECISION_HINT").get_type_name()
    precision = "int8" if name.endswith("int8") else {"f32": "fp32", "f16": "fp16"}.get(used, used)
    return lambda: request.infer([input_ids])[0], precision


PEERS = {
    "torch-eager": torch_eager,
    "torch-compiled": torch_compiled,
    "torch-bf16": lambda *of: torch_eager(*of, model="bfloat16"),
    "torch-autocast": lambda *of: torch_eager(*of, autocast=True),
    "onnxruntime": onnxruntime,
    "onnxruntime-int8": lambda *of: onnxruntime(*of, name="onnx-int8"),
    "openvino-default": openvino,
    "openvino-fp32": lambda *of: openvino(*of, hint="f32"),
    "openvino-bf16": lambda *of: openvino(*of, hint="bf16"),
    "openvino-int8": lambda *of: openvino(*of, name="openvino-int8"),
    "openvino-int8-fp32": lambda *of: openvino(*of, name="openvino-int8", hint="f32"),
}


def main():
    cache, peer, attention, length, threads = sys.argv[1:]
    folder = models.folder_of(pathlib.Path(cache), attention, int(length))
    forward, precision = PEERS[peer](folder, models.ids_of(int(length)), int(threads))
    print("ready", precision, flush=True)
    for line in sys.stdin:
        started = time.perf_counter()
        states = forward()
        seconds = time.perf_counter() - started
        if line.startswith("write "):
            pathlib.Path(line[6:].rstrip("\n")).write_bytes(states.astype("float32").tobytes())
        print(seconds, flush=True)


if __name__ == "__main__":
    main()
