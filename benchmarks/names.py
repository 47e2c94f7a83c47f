# SPDX-License-Identifier: MIT
"""The competitors of compare.py: their names in commands and results, and what the page says of them."""
import typing


class Kind(typing.NamedTuple):
    label: str
    precision: str = "fp32"  # unless a row has what the runtime chose
    base: str = ""  # the same runtime in fp32


COMPETITORS = {
    "nystromformer": Kind("nystromformer"),
    "nystromformer-int8": Kind("nystromformer int8", "int8", "nystromformer"),
    "nystromformer-bf16": Kind("nystromformer bf16", "bf16", "nystromformer"),
    "torch-eager": Kind("PyTorch"),
    "torch-compiled": Kind("torch.compile"),
    "torch-bf16": Kind("PyTorch bf16", "bf16", "torch-eager"),
    "torch-autocast": Kind("PyTorch autocast bf16", "bf16", "torch-eager"),
    "onnxruntime": Kind("ONNX Runtime"),
    "onnxruntime-int8": Kind("ONNX Runtime int8", "int8", "onnxruntime"),
    "openvino-default": Kind("OpenVINO as it comes", "its choice", "openvino-fp32"),
    "openvino-fp32": Kind("OpenVINO fp32 hint"),
    "openvino-bf16": Kind("OpenVINO bf16 hint", "bf16", "openvino-fp32"),
    "openvino-int8": Kind("OpenVINO int8", "int8", "openvino-fp32"),
    "openvino-int8-fp32": Kind("OpenVINO int8, fp32 hint", "int8", "openvino-fp32"),
    "transformers": Kind("transformers pipeline"),
}
OURS = {"fp32": "nystromformer", "bf16": "nystromformer-bf16", "int8": "nystromformer-int8"}


def is_ours(name):
    return name in OURS.values()


def label(name):
    return COMPETITORS[name].label


def precision_of(row):
    """What a row is compared with: "fp32", "bf16" or "int8". Some runtimes choose fp16 where others choose bf16."""
    precision = row.get("precision", COMPETITORS[row["competitor"]].precision)
    return "bf16" if precision == "fp16" else precision
