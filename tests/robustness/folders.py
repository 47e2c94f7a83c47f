# SPDX-License-Identifier: MIT
"""Draws model folders that are valid but odd: tiny widths, every head, every kind of tokenizer, modules of
sentence-transformers.  Standard library only."""
import array
import json
import struct

HEADS = ["base", "masked-lm", "classes", "tags", "answers", "choices"]
ARCHITECTURES = dict(zip(HEADS, ["Model", "ForMaskedLM", "ForSequenceClassification", "ForTokenClassification",
                                 "ForQuestionAnswering", "ForMultipleChoice"]))
ACTIVATIONS = ["gelu_new", "gelu", "relu", "silu", "tanh", "mish", "gelu_pytorch_tanh", "relu6", "gelu_python"]
WORDS = ("the a cat dog sat on mat red big fox of and ran to sea over moon house door garden he she it was not "
         "river stone bread light old new").split()
LETTERS = list("bcdefghijklmnopqrstuvwxyz0123456789.,!?-'")
SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
POOLING = ["cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"]


def write_safetensors(path, tensors):
    """tensors: name -> (shape, floats)."""
    header, blocks, end = {}, [], 0
    for name, (shape, values) in tensors.items():
        raw = array.array("f", values).tobytes()
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [end, end + len(raw)]}
        blocks.append(raw)
        end += len(raw)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(blocks))


def write_json(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")


class Weights:
    def __init__(self, dice):
        self.dice, self.tensors = dice, {}

    def add(self, name, *shape):
        count = 1
        for size in shape:
            count *= size
        gauss = self.dice.gauss
        self.tensors[name] = (list(shape), [gauss(0, 0.5) for _ in range(count)])

    def linear(self, name, rows, cols):
        self.add(name + ".weight", rows, cols)
        self.add(name + ".bias", rows)

    def norm(self, name, size):
        self.tensors[name + ".weight"] = ([size], [self.dice.uniform(0.5, 1.5) for _ in range(size)])
        self.add(name + ".bias", size)


def draw_config(dice, head, vocab_size):
    heads = dice.choice([1, 1, 2, 3])
    segments = dice.choice([1, 2, 4, 6, 8])
    landmarks = dice.choice([n for n in range(1, segments + 1) if segments % n == 0] + [segments] * 3)
    labels = [f"label {i}" for i in range(dice.randint(1, 5))]
    if head == "tags":
        labels = dice.sample(["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "X"], dice.randint(1, 6))
    if head == "classes" and dice.random() < 0.4:
        labels = dice.choice([["entailment", "neutral", "contradiction"], ["no", "ENTAILS"], ["entail"]])
    config = {
        "model_type": "nystromformer", "architectures": ["Nystromformer" + ARCHITECTURES[head]],
        "vocab_size": vocab_size, "hidden_size": heads * dice.choice([1, 2, 4, 5]),
        "num_hidden_layers": dice.choice([0, 1, 1, 1, 2]), "num_attention_heads": heads,
        "intermediate_size": dice.choice([1, 3, 8]), "hidden_act": dice.choice(ACTIVATIONS),
        "max_position_embeddings": dice.choice([6, 8, 12, 16, 24, 40]), "type_vocab_size": dice.choice([1, 2, 2, 3]),
        "segment_means_seq_len": segments, "num_landmarks": landmarks,
        "conv_kernel_size": dice.choice([None, 1, 3, 5, 65]), "inv_coeff_init_option": dice.random() < 0.2,
        "layer_norm_eps": dice.choice([1e-5, 1e-12]), "pad_token_id": 0,
        "id2label": {str(i): label for i, label in enumerate(labels)},
        "label2id": {label: i for i, label in enumerate(labels)},
    }
    if head == "classes":
        problems = [None, "regression", "multi_label_classification", "single_label_classification"]
        if problem := dice.choice(problems):
            config["problem_type"] = problem
    return config


def draw_weights(dice, config, head):
    weights, hidden, layers = Weights(dice), config["hidden_size"], config["num_hidden_layers"]
    top = "" if head == "base" and dice.random() < 0.5 else "nystromformer."
    embeddings = top + "embeddings."
    weights.add(embeddings + "word_embeddings.weight", config["vocab_size"], hidden)
    weights.add(embeddings + "position_embeddings.weight", config["max_position_embeddings"] + 2, hidden)
    weights.add(embeddings + "token_type_embeddings.weight", config["type_vocab_size"], hidden)
    weights.norm(embeddings + "LayerNorm", hidden)
    for i in range(layers):
        layer = f"{top}encoder.layer.{i}."
        for part in ("query", "key", "value"):
            weights.linear(f"{layer}attention.self.{part}", hidden, hidden)
        if config["conv_kernel_size"]:
            weights.add(layer + "attention.self.conv.weight", config["num_attention_heads"], 1,
                        config["conv_kernel_size"], 1)
        weights.linear(layer + "attention.output.dense", hidden, hidden)
        weights.norm(layer + "attention.output.LayerNorm", hidden)
        weights.linear(layer + "intermediate.dense", config["intermediate_size"], hidden)
        weights.linear(layer + "output.dense", hidden, config["intermediate_size"])
        weights.norm(layer + "output.LayerNorm", hidden)
    labels = len(config["id2label"])
    if head == "masked-lm":
        weights.add("cls.predictions.bias", config["vocab_size"])
        weights.linear("cls.predictions.transform.dense", hidden, hidden)
        weights.norm("cls.predictions.transform.LayerNorm", hidden)
    elif head == "classes":
        weights.linear("classifier.dense", hidden, hidden)
        weights.linear("classifier.out_proj", labels, hidden)
    elif head == "tags":
        weights.linear("classifier", labels, hidden)
    elif head == "answers":
        weights.linear("qa_outputs", 2, hidden)
    elif head == "choices":
        weights.linear("pre_classifier", hidden, hidden)
        weights.linear("classifier", 1, hidden)
    return weights.tensors


def draw_vocabulary(dice, kind):
    """All pieces, and the model of tokenizer.json."""
    words = ["a", *dice.sample(WORDS[2:], dice.randint(5, len(WORDS) - 2))]
    letters = LETTERS if dice.random() < 0.8 else LETTERS[:8]
    if kind == "WordPiece":
        pieces = SPECIALS + words + letters + ["##" + letter for letter in ["a", *letters]] + ["é", "東"]
        return pieces, {"type": kind, "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                        "max_input_chars_per_word": dice.choice([1, 5, 100])}
    if kind == "WordLevel":
        return SPECIALS + words + letters, {"type": kind, "unk_token": "[UNK]"}
    if kind == "Unigram":
        pieces = [*SPECIALS, "▁", "a", *letters] + ["▁" + word for word in words]
        scores = [[piece, -dice.uniform(0, 12) if i > 4 else 0.0] for i, piece in enumerate(pieces)]
        return pieces, {"type": kind, "unk_id": 1, "vocab": scores, "byte_fallback": False}
    pieces, merges = [*SPECIALS, "a", *letters, "Ġ", "▁"], []
    for word in words:
        made = word[0]
        for letter in word[1:]:
            if made not in pieces or letter not in pieces:
                break
            if made + letter not in pieces:
                pieces.append(made + letter)
                merges.append(f"{made} {letter}")
            made += letter
    return pieces, {"type": "BPE", "unk_token": dice.choice([None, "[UNK]"]), "dropout": None, "merges": merges,
                    "continuing_subword_prefix": None, "end_of_word_suffix": None, "fuse_unk": dice.random() < 0.5,
                    "byte_fallback": False, "ignore_merges": dice.random() < 0.3}


def draw_tokenizer(dice):
    """tokenizer.json as an object, and the number of its ids."""
    kind = dice.choice(["WordPiece", "WordPiece", "WordLevel", "Unigram", "BPE"])
    pieces, model = draw_vocabulary(dice, kind)
    if kind != "Unigram":
        model["vocab"] = {piece: i for i, piece in enumerate(pieces)}
    lower = {"type": "Lowercase"}
    normalizer = dice.choice([None, lower, {"type": "NFKC"}, {"type": "Sequence", "normalizers": [
        {"type": "NFD"}, {"type": "StripAccents"}, lower]}, {"type": "BertNormalizer", "clean_text": True,
        "handle_chinese_chars": True, "strip_accents": None, "lowercase": True},
        {"type": "Strip", "strip_left": True, "strip_right": True}])
    metaspace = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": dice.choice(["always", "first", "never"]),
                 "split": True}
    pre = {"Unigram": metaspace, "BPE": dice.choice([metaspace, {
        "type": "ByteLevel", "add_prefix_space": dice.random() < 0.5, "trim_offsets": dice.random() < 0.5,
        "use_regex": True}])}.get(kind) or dice.choice([{"type": "BertPreTokenizer"}, {"type": "Whitespace"},
                                                       {"type": "WhitespaceSplit"}])
    decoders = {"WordPiece": {"type": "WordPiece", "prefix": "##", "cleanup": dice.random() < 0.5},
                "Unigram": dict(metaspace), "BPE": {**pre}}
    added = [{"id": i, "content": piece, "single_word": False, "lstrip": piece == "[MASK]" and dice.random() < 0.5,
              "rstrip": False, "normalized": False, "special": True} for i, piece in enumerate(SPECIALS)]
    count = len(pieces)
    for content in dice.sample(["<x>", "fox fox", "é", "==>"], dice.choice([0, 0, 1, 2])):
        if content not in pieces:
            added.append({"id": count, "content": content, "single_word": dice.random() < 0.3,
                          "lstrip": dice.random() < 0.3, "rstrip": dice.random() < 0.3,
                          "normalized": dice.random() < 0.5, "special": dice.random() < 0.5})
            count += 1
    tokenizer = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added,
                 "normalizer": normalizer, "pre_tokenizer": pre, "post_processor": draw_template(dice),
                 "decoder": decoders.get(kind), "model": model}
    if dice.random() < 0.15:
        tokenizer["truncation"] = {"direction": dice.choice(["Left", "Right"]), "max_length": dice.randint(4, 20),
                                   "strategy": "LongestFirst", "stride": dice.choice([0, 0, 1])}
    if dice.random() < 0.15:
        tokenizer["padding"] = {"strategy": dice.choice(["BatchLongest", {"Fixed": dice.randint(0, 20)}]),
                                "direction": dice.choice(["Left", "Right"]), "pad_to_multiple_of": None, "pad_id": 0,
                                "pad_type_id": 0, "pad_token": "[PAD]"}
    return tokenizer, count


def draw_template(dice):
    """[CLS] and [SEP] around texts, or only one of them, or none."""
    begin, end = dice.choice([(True, True)] * 4 + [(True, False), (False, True), (False, False)])
    if not begin and not end:
        return None
    token = lambda name: {"SpecialToken": {"id": name, "type_id": 0}}
    single = [{"Sequence": {"id": "A", "type_id": 0}}]
    pair = [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}]
    if begin:
        single.insert(0, token("[CLS]"))
        pair.insert(0, token("[CLS]"))
    if end:
        single.append(token("[SEP]"))
        pair.insert(-1, token("[SEP]"))
        pair.append(token("[SEP]"))
    names = (["[CLS]"] if begin else []) + (["[SEP]"] if end else [])
    return {"type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": {
        name: {"id": name, "ids": [SPECIALS.index(name)], "tokens": [name]} for name in names}}


def write_modules(dice, root, hidden):
    """The files of a sentence-transformers folder around the model's, and the columns of its vectors."""
    modes = dice.sample(POOLING, dice.choice([1, 1, 1, 2, 3]))
    pooling = {"word_embedding_dimension": hidden, "include_prompt": dice.random() < 0.5}
    if dice.random() < 0.5:
        pooling["pooling_mode"] = modes if len(modes) > 1 else modes[0]
    else:
        old = ["cls_token", "max_tokens", "mean_tokens", "mean_sqrt_len_tokens", "weightedmean_tokens", "lasttoken"]
        for mode, key in zip(POOLING, old):
            pooling["pooling_mode_" + key] = mode in modes
    columns, modules = hidden * len(modes), [("Transformer", ""), ("Pooling", "1_Pooling")]
    (root / "1_Pooling").mkdir()
    write_json(root / "1_Pooling/config.json", pooling)
    for number in range(2, 2 + dice.choice([0, 0, 1, 2])):
        kind = dice.choice(["Dense", "LayerNorm", "Normalize", "Dropout"])
        folder = root / f"{number}_{kind}"
        folder.mkdir()
        modules.append((kind, folder.name))
        weights = Weights(dice)
        if kind == "Dense":
            out = dice.choice([1, columns, 5])
            write_json(folder / "config.json", {
                "in_features": columns, "out_features": out, "bias": dice.random() < 0.7,
                "activation_function": "torch.nn.modules." + dice.choice(["activation.Tanh", "linear.Identity"])})
            if json.loads((folder / "config.json").read_text())["bias"]:
                weights.linear("linear", out, columns)
            else:
                weights.add("linear.weight", out, columns)
            columns = out
        elif kind == "LayerNorm":
            write_json(folder / "config.json", {"dimension": columns})
            weights.norm("norm", columns)
        elif kind == "Dropout":
            write_json(folder / "config.json", {"dropout": 0.1})
        if weights.tensors:
            write_safetensors(folder / "model.safetensors", weights.tensors)
    write_json(root / "modules.json", [
        {"idx": i, "name": str(i), "path": path, "type": "sentence_transformers.models." + kind}
        for i, (kind, path) in enumerate(modules)])
    prompts = {"query": dice.choice(["query: ", "", "the "]), "long": "the cat sat on the mat and the dog ran to the sea ",
               "odd": dice.choice([" ", "[SEP]", "é", "zzz"])}
    write_json(root / "config_sentence_transformers.json", {
        "prompts": prompts, "default_prompt_name": dice.choice([None, "query", "long"]),
        "similarity_fn_name": dice.choice(["cosine", "dot", "euclidean", "manhattan"])})
    if dice.random() < 0.6:
        write_json(root / "sentence_bert_config.json", {"max_seq_length": dice.randint(3, 12),
                                                        "do_lower_case": dice.random() < 0.3})
    return columns


class Folder:
    """A drawn folder: its path, config, head, columns of an embedding; `modules` with modules.json."""

    def __init__(self, dice, path):
        self.path = path
        path.mkdir(parents=True)
        self.head = dice.choice(HEADS)
        self.tokenizer, vocab_size = draw_tokenizer(dice)
        self.config = draw_config(dice, self.head, vocab_size + dice.choice([0, 0, 3]))
        write_json(path / "tokenizer.json", self.tokenizer)
        settings = {"tokenizer_class": dice.choice(["PreTrainedTokenizerFast", "BertTokenizer"]),
                    "model_max_length": dice.choice([10**30, 5, self.config["max_position_embeddings"], 512])}
        for role, token in zip(("pad", "unk", "cls", "sep", "mask"), SPECIALS):
            settings[role + "_token"] = token
        for side in ("truncation_side", "padding_side"):
            if dice.random() < 0.2:
                settings[side] = dice.choice(["left", "right"])
        write_json(path / "tokenizer_config.json", settings)
        write_json(path / "config.json", self.config)
        write_safetensors(path / "model.safetensors", draw_weights(dice, self.config, self.head))
        self.modules = self.head == "base" and dice.random() < 0.7
        self.columns = self.config["hidden_size"]
        if self.modules:
            self.columns = write_modules(dice, path, self.columns)
