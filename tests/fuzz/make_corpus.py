#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the seeds and dictionaries of the fuzz targets: FOLDER/TARGET/* and FOLDER/TARGET.dict.

    python3 tests/fuzz/make_corpus.py FOLDER

run.sh calls it. The files come from this script and the test data, and are the same every time.
tests/fuzz/found/TARGET holds the inputs that once were findings.
"""

import io
import json
import pathlib
import random
import shutil
import struct
import sys
import zipfile
import zlib

here = pathlib.Path(__file__).resolve().parent
tests = here.parent
corpus = pathlib.Path(sys.argv[1]) if len(sys.argv) == 2 else sys.exit(__doc__)


def write(target, seeds, words=()):
    folder = corpus / target
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for number, seed in enumerate(dict.fromkeys(seeds)):
        (folder / f"{number:03}").write_bytes(seed)
    lines = []
    for word in words:
        data = word if isinstance(word, bytes) else word.encode()
        lines.append('"' + "".join(f"\\x{byte:02X}" for byte in data) + '"\n')
    dictionary = corpus / f"{target}.dict"
    if lines:
        dictionary.write_text("".join(lines))


def dump(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


# ---- checkpoint

json_words = ["{", "}", "[", "]", ":", ",", '"', "null", "true", "false", "-1", "1e400", "1.5", "\\u0000",
              "\\uD800", "9223372036854775807", "9223372036854775808", "18446744073709551615",
              "18446744073709551616"]
dtypes = {"BOOL": 8, "F4": 4, "F6_E2M3": 6, "U8": 8, "I8": 8, "F8_E5M2": 8, "I16": 16, "F16": 16, "BF16": 16,
          "I32": 32, "F32": 32, "C64": 64, "F64": 64, "I64": 64, "U64": 64}


def safetensors(header, data=b"", pad=0):
    text = header if isinstance(header, bytes) else dump(header)
    text += b" " * pad
    return struct.pack("<Q", len(text)) + text + data


def tensors(shapes, metadata=None):
    header, data = {}, b""
    if metadata is not None:
        header["__metadata__"] = metadata
    for name, (dtype, shape) in shapes.items():
        size = dtypes[dtype]
        for dimension in shape:
            size *= dimension
        begin = len(data)
        data += bytes((7 * i + 1) % 256 for i in range(size // 8))
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [begin, len(data)]}
    return header, data


def safetensors_seeds():
    yield safetensors({})
    yield safetensors(*tensors({"a": ("F32", [2, 3])}))
    yield safetensors(*tensors({"a": ("F32", [])}, {"format": "pt"}), pad=5)
    yield safetensors(*tensors({name.lower(): (name, [2, 2]) for name in dtypes}))
    yield safetensors(*tensors({"e.0": ("F16", [0, 3]), "e.1": ("BF16", [3]), "e.2": ("I64", [1, 1, 2])}))
    yield safetensors(*tensors({"x": ("U8", [1] * 8), "\u00e9\u4e00": ("F64", [1])}, {"k": "v", "": "\n"}))
    header, data = tensors({"a": ("F32", [1]), "b": ("F32", [2])})
    header["a"]["note"] = {"deep": [[1, 2.5, None]]}
    yield safetensors(header, data)
    header["b"]["data_offsets"] = [0, 8]
    yield safetensors(header, data)
    yield safetensors(b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"U8","shape":[4],'
                      b'"data_offsets":[0,4]}}', b"abcd")
    yield struct.pack("<Q", 1 << 63) + b"{}"


def index(weights, **rest):
    return dump({"metadata": {"total_size": 8}, **rest, "weight_map": weights})


def index_seeds():
    yield index({"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"})
    yield index({"a": "x.safetensors"}, extra=[[{"deep": [1, 2.5, "s", None, True]}]])
    for name in ("../x.safetensors", "/x.safetensors", "a/b.safetensors", ".safetensors", "x.bin", "", "a\0.safetensors"):
        yield index({"a": name})
    yield b'{"weight_map":{"a":"x.safetensors","a":"x.safetensors"}}'
    yield b'{"weight_map":{}}'


def zip_file(parts):
    """Stored entries as torch.save has them; the pickle without its checksum, so that it can change."""
    body, directory = b"", b""
    for name, data in parts.items():
        crc = 0 if name.endswith("data.pkl") else zlib.crc32(data)
        fields = struct.pack("<HHIIIIHH", 0, 0, 0, crc, len(data), len(data), len(name), 0)
        directory += b"PK\1\2" + struct.pack("<HH", 45, 45) + fields + struct.pack("<HHHII", 0, 0, 0, 0, len(body))
        directory += name.encode()
        body += b"PK\3\4" + struct.pack("<H", 45) + fields + name.encode() + data
    end = struct.pack("<HHHHIIH", 0, 0, len(parts), len(parts), len(directory), len(body), 0)
    return body + directory + b"PK\5\6" + end


def saved_by_torch():
    data = tests / "checkpoint" / "data"
    for name in ("protocol2", "protocol4", "nested", "module", "object", "uint16", "bare_tensor", "repacked"):
        with zipfile.ZipFile(io.BytesIO((data / f"{name}.bin").read_bytes())) as archive:
            yield {part: archive.read(part) for part in archive.namelist()}


def string(text):
    return b"X" + struct.pack("<I", len(text)) + text.encode()


def pickles():
    for parts in saved_by_torch():
        yield next(data for name, data in parts.items() if name.endswith("data.pkl"))
    kinds = {"HalfStorage": 32, "FloatStorage": 16, "DoubleStorage": 8, "LongStorage": 8, "ByteStorage": 64,
             "BoolStorage": 64, "BFloat16Storage": 32, "IntStorage": 16, "ShortStorage": 32, "CharStorage": 64}
    for kind, count in kinds.items():
        storage = (b"(" + string("storage") + b"ctorch\n" + kind.encode() + b"\n" + string("0") + string("cpu") +
                   b"K" + bytes([count]) + b"tQ")
        tensor = (b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + b"K\1K\2K\3\x86K\3K\1\x86\x89"
                  b"ccollections\nOrderedDict\n)RtR")
        yield b"\x80\2ccollections\nOrderedDict\n)R(" + string("w") + tensor + b"u."


pickle_words = [b"ctorch._utils\n_rebuild_tensor_v2\n", b"ccollections\nOrderedDict\n",
                b"ctorch._utils\n_rebuild_parameter\n", b"ctorch\nFloatStorage\n", b"ctorch\nHalfStorage\n",
                b"X\7\0\0\0storage", b"X\1\0\0\0000", b"X\3\0\0\0cpu", b"tQ", b")R", b"tR", b"\x85", b"\x86",
                b"\x87", b"\x94", b"\x8A\x08\xff\xff\xff\xff\xff\xff\xff\x7f", b"q\0", b"h\0", b"r\0\0\0\0",
                b"(", b"u", b"s", b"e", b"a", b"]", b"}", b"\x88", b"\x89", b"N", b"."]


def configs():
    models = tests / "reference" / "data" / "models"
    for name in ("bare-nystrom", "mlm-matrix", "sequence-multi-label", "sequence-regression", "token-nystrom"):
        yield dump(json.loads((models / name / "config.json").read_text()))
    yield b"{}"
    yield dump({"model_type": "nystromformer", "num_labels": 5, "conv_kernel_size": None, "eos_token_id": [1, 2]})
    yield dump({"id2label": {"0": "a", "1": "b"}, "label2id": {"a": 0, "b": 1}, "eos_token_id": None})
    yield b'{"id2label":{"0":"a"},"num_labels":3,"x":[NaN,-Infinity,1e400],"x":Infinity,"label2id":{"a":"0"}}'
    yield dump({"model_type": "nystromformer", "padding_idx": 1, "head_model_type": "roberta"})
    for family in ("bert", "roberta", "distilbert", "electra"):
        yield dump(json.loads((tests / "reference" / "families" / f"{family}-classes" / "config.json").read_text()))


config_words = json_words + [f'"{key}":' for key in (
    "vocab_size hidden_size num_hidden_layers num_attention_heads intermediate_size hidden_act "
    "max_position_embeddings type_vocab_size segment_means_seq_len num_landmarks conv_kernel_size "
    "inv_coeff_init_option layer_norm_eps pad_token_id bos_token_id eos_token_id num_labels id2label label2id "
    "problem_type tie_word_embeddings architectures is_decoder model_type dim n_heads n_layers hidden_dim activation "
    "embedding_size summary_type summary_activation padding_idx head_model_type").split()] + ["NaN", "Infinity"]

# ---- tokenizer


def recorded(name):
    return json.loads((tests / "tokenizer" / name).read_text())


def tokenizer_files():
    models = recorded("models.json")
    small = models["models"]["model 19"]
    seen = set()
    for case in models["cases"]:
        value = dict(case["tokenizer"])
        model = models["models"][value["model"]]
        kind = json.dumps([model.get("type") if len(dump(model)) < 1400 else "", value["post_processor"],
                           value["decoder"], value["truncation"] is None])
        if kind in seen:
            continue
        seen.add(kind)
        value["model"] = model if len(dump(model)) < 1400 else small
        if value["model"] is small:
            value["added_tokens"] = [token for token in value["added_tokens"] if token["content"] in small["vocab"]
                                     and small["vocab"][token["content"]] == token["id"]]
        yield dump(value)
    for number, case in enumerate(recorded("components.json")["cases"]):
        if number % 2 == 0 or "regex" in case["name"]:
            yield dump({"normalizer": case["normalizer"], "pre_tokenizer": case["pre_tokenizer"], "model":
                        {"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0], ["a", -1], ["ab", -1.5]]}})
    for vocabulary in ([["a", -1]], [["<unk>", 0], ["\u2581a", -1], ["<0x61>", -2]]):
        yield dump({"version": "1.0", "model": {"type": "Unigram", "unk_id": None, "byte_fallback": True,
                                                "vocab": vocabulary}})


component_words = ("Sequence NFC NFD NFKC NFKD Nmt Lowercase StripAccents Strip Replace Prepend Precompiled "
                   "BertNormalizer ByteLevel Metaspace Whitespace WhitespaceSplit BertPreTokenizer Split Punctuation "
                   "Digits UnicodeScripts CharDelimiterSplit FixedLength TemplateProcessing BertProcessing "
                   "RobertaProcessing WordPiece BPEDecoder CTC Fuse ByteFallback Unigram BPE WordLevel").split()
key_words = ("type normalizer normalizers pre_tokenizer pretokenizers post_processor processors decoder decoders "
             "model added_tokens truncation padding vocab merges unk_id unk_token pattern Regex String content "
             "behavior invert single pair special_tokens byte_fallback max_length stride strategy Fixed").split()
regex_words = ["\\\\p{L}", "\\\\p{^N}", "\\\\s", "\\\\S", "(?:", "(?=", "(?!", "(?i:", "[^", "{1,3}", "{2,}", "*?",
               "++", "|", "\\\\b", "\\\\x{4e00}", "\\\\u9fa5", "$", "^"]
tokenizer_words = (json_words + [f'{{"type":"{word}"}}' for word in component_words] +
                   [f'"{word}":' for word in key_words] + regex_words)


def double_array(pairs):
    """A darts-clone array of keys to offsets: nodes first fit, offsets below 2^21."""
    trie = {}
    for key, value in pairs:
        node = trie
        for byte in key:
            node = node.setdefault(byte, {})
        node[0] = value
    units = {0: 0}
    queue = [(0, trie)]
    used = {0}
    while queue:
        at, node = queue.pop()
        base = next(b for b in range(1, 1 << 20) if not used & {b, *(b ^ byte for byte in node)})
        used.add(base)
        units[at] = units.get(at, 0) | ((at ^ base) << 10)
        for byte, child in node.items():
            used.add(base ^ byte)
            if byte == 0:
                units[at] |= 1 << 8
                units[base] = 0x80000000 | child
            else:
                units[base ^ byte] = byte
                queue.append((base ^ byte, child))
    return b"".join(struct.pack("<I", units.get(i, 0x80000000)) for i in range((max(used) | 0xFF) + 1))


def charsmap(rules):
    replacements, pairs = b"", []
    for key, value in rules.items():
        pairs.append((key.encode(), len(replacements)))
        replacements += value.encode() + b"\0"
    array = double_array(pairs)
    return struct.pack("<I", len(array)) + array + replacements


maps = [charsmap({"\u00e9": "e", "\ufb01": "fi", "\u2460": "1", "A": "a"}), charsmap({"ab": "", "b": "bb"}),
        charsmap({"\u0301": "", "e\u0301": "\u00e9", "\r\n": " ", "\t": " ", "\U0001f1e9\U0001f1ea": "DE"})]


def varint(value):
    result = b""
    while value >= 0x80:
        result += bytes([value & 0x7F | 0x80])
        value >>= 7
    return result + bytes([value])


def field(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def spiece(pieces, charsmap_blob=b"", trainer=b"\x18\1"):
    result = b"".join(field(1, field(1, text.encode()) + b"\x15" + struct.pack("<f", score) + b"\x18" + bytes([kind]))
                      for text, score, kind in pieces)
    return result + field(2, trainer) + field(3, field(1, b"nmt") + field(2, charsmap_blob))


albert = [("<pad>", 0, 3), ("<unk>", 0, 2), ("[CLS]", 0, 3), ("[SEP]", 0, 3), ("[MASK]", 0, 4), ("\u2581", -1, 1),
          ("a", -1.5, 1), ("5,", -2, 1), ("\u2581a", -2, 1)]
fairseq = [("<unk>", 0, 2), ("<s>", 0, 3), ("</s>", 0, 3), ("\u2581", -1, 1), ("a", -1, 1), ("<0x0A>", -3, 6)]


def of_rest(seed, rest):
    """`seed` with an unknown field before it, so that its size is `rest` modulo 4."""
    for size in range(4):
        longer = field(9, b"x" * size) + seed
        if len(longer) % 4 == rest:
            return longer


texts = ["", "Hello, w\u00f6rld! 12 caf\u00e9", " the  other  [MASK] <unk>\t\n", "e\u0301\u0301 \ufb01\u2460 \u4e00\u4e8c",
         "\U0001f1e9\U0001f1ea\u200d\U0001f468 \u1100\u1161\u11a8", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa ab",
         "others done, said, the river was unbelievable", "\u2581a \u2581b\u2581 ABC123 x==y --", "a\0b\r\n\u00a0\u3000c"]


def encode_seeds():
    # What chooses stands at the end, read backwards: tokenizer, flags, numbers.
    for number, text in enumerate(texts):
        for tokenizer in range(0, 240, 12):
            flags = (number * 37 + tokenizer) % 256
            if (number + tokenizer // 12) % 3 == 0:
                yield text.encode() + bytes([8, 20, 2, 12]) + bytes([flags, tokenizer + number])
    yield b"\xff\xfe a\xe4\xb8 b\xed\xa0\x80" + bytes([0, 1])


def decode_seeds():
    source = random.Random(1)
    for tokenizer in range(0, 240, 9):
        ids = bytes(source.randrange(120) for _ in range(source.randrange(24)))
        yield ids + bytes([tokenizer % 8, tokenizer])
    yield struct.pack("<4q", 0, 5, 1 << 40, (1 << 63) - 1) + bytes([8, 0])


# ---- the rest


def forward_seeds():
    source = random.Random(2)
    for size in (8, 40, 90, 200, 400):
        for _ in range(12):
            data = bytearray(source.randrange(256) for _ in range(size))
            data[-3] &= 0xFE  # most of them with an input that fits
            yield bytes(data)


lines = [b"", b"\n", b'{"text":"a ab a"}\n', b'{"text":"a","pair":"ab"}\n{"text":1}\n\n{"x":2}', b'{"ids":[1,2,3]}\n',
         b'{"ids":[1,-2,3e0]}\r\n{"ids":{}}\n', b'{"choices":["a","b"],"prompt":"p"}\n{"choices":[1]}\n',
         b'{"question":"q","context":"c"}\n{"question":"q"}\n', b'\xef\xbb\xbf{"text":"a"}\n', b'{"text":"\xff"}\n',
         b'{"text":"\\ud800"}\n{"text":"\\u0000"}\n', b'[1]\n"x"\n7\nnull\n', b'{"text":"a","text":"b"}\n',
         b'{"line":5,"error":1,"output":2,"text":"a"}\n' * 4, b"[" * 40 + b"]" * 40 + b"\n", b'{"n":1e400}\n']
corpora = [b"", b"one\ntwo\n\nthree\n", b"a\r\n\r\nb\r\n \t\r\nc", b'{"text":"a"}\n{"text":"b"}\n', b"\n\n\n", b" \f\v\n x \n"]


def main():
    write("safetensors", safetensors_seeds(), json_words + [f'"{name}"' for name in dtypes] +
          ['"dtype":', '"shape":', '"data_offsets":', '"__metadata__":'])
    write("shard_index", index_seeds(), json_words + ['"weight_map":', ".safetensors", "../", "/"])
    legacy = [(tests / "checkpoint" / "data" / f"{name}.bin").read_bytes()
              for name in ("legacy", "legacy_views", "big_endian_legacy")]
    write("torch_archive", legacy + [zip_file(parts) for parts in saved_by_torch()] +
          [zip_file({"a/data.pkl": pickle, "a/data/0": bytes(64), "a/byteorder": b"little"}) for pickle in pickles()
           if len(pickle) < 400],
          pickle_words + [b"PK\3\4", b"PK\1\2", b"PK\5\6", b"PK\6\6", b"PK\6\7", b"\xff\xff\xff\xff", b"\xff\xff"])
    write("pickle", pickles(), pickle_words)
    write("config", configs(), config_words)
    write("tokenizer_json", tokenizer_files(), tokenizer_words)
    write("charsmap", maps)
    write("spiece", [spiece(albert), of_rest(spiece(albert, maps[1]), 3), of_rest(spiece(fairseq), 1),
                     of_rest(spiece(fairseq), 2), spiece(albert, trainer=b"\x18\2")],
          [field(1, field(1, b"b") + b"\x15\0\0\x80\xbf\x18\1"), b"\x18\6", b"\x15\0\0\xc0\x7f"])
    source = random.Random(3)
    write("built_tokenizer", [source.randbytes(size) for size in (40, 90, 160, 300) for _ in range(8)])
    write("encode", encode_seeds(), ["\u2581", "<unk>", "[S]", "[E]", "\u0301", "\u200d", "\ufb01", "\xa0"])
    write("decode", decode_seeds())
    write("forward", forward_seeds())
    write("json_line", lines, json_words + ['"text":', '"pair":', '"ids":', '"choices":', '"question":', "\n", "\r"])
    write("text_file", corpora, ["\n\n", "\r\n", '{"text":'])


if __name__ == "__main__":
    main()
