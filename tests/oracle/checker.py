# SPDX-License-Identifier: MIT
"""What a safetensors file, a shard index and a config.json are, by their specifications and the limits that
this library documents: an independent reading in Python, for tests/oracle/mutate.py.

Sources: huggingface/safetensors' README (format) and tensor.rs (what it leaves open: whitespace around the
header is allowed, unknown fields of a tensor are ignored); transformers' NystromformerConfig. Each function
returns the line that tests/oracle/reader.cpp writes for a file that is accepted, or raises Refused."""

import json
import math
import re
import struct


class Refused(Exception):
    """`kind`: the error class of the library; None where it depends on which fault is met first."""

    def __init__(self, why, kind="FormatError"):
        super().__init__(why)
        self.kind = kind


class Integer:
    """A JSON number without fraction or exponent, as it was spelled."""

    def __init__(self, text):
        self.text = text
        if len(text) > 300 and not math.isfinite(float(text)):
            raise Refused("a number out of range")

    def unsigned(self, most):
        if self.text.startswith("-") or int(self.text) > most:
            raise Refused(f"not a number from 0 to {most}")
        return int(self.text)


def real(text):
    value = float(text)
    if not math.isfinite(value):
        raise Refused("a number out of range")
    return value


class Pairs(list):
    """An object: its (key, value) pairs in order, duplicates among them."""

    def unique(self):
        keys = [key for key, _ in self]
        if len(set(keys)) != len(keys):
            raise Refused("a duplicate key")
        return dict(self)


def no_constant(text):
    raise Refused(text)


constants = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def python_integer(text):
    number = Integer(text) if len(text) <= 300 or math.isfinite(float(text)) else None
    return float(text) if number is None else number


# What Python alone reads: NaN and infinities are numbers, and the last value of a key counts.
python_decoder = json.JSONDecoder(object_pairs_hook=lambda pairs: Pairs(dict(pairs).items()),
                                  parse_int=python_integer, parse_constant=constants.get)


def all_strings(value):
    """Every string in `value`, keys among them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Pairs):
        for key, item in value:
            yield key
            yield from all_strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from all_strings(item)


def depth(value):
    if isinstance(value, Pairs):
        return 1 + max((depth(item) for _, item in value), default=0)
    if isinstance(value, list):
        return 1 + max((depth(item) for item in value), default=0)
    return 0


decoder = json.JSONDecoder(object_pairs_hook=Pairs, parse_int=Integer, parse_float=real, parse_constant=no_constant)


def parse(data, decoder=decoder):
    """RFC 8259 in UTF-8: no byte order mark, no NUL, no lone surrogate, at most 32 deep."""
    if b"\0" in data or data.startswith(b"\xef\xbb\xbf"):
        raise Refused("NUL or byte order mark")
    try:
        # JSONDecoder.decode passes over the whitespace of JSON alone.
        value = decoder.decode(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise Refused(str(error)) from None
    if any("\ud800" <= character <= "\udfff" for text in all_strings(value) for character in text):
        raise Refused("a lone surrogate")
    if depth(value) > 32:
        raise Refused("too deep")
    return value


# ---- safetensors

bits = {"BOOL": 8, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8,
        "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32,
        "F32": 32, "C64": 64, "F64": 64, "I64": 64, "U64": 64}
element = {"F64": "d", "F32": "f", "F16": "e", "I64": "q", "I32": "i", "I16": "h", "I8": "b", "U8": "B"}


def hexed(text):
    return text.encode().hex()


def double_text(number):
    return "nan" if math.isnan(number) else struct.pack(">d", number).hex()


def values(dtype, data):
    """As the library converts them: doubles as their bits, integers, or plain bytes."""
    if dtype == "BOOL":
        return "".join(f" {int(byte != 0)}" for byte in data)
    if dtype == "BF16":
        halves = struct.unpack(f"<{len(data) // 2}H", data)
        return "".join(" " + double_text(struct.unpack("<f", struct.pack("<I", half << 16))[0]) for half in halves)
    if dtype not in element:
        return " " + data.hex()
    numbers = struct.unpack(f"<{8 * len(data) // bits[dtype]}{element[dtype]}", data)
    return "".join(" " + (double_text(number) if dtype[0] == "F" else str(number)) for number in numbers)


def check_tensor(name, entry, size):
    """(begin, end, line) of one tensor."""
    if "\0" in name or len(name.encode()) > 65536:
        raise Refused("a bad name")
    if not isinstance(entry, Pairs):
        raise Refused("a tensor that is no object")
    known = Pairs(pair for pair in entry if pair[0] in ("dtype", "shape", "data_offsets")).unique()
    if len(known) != 3:
        raise Refused("a field is missing")
    dtype, shape, offsets = known["dtype"], known["shape"], known["data_offsets"]
    if not isinstance(dtype, str) or dtype not in bits:
        raise Refused("no dtype")
    for array in (shape, offsets):
        if not isinstance(array, list) or isinstance(array, Pairs) or not all(isinstance(n, Integer) for n in array):
            raise Refused("no array of whole numbers")
    shape = [number.unsigned(2**63 - 1) for number in shape]
    offsets = [number.unsigned(2**64 - 1) for number in offsets]
    if len(shape) > 8 or len(offsets) != 2:
        raise Refused("more than 8 dimensions, or not two offsets")
    if math.prod(dimension for dimension in shape if dimension) >= 2**63:
        raise Refused("too large a shape")
    all_bits = math.prod(shape) * bits[dtype]
    begin, end = offsets
    if all_bits % 8 or not 0 <= begin <= end <= size or all_bits != 8 * (end - begin):
        raise Refused("offsets that are not those of the shape")
    return begin, end, dtype, shape


def safetensors(data):
    if len(data) < 8:
        raise Refused("no length")
    length = struct.unpack("<Q", data[:8])[0]
    if length < 2 or length > 100_000_000 or length > len(data) - 8:
        raise Refused("a header that is not in the file")
    header, body = parse(data[8:8 + length]), data[8 + length:]
    if not isinstance(header, Pairs):
        raise Refused("no object")
    header = header.unique()
    metadata = header.pop("__metadata__", Pairs())
    metadata = Pairs() if metadata is None else metadata  # as in the crate
    if not isinstance(metadata, Pairs) or not all(isinstance(value, str) for _, value in metadata):
        raise Refused("metadata that are no strings")
    line = "accept"
    for key, value in sorted(metadata.unique().items(), key=lambda item: item[0].encode()):
        line += f" @{hexed(key)}={hexed(value)}"
    ranges = []
    for name, entry in sorted(header.items(), key=lambda item: item[0].encode()):
        begin, end, dtype, shape = check_tensor(name, entry, len(body))
        ranges.append((begin, end))
        line += f" #{hexed(name)} {dtype} [{', '.join(map(str, shape))}]{values(dtype, body[begin:end])}"
    covered = 0
    for begin, end in sorted(ranges):
        if begin != covered:
            raise Refused("a hole or an overlap")
        covered = end
    if covered != len(body):
        raise Refused("bytes of no tensor")
    return line


# ---- model.safetensors.index.json

plain = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")


def index(data):
    try:
        root = parse(data)
    except Refused as refused:
        # The library reads names as they come: one that is not plain may be told before the broken JSON after it.
        raise Refused(str(refused), None) from None
    if not isinstance(root, Pairs):
        raise Refused("no object", None)
    maps = [value for key, value in root if key == "weight_map"]
    if len(maps) != 1 or not isinstance(maps[0], Pairs) or not maps[0]:
        raise Refused("not one weight_map", None)
    kinds = set()
    for name, shard in maps[0]:
        if "\0" in name or not isinstance(shard, str):
            kinds.add("FormatError")
        elif (not set(shard) <= plain or shard.startswith(".") or not shard.endswith(".safetensors") or
              len(shard) <= len(".safetensors") or len(shard) > 255):
            kinds.add("UnsafePathError")
    if kinds:
        raise Refused("a name that is not plain", kinds.pop() if len(kinds) == 1 else None)
    weights = maps[0].unique()
    return "accept" + "".join(f" {hexed(name)}={shard}"
                              for name, shard in sorted(weights.items(), key=lambda item: item[0].encode()))


# ---- config.json

largest = 2**31 - 1
sizes = {"vocab_size": (30000, 1, largest), "hidden_size": (768, 1, 2**20), "num_hidden_layers": (12, 0, 2**16),
         "num_attention_heads": (12, 1, 2**20), "intermediate_size": (3072, 1, 2**24),
         "max_position_embeddings": (510, 1, largest), "type_vocab_size": (2, 1, largest),
         "segment_means_seq_len": (64, 1, largest), "num_landmarks": (64, 1, largest)}
activations = {"gelu", "gelu_10", "gelu_accurate", "gelu_fast", "gelu_new", "gelu_python", "gelu_python_tanh",
               "gelu_pytorch_tanh", "hardswish", "laplace", "leaky_relu", "linear", "mish", "quick_gelu", "relu",
               "relu2", "relu6", "sigmoid", "silu", "sqrtsoftplus", "swish", "tanh"}


def integer(value, least, most):
    if not isinstance(value, Integer) or not least <= int(value.text) <= most:
        raise Refused(f"no integer from {least} to {most}", "ConfigError")
    return int(value.text)


def boolean(value):
    if not isinstance(value, bool):
        raise Refused("neither true nor false", "ConfigError")
    return value


def shown(value):
    """JSON on one line, as a label that is no text is given."""
    if isinstance(value, Pairs):
        return "{" + ",".join(f"{json.dumps(key, ensure_ascii=False)}:{shown(item)}"
                              for key, item in sorted(value, key=lambda pair: pair[0].encode())) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(shown, value)) + "]"
    if isinstance(value, Integer):
        return str(int(value.text))
    if isinstance(value, float) and not math.isfinite(value):
        return "null"
    return json.dumps(value, ensure_ascii=False)


def config(data):
    """Without the fields that only training reads."""
    root = parse(data, python_decoder)
    if not isinstance(root, Pairs):
        raise Refused("no object", "ConfigError")
    root = dict(root)
    if root.get("model_type") is not None and root["model_type"] != "nystromformer":
        raise Refused("another model", None)
    read = {key: integer(root[key], *limits[1:]) if key in root else limits[0] for key, limits in sizes.items()}
    eps = root.get("layer_norm_eps", 1e-5)
    eps = float(eps.text) if isinstance(eps, Integer) else eps
    if not isinstance(eps, float) or not 1e-30 <= eps <= 1:
        raise Refused("no epsilon", "ConfigError")
    act = root.get("hidden_act", "gelu_new")
    if not isinstance(act, str) or act not in activations:
        raise Refused("no activation", None)
    kernel = root.get("conv_kernel_size", Integer("65"))
    if kernel is not None:
        kernel = integer(kernel, 1, 2**20)
        if kernel % 2 == 0:
            raise Refused("an even kernel", "UnsupportedError")
    if read["segment_means_seq_len"] % read["num_landmarks"] or read["hidden_size"] % read["num_attention_heads"]:
        raise Refused("no divisor", "ConfigError")
    labels = dict(enumerate(("LABEL_0", "LABEL_1")))
    if root.get("id2label") is not None:
        if not isinstance(root["id2label"], Pairs):
            raise Refused("no labels", "ConfigError")
        labels = {}
        for key, label in root["id2label"]:
            if not re.fullmatch(r"[ \t\n\r\f\v]*[-+]?[0-9]+(_[0-9]+)*[ \t\n\r\f\v]*", key):
                raise Refused("no label", "ConfigError")
            labels[int(key)] = label if isinstance(label, str) else shown(label)
    line = "accept " + " ".join(str(value) for value in read.values()) + f" {len(labels)}"
    line += f" {'null' if kernel is None else kernel} {act} {eps:.17g}"
    line += " true" if boolean(root.get("inv_coeff_init_option", False)) else " false"
    line += " true" if boolean(root.get("tie_word_embeddings", True)) else " false"
    return line + "".join(f" @{i}={hexed(label)}" for i, label in sorted(labels.items()))
