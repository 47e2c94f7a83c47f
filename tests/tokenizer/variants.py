# SPDX-License-Identifier: MIT
"""Variants of a tokenizer.json that reach every rule of the tokenizer, and a builder of character maps."""
import base64
import copy
import pathlib
import struct

BASE = pathlib.Path(__file__).parent.parent.parent / "models/nystromformer-small-en/tokenizer.json"
SPACES = {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}
QUOTES = [{"type": "Replace", "pattern": {"String": "``"}, "content": '"'},
          {"type": "Replace", "pattern": {"String": "''"}, "content": '"'}]
NFKD, ACCENTS, LOWER = {"type": "NFKD"}, {"type": "StripAccents"}, {"type": "Lowercase"}
WHITE = {"type": "WhitespaceSplit"}


def charsmap(replacements):
    """The base64 text of a darts-clone map from text to text."""
    pool, trie = b"", {}
    for key, replacement in replacements.items():
        node = trie
        for byte in key.encode():
            node = node.setdefault(byte, {})
        node[None] = len(pool)
        pool += replacement.encode() + b"\0"
    units, bases = {0: 0}, set()
    open_nodes = [(0, 0, trie)]  # position, label, node
    while open_nodes:
        position, label, node = open_nodes.pop()
        places = [byte or 0 for byte in node]
        base = next(base for base in range(1, 1 << 21)
                    if base not in bases and not any(base ^ place in units for place in places))
        bases.add(base)  # the format knows a child by base and label alone
        units[position] = label | (position ^ base) << 10 | (None in node) << 8
        for byte, child in node.items():
            units[base ^ (byte or 0)] = child | 1 << 31 if byte is None else byte
            if byte is not None:
                open_nodes.append((base ^ byte, byte, child))
    size = (max(units) | 255) + 1
    blob = struct.pack(f"<I{size}I", 4 * size, *(units.get(i, 0) for i in range(size))) + pool
    return base64.b64encode(blob).decode()


# Characters of every grapheme-cluster-break class, one, two, three and four bytes long.
CLUSTER_SAMPLES = ("ae\u00e9\u00a9\u00ae\r\n\x01\x7f\u00ad\u200b\u0301\u0308\u0344\u093f\u094d\u0915\u0937\u09cd\u0995"
                   "\u0600\u06dd\u1100\u1161\u11a8\uac00\uac01\u200c\u200d\U0001f1e6\U0001f1fa\U0001f468"
                   "\u2764\ufe0f\U0001f3fb\u0e33\U000110bd\U00011c3e\U000e0020\u0d4e")


def small_charsmap():
    """Makes clusters visible: a cluster of less than 6 bytes is replaced whole, others in parts."""
    rules = {}
    for number, char in enumerate(CLUSTER_SAMPLES):
        rules[char] = ["#", "", "xy", "\u00e9", "\u4e00z"][number % 5]
    rules |= {"\r\n": "\n", "e\u0301": "E", "u\u0308": "", "n\u0303o": "q", "\u00a9\u200d": "COPY"}
    return charsmap(rules)


def with_normalizers(base, *parts):
    result = copy.deepcopy(base)
    result["normalizer"] = {"type": "Sequence", "normalizers": list(parts)} if parts else None
    return result


def with_pre_tokenizers(base, *parts):
    result = copy.deepcopy(base)
    result["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": list(parts)} if len(parts) != 1 else parts[0]
    return result


def metaspace(scheme="always", split=True):
    return {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": scheme, "split": split}


ADDED_CONTENTS = ["foo", "Bar", "x y", "\u00c9t", "[SP]", "<z>", " w", "o", "\u4f60", "foo bar", "``", "\ufb01n",
                  "H", "\U0001f600", "==", "--"]


def with_added_tokens(base, shift):
    """Sixteen tokens, one for each combination of single_word, lstrip, rstrip and normalized."""
    result = copy.deepcopy(base)
    next_id = len(base["model"]["vocab"])
    known = {piece for piece, _ in base["model"]["vocab"]}
    ids = {piece: number for number, (piece, _) in enumerate(base["model"]["vocab"])}
    for number, content in enumerate(ADDED_CONTENTS):
        flags = (number + shift) % 16
        if content in known:
            token_id = ids[content]
        else:
            token_id, next_id = next_id, next_id + 1
        result["added_tokens"].append(
            {"id": token_id, "content": content, "single_word": bool(flags & 1), "lstrip": bool(flags & 2),
             "rstrip": bool(flags & 4), "normalized": bool(flags & 8), "special": number % 3 == 0})
    return result


def with_lengths(base, truncation=None, padding=None):
    result = copy.deepcopy(base)
    if truncation:
        direction, max_length, strategy, stride = truncation
        result["truncation"] = {"direction": direction, "max_length": max_length, "strategy": strategy,
                                "stride": stride}
    if padding:
        strategy, direction, multiple = padding
        result["padding"] = {"strategy": strategy, "direction": direction, "pad_to_multiple_of": multiple,
                             "pad_id": 0, "pad_type_id": 3, "pad_token": "<pad>"}
    return result


def with_byte_fallback(base, complete):
    result = copy.deepcopy(base)
    result["model"]["byte_fallback"] = True
    result["model"]["vocab"] += [[f"<0x{byte:02X}>", -20.0] for byte in range(256) if complete or byte % 7]
    result["decoder"] = {"type": "Sequence", "decoders": [
        {"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "}, {"type": "ByteFallback"},
        {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}
    return result


def variants(base):
    """{name: tokenizer.json}, without the base itself."""
    normalizers = base["normalizer"]["normalizers"]
    precompiled = next(part for part in normalizers if part["type"] == "Precompiled")
    small = {"type": "Precompiled", "precompiled_charsmap": small_charsmap()}
    bare = copy.deepcopy(base) | {"post_processor": None, "decoder": None, "added_tokens": []}
    old = {"type": "Metaspace", "replacement": "\u2581", "str_rep": "\u2581", "add_prefix_space": True}
    return {
        "metaspace alone": with_pre_tokenizers(base, metaspace()),
        "metaspace, old form": with_pre_tokenizers(base, WHITE, old),
        "metaspace, old form, alone": with_pre_tokenizers(base, old),
        "metaspace first": with_pre_tokenizers(base, metaspace("first")),
        "metaspace never": with_pre_tokenizers(base, metaspace("never")),
        "metaspace first after white space": with_pre_tokenizers(base, WHITE, metaspace("first")),
        "metaspace without split": with_pre_tokenizers(base, metaspace("always", False)),
        "white space alone": with_pre_tokenizers(base, WHITE),
        "no pre-tokenizer": copy.deepcopy(base) | {"pre_tokenizer": None},
        "no space rule": with_normalizers(base, *QUOTES, NFKD, ACCENTS, LOWER, precompiled),
        "space rule after quotes": with_normalizers(
            with_pre_tokenizers(base, metaspace()), *QUOTES, SPACES, NFKD, ACCENTS, LOWER, precompiled),
        "space rule twice": with_normalizers(with_pre_tokenizers(base, metaspace()), SPACES, *QUOTES, NFKD, LOWER,
                                             precompiled, SPACES),
        "no precompiled": with_normalizers(base, *QUOTES, NFKD, ACCENTS, LOWER, SPACES),
        "precompiled alone": with_normalizers(base, precompiled),
        "small charsmap": with_normalizers(base, small),
        "small charsmap, metaspace alone": with_normalizers(with_pre_tokenizers(base, metaspace()), small, LOWER),
        "NFKD alone": with_normalizers(base, NFKD),
        "NFD, accents": with_normalizers(base, {"type": "NFD"}, ACCENTS, {"type": "Prepend", "prepend": "\u2581x"}),
        "strip": with_normalizers(with_pre_tokenizers(base, metaspace("first")),
                                  {"type": "Strip", "strip_left": True, "strip_right": True}, LOWER),
        "strip left": with_normalizers(with_pre_tokenizers(base, metaspace("first")), NFKD,
                                       {"type": "Strip", "strip_left": True, "strip_right": False}),
        "no normalizer": with_normalizers(base),
        "nothing around": bare,
        "added tokens 0": with_added_tokens(base, 0),
        "added tokens 5": with_added_tokens(with_pre_tokenizers(base, metaspace("first")), 5),
        "added tokens 10": with_added_tokens(with_pre_tokenizers(base, metaspace()), 10),
        "truncation, longest first": with_lengths(base, ("Right", 12, "LongestFirst", 3)),
        "truncation, left": with_lengths(base, ("Left", 11, "LongestFirst", 2)),
        "truncation, first": with_lengths(base, ("Right", 40, "OnlyFirst", 0)),
        "truncation, first, stride": with_lengths(base, ("Left", 60, "OnlyFirst", 7)),
        "truncation, second": with_lengths(base, ("Left", 30, "OnlySecond", 0)),
        "truncation, second, stride": with_lengths(base, ("Right", 90, "OnlySecond", 4)),
        "padding, longest": with_lengths(base, None, ("BatchLongest", "Right", 8)),
        "padding and truncation": with_lengths(base, ("Right", 9, "LongestFirst", 1), ({"Fixed": 16}, "Left", None)),
        "byte fallback": with_byte_fallback(base, True),
        "byte fallback, some bytes missing": with_byte_fallback(base, False),
    }
