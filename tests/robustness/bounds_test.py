#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Bounds that must hold for a window, a sum or a product, not only for one item; through the command line.

    python3 tests/robustness/bounds_test.py --program build/dev/bin/nystromformer
"""
import argparse
import json
import os
import pathlib
import pickle
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import types
import unittest
import xml.etree.ElementTree
import zipfile

import folders

PROGRAM = None
WORDS = [f"w{i}" for i in range(40)]


def write_model(path, head, tokens=12, layers=1, **config):
    """A folder whose tokens are WORDS and the special ones, without any around a text."""
    path.mkdir(parents=True)
    dice = random.Random(head)
    vocabulary = folders.SPECIALS + WORDS
    config = {**folders.draw_config(dice, head, len(vocabulary)), "hidden_size": 4, "num_attention_heads": 2,
              "num_hidden_layers": layers, "max_position_embeddings": tokens, "num_landmarks": 4,
              "segment_means_seq_len": 4, "conv_kernel_size": 3, "type_vocab_size": 2, "hidden_act": "gelu", **config}
    added = [{"id": i, "content": piece, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
              "special": True} for i, piece in enumerate(folders.SPECIALS)]
    folders.write_json(path / "tokenizer.json", {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
        "pre_tokenizer": {"type": "WhitespaceSplit"}, "post_processor": None, "decoder": None,
        "model": {"type": "WordLevel", "unk_token": "[UNK]", "vocab": {word: i for i, word in enumerate(vocabulary)}}})
    folders.write_json(path / "tokenizer_config.json", {
        "tokenizer_class": "PreTrainedTokenizerFast", **{role + "_token": token for role, token in zip(
            ("pad", "unk", "cls", "sep", "mask"), folders.SPECIALS)}})
    folders.write_json(path / "config.json", config)
    tensors = folders.draw_weights(dice, config, head)
    folders.write_safetensors(path / "model.safetensors", tensors)
    return tensors


def add_pooling(path, *modes, **options):
    """Makes a folder of sentence-transformers of a model's."""
    (path / "1_Pooling").mkdir()
    folders.write_json(path / "1_Pooling/config.json", {
        "embedding_dimension": 4, "pooling_mode": list(modes), "include_prompt": False, **options})
    folders.write_json(path / "modules.json", [
        {"idx": i, "name": str(i), "path": folder, "type": "sentence_transformers.models." + kind}
        for i, (kind, folder) in enumerate((("Transformer", ""), ("Pooling", "1_Pooling")))])


def call(command, folder, *options, lines=()):
    """Exit code, JSON lines and stderr."""
    data = "".join(json.dumps(line) + "\n" for line in lines).encode()
    arguments = [PROGRAM, command, "--model", str(folder), *map(str, options)]
    done = subprocess.run(arguments, input=data, capture_output=True, timeout=300)
    return done.returncode, [json.loads(line) for line in done.stdout.decode().split("\n")[:-1]], done.stderr.decode()


def text_of(first, end):
    return " ".join(WORDS[first:end])


class Bounds(unittest.TestCase):
    def setUp(self):
        self.scratch = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.scratch)

    def features(self, folder, text):
        return call("features", folder, lines=[{"text": text}])[1][0]["output"][0]

    def assert_close(self, found, expected):
        self.assertEqual(len(found), len(expected))
        for a, b in zip(found, expected):
            self.assertAlmostEqual(a, b, 5)

    def pooled(self, *modes):
        folder = self.scratch / "-".join(modes)
        write_model(folder, "base")
        add_pooling(folder, *modes)
        return folder


class Prompts(Bounds):
    """sentence-transformers 6.2 was asked for these values."""

    def test_a_prompt_that_fills_the_cut_leaves_zeros_the_first_token_or_for_max_an_error(self):
        prompt, lines = text_of(0, 12) + " ", [{"text": "w20"}, {"text": "w21 w22"}]
        for mode in folders.POOLING:
            folder = self.pooled(mode)
            code, answers, _ = call("embed", folder, "--truncation", "--prompt", prompt, lines=lines)
            if mode == "max":
                self.assertEqual(code, 3)
                self.assertTrue(all("prompt" in answer["error"] for answer in answers))
                continue
            self.assertEqual(code, 0)
            expected = self.features(folder, text_of(0, 12))[0] if mode == "cls" else [0, 0, 0, 0]
            for answer in answers:
                self.assert_close(answer["output"], expected)

    def test_modes_that_need_tokens_and_others_share_a_vector(self):
        folder = self.pooled("lasttoken", "cls", "weightedmean")
        (answer,) = call("embed", folder, "--truncation", "--prompt", text_of(0, 12) + " ", lines=[{"text": "w20"}])[1]
        self.assert_close(answer["output"], [0] * 4 + self.features(folder, text_of(0, 12))[0] + [0] * 4)

    def test_a_text_of_nothing_after_a_prompt_gives_what_python_gives(self):
        (answer,) = call("embed", self.pooled("mean"), "--prompt", "w1 w2", lines=[{"text": ""}])[1]
        self.assertEqual(answer["output"], [0, 0, 0, 0])

    def test_a_last_token_with_a_role_is_not_of_the_prompt(self):
        folder = self.pooled("cls")
        (answer,) = call("embed", folder, "--prompt", "w1 nobody ", lines=[{"text": "w2"}])[1]  # nobody is [UNK]
        self.assert_close(answer["output"], self.features(folder, "w1 nobody w2")[1])

    def test_a_prompt_that_fills_the_first_window_is_an_error_of_that_text(self):
        prompt = text_of(0, 12) + " "
        for mode in folders.POOLING:
            code, answers, _ = call("embed", self.pooled(mode), "--stride", 2, "--prompt", prompt,
                                    lines=[{"text": "w20"}, {"text": text_of(20, 30)}])
            self.assertEqual(code, 3, mode)
            self.assertTrue(all("prompt" in answer["error"] for answer in answers), answers)

    def test_what_two_windows_share_of_a_prompt_counts_in_neither(self):
        text = text_of(10, 22)  # 22 tokens with the prompt: windows of tokens 0 to 12, 8 to 20 and 16 to 22
        for mode in ("max", "mean", "cls"):
            folder = self.pooled(mode)
            (answer,) = call("embed", folder, "--stride", 4, "--prompt", text_of(0, 10) + " ", lines=[{"text": text}])[1]
            total = [0] * 4
            for begin, end in ((0, 12), (8, 20), (16, 22)):
                rows = self.features(folder, text_of(begin, end))[max(0, 10 - begin):]
                of_window = {"max": [max(column) for column in zip(*rows)], "cls": rows[0],
                             "mean": [sum(column) / len(rows) for column in zip(*rows)]}[mode]
                total = [a + (end - begin) * b for a, b in zip(total, of_window)]
            self.assert_close(answer["output"], [value / (12 + 12 + 6) for value in total])

    def test_modes_and_modules_are_as_many_as_a_folder_can_mean(self):
        folder = self.pooled("mean")
        folders.write_json(folder / "1_Pooling/config.json", {"embedding_dimension": 4, "pooling_mode": ["cls"] * 65})
        code, _, err = call("embed", folder, "a")
        self.assertEqual((code, "at most 64 modes" in err), (1, True), err)
        modules = json.loads((folder / "modules.json").read_text())
        folders.write_json(folder / "modules.json", modules + [{**modules[1], "type": "sentence_transformers.models.Dense"}] * 63)
        code, _, err = call("embed", folder, "a")
        self.assertEqual((code, "at most 64 modules" in err), (1, True), err)


class Storage:
    """A torch storage as a pickle names it."""

    def __init__(self, key, count):
        self.key, self.count = key, count


def write_torch_archive(path, tensors, values):
    """pytorch_model.bin of `tensors`: name -> (shape, first element) in one storage of `values`."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    torch.FloatStorage = type("FloatStorage", (), {"__module__": "torch"})
    rebuild = types.FunctionType((lambda *_: None).__code__, {}, "_rebuild_tensor_v2")
    rebuild.__module__, rebuild.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = rebuild
    storage = Storage("0", len(values))

    class Tensor:
        def __init__(self, shape, first):
            self.shape, self.first = shape, first

        def __reduce__(self):
            strides = [1]
            for size in reversed(self.shape[1:]):
                strides.insert(0, strides[0] * size)
            return rebuild, (storage, self.first, tuple(self.shape), tuple(strides), False, {})

    class Pickler(pickle.Pickler):
        def persistent_id(self, value):
            if isinstance(value, Storage):
                return "storage", torch.FloatStorage, value.key, "cpu", value.count
            return None

    sys.modules["torch"], sys.modules["torch._utils"] = torch, utils
    try:
        with zipfile.ZipFile(path, "w") as archive:
            with archive.open("archive/data.pkl", "w") as file:
                Pickler(file, protocol=2).dump({name: Tensor(*place) for name, place in tensors.items()})
            archive.writestr("archive/data/0", struct.pack(f"<{len(values)}f", *values))
            archive.writestr("archive/version", "3\n")
    finally:
        del sys.modules["torch"], sys.modules["torch._utils"]


class SharedStorage(Bounds):
    def write_tied(self, layers, hidden=4):
        """A folder whose layers are one layer's storage, as its pytorch_model.bin has it, and as safetensors."""
        folder = self.scratch / f"tied{layers}-{hidden}"
        tensors = write_model(folder, "base", layers=1, hidden_size=hidden)
        config = json.loads((folder / "config.json").read_text())
        folders.write_json(folder / "config.json", {**config, "num_hidden_layers": layers})
        values, places, copies = [], {}, {}
        for name, (shape, numbers) in tensors.items():
            names = [name.replace("layer.0.", f"layer.{i}.") for i in range(layers)] if "layer.0." in name else [name]
            for copy in names:
                places[copy], copies[copy] = (shape, len(values)), (shape, numbers)
            values += numbers
        (folder / "model.safetensors").unlink()
        write_torch_archive(folder / "pytorch_model.bin", places, values)
        return folder, copies

    def test_tied_layers_give_what_their_copies_give(self):
        folder, copies = self.write_tied(layers=40)
        tied = call("features", folder, "--json", "w1 w2 w3")
        self.assertEqual(tied[0], 0, tied[2])
        folders.write_safetensors(folder / "model.safetensors", copies)
        (folder / "pytorch_model.bin").unlink()
        self.assertEqual(call("features", folder, "--json", "w1 w2 w3"), tied)

    def test_thousands_of_layers_of_one_storage_are_refused_before_they_take_memory(self):
        folder, _ = self.write_tied(layers=300, hidden=128)  # 60 MB of layers
        self.assertLess((folder / "pytorch_model.bin").stat().st_size, 1 << 20)
        code, _, err = call("features", folder, "w1")
        self.assertEqual(code, 1, err)
        self.assertIn("tensors that share bytes", err)


class Products(Bounds):
    def test_embeddings_of_no_columns_are_refused_before_their_rows_are_made(self):
        folder = self.scratch / "model"
        write_model(folder, "base")
        folders.write_safetensors(self.scratch / "in.safetensors", {"inputs_embeds": ([1 << 28, 1, 0], [])})
        code, _, err = call("run", folder, "--head", "model", "--input", self.scratch / "in.safetensors",
                            "--output", self.scratch / "out.safetensors")
        self.assertEqual((code, "inputs_embeds" in err, "hidden_size 4" in err), (1, True, True), err)

    def test_a_text_of_masks_is_refused_where_its_answers_would_be_quadratic(self):
        folder = self.scratch / "masks"
        write_model(folder, "masked-lm")
        good, bad = {"text": "w1 [MASK] w2"}, {"text": "[MASK] " * 9000}
        code, answers, _ = call("fill-mask", folder, "--stride", 2, lines=[good, bad, good])
        self.assertEqual(code, 3)
        self.assertIn("masks times top_k", answers[1]["error"])
        self.assertEqual(answers[0]["output"], answers[2]["output"])

    def test_masks_are_answered_a_block_at_a_time_as_alone(self):
        folder = self.scratch / "masks"
        write_model(folder, "masked-lm", tokens=40)
        (answer,) = call("fill-mask", folder, "--top-k", 2, lines=[{"text": "w1 [MASK] " * 20}])[1]
        self.assertEqual([len(answers) for answers in answer["output"]], [2] * 20)

    def test_windows_times_labels_in_parts_give_what_each_label_gives_alone(self):
        folder = self.scratch / "classes"
        write_model(folder, "classes", id2label={"0": "entailment", "1": "neutral"}, label2id={"entailment": 0, "neutral": 1})
        text, labels = " ".join(WORDS * 50), WORDS[:36]  # 36 times some 2,400 tokens: more than a part of 65,536
        options = ("--stride", 2, "--multi-label", "--hypothesis-template", "{}")
        (together,) = call("zero-shot", folder, *options, lines=[{"text": text, "candidate_labels": labels}])[1]
        alone = call("zero-shot", folder, *options, lines=[{"text": text, "candidate_labels": [label]} for label in labels])[1]
        scores = dict(zip(together["output"]["labels"], together["output"]["scores"]))
        self.assertEqual(scores, {line["output"]["labels"][0]: line["output"]["scores"][0] for line in alone})
        self.assertEqual(together["cut"], alone[0]["cut"])

    def test_windows_times_choices_in_parts_give_the_same_in_any_batch(self):
        folder = self.scratch / "choices"
        write_model(folder, "choices")
        line = {"prompt": " ".join(WORDS * 50), "choices": WORDS[:36]}
        (one,) = call("choose", folder, "--stride", 2, lines=[line])[1]
        many = call("choose", folder, "--stride", 2, "--batch-tokens", 200, lines=[{"prompt": "w1", "choices": ["w2"]}, line])[1]
        self.assertEqual(one["output"], many[1]["output"])
        self.assertEqual((many[0]["output"]["scores"], "cut" in many[0], one["cut"]), ([1], False, many[1]["cut"]))

    def test_answers_to_weigh_are_bounded_in_all_windows(self):
        folder = self.scratch / "answers"
        write_model(folder, "answers", tokens=400)
        lines = [{"question": "w1", "context": "w2 w3"}, {"question": "w1", "context": " ".join(WORDS * 100)}]
        code, answers, _ = call("answer", folder, "--top-k", 10**6, "--max-answer-len", 10**6, lines=lines)
        self.assertEqual((code, "output" in answers[0]), (3, True))
        self.assertIn("top_k", answers[1]["error"])

    def test_a_benchmark_and_a_comparison_are_bounded_before_they_run(self):
        folder = self.scratch / "model"
        write_model(folder, "base", tokens=1 << 12)
        code, _, err = call("bench", folder, "--batch", 1 << 16, "--lengths", 1 << 12)
        self.assertEqual((code, "--batch times --lengths" in err), (2, True), err)
        numbers = ",".join(["1"] * 100)
        code, _, err = call("compare", folder, "--landmarks", numbers, "--iterations", numbers, "w1")
        self.assertEqual((code, "at most 4096 attentions" in err), (2, True), err)


class Spans(Bounds):
    def test_a_cls_in_the_question_never_cuts_a_character_of_the_answer(self):
        folder = self.scratch / "answers"
        write_model(folder, "answers", tokens=24)
        context = "\U0001f1e9\U0001f1ea é 東京 w1"
        lines = [{"question": question, "context": context} for question in ("[CLS]", "w1 [CLS] w2", "é[CLS]")]
        code, answers, _ = call("answer", folder, "--top-k", 50, "--no-align-to-words", lines=lines)
        self.assertEqual(code, 0)
        ends = set()
        for line in answers:
            for answer in line["output"]:
                self.assertEqual(answer["answer"], context[answer["start"]:answer["end"]])
                ends.add(answer["end"])
        self.assertIn(8, ends)  # the end of the [CLS] in "w1 [CLS] w2"


class Memory(Bounds):
    def test_lines_that_are_padded_to_a_million_tokens_are_not_held_together(self):
        folder = self.scratch / "base"
        write_model(folder, "base")
        tokenizer = json.loads((folder / "tokenizer.json").read_text())
        tokenizer["padding"] = {"strategy": {"Fixed": 1 << 17}, "direction": "Right", "pad_to_multiple_of": None,
                                "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"}
        folders.write_json(folder / "tokenizer.json", tokenizer)
        data = json.dumps({"text": "w1"}).encode() + b"\n"
        process = subprocess.Popen([PROGRAM, "tokenize", "--model", str(folder)], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE)
        process.stdin.write(data * 40)
        process.stdin.close()
        lines = sum(block.count(b"\n") for block in iter(lambda: process.stdout.read(1 << 20), b""))
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        process.stdout.close()
        self.assertEqual((process.returncode, lines), (0, 40))
        self.assertLess(usage.ru_maxrss, 1 << 20)  # KiB; forty together take several times that


class Errors(Bounds):
    def test_a_token_that_the_model_does_not_know_is_told_the_same_in_any_batch(self):
        good, bad = {"text": "w1 [MASK] w2"}, {"text": "w1 [MASK] w39"}  # the model ends with w34
        for command, head in (("embed", "base"), ("features", "base"), ("fill-mask", "masked-lm"), ("classify", "classes"),
                              ("tag", "tags")):
            folder = self.scratch / head
            if not folder.exists():
                write_model(folder, head, vocab_size=40)
            errors = set()
            for options in ([], ["--batch-tokens", 1], *([["--stride", 1]] if command != "tag" else [])):
                code, answers, _ = call(command, folder, *options, lines=[good, bad, good])
                self.assertEqual((code, [line for line in (0, 2) if "error" in answers[line]]), (3, []), answers)
                errors.add(answers[1]["error"])
            self.assertEqual(errors, {"input_ids[2]: expected below the model's vocab_size 40, found 44"}, command)


class Silences(Bounds):
    def run_labels(self, head, name, tensors):
        folder = self.scratch / head
        if not folder.exists():
            write_model(folder, head)
        ids = {"input_ids": ("I64", [1, 2] if head != "choices" else [1, 1, 2], struct.pack("<2q", 5, 6))}
        header, data = {}, b""
        for key, (dtype, shape, raw) in {**ids, **tensors}.items():
            header[key] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(raw)]}
            data += raw
        text = json.dumps(header).encode()
        (self.scratch / "in.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)
        code, _, err = call("run", folder, "--head", name, "--input", self.scratch / "in.safetensors",
                            "--output", self.scratch / "out.safetensors")
        return code, err

    def test_run_refuses_labels_that_the_head_cannot_use(self):
        whole = {"labels": ("I64", [1], struct.pack("<q", 0))}
        numbers = {"labels": ("F32", [1, 2], struct.pack("<2f", 0, 1))}
        positions = {"start_positions": ("I64", [1], struct.pack("<q", 0)), "end_positions": ("I64", [1], struct.pack("<q", 1))}
        for head, name, bad in (("base", "model", [whole, numbers, positions]),
                                ("masked-lm", "masked-lm", [numbers, positions]),
                                ("tags", "token-classification", [numbers, positions]),
                                ("choices", "multiple-choice", [numbers, positions]),
                                ("classes", "sequence-classification", [positions]),
                                ("answers", "question-answering", [whole, numbers])):
            for tensors in bad:
                code, err = self.run_labels(head, name, tensors)
                self.assertEqual(code, 1, (head, tensors))
                self.assertIn(next(iter(tensors)), err)
        self.assertEqual(self.run_labels("answers", "question-answering", positions), (0, ""))

    def test_an_empty_value_of_an_option_is_a_usage_error_or_an_empty_text(self):
        folder = self.scratch / "base"
        write_model(folder, "base")
        for option in ("--stride", "--truncate-dim", "--max-seq-length", "--threads", "--batch-tokens", "--landmarks",
                       "--skip", "--precision", "--attention", "--corpus"):
            for arguments in ([option, "", "--", "w1"], [option + "=", "w1"]):
                code, answers, err = call("embed", folder, *arguments)
                self.assertEqual((code, answers, option in err), (2, [], True), (arguments, err))
        for command, head, options in (("answer", "answers", ["--top-k", "--doc-stride", "--max-seq-len", "--max-answer-len"]),
                                       ("classify", "classes", ["--top-k", "--stride", "--function-to-apply"]),
                                       ("fill-mask", "masked-lm", ["--top-k"]), ("tag", "tags", ["--aggregation-strategy"])):
            model = self.scratch / head
            write_model(model, head)
            for option in options:
                for value in ("", "9" * 300) if option != "--function-to-apply" else ("",):
                    code, answers, err = call(command, model, option, value, "--question" if head == "answers" else "--json",
                                              *(["w2"] if head == "answers" else []), "w1")
                    self.assertEqual((code, answers, option in err), (2, [], True), (command, option, value, err))
        for value in ("010", "0x8", "1.5", " 3"):  # CLI11 would take the first for 8
            self.assertEqual(call("embed", folder, "--stride", value, "w1")[0], 2, value)
        plain, empty = (call("embed", folder, *options, "w1")[1] for options in ([], ["--prompt="]))
        self.assertEqual(plain, empty)

    def test_a_field_named_file_of_a_line_of_compare_may_hold_anything(self):
        folder = self.scratch / "base"
        write_model(folder, "base")
        lines = [{"text": "w1 w2", "file": value} for value in (5, None, {"a": [1]}, "name")]
        code, answers, err = call("compare", folder, "--repeat", 1, "--landmarks", 2, lines=lines)
        self.assertEqual((code, err), (0, ""))
        self.assertEqual([answer["file"] for answer in answers], [line["file"] for line in lines])

    def test_a_plot_is_xml_whatever_the_text(self):
        folder = self.scratch / "base"
        write_model(folder, "base")
        for text in ("w1 \ufffe w2", "\uffff", "\u0001\u0008\u001f w1", "\u0085 \u2028 w1", b"\xed\xa0\x80 w1", "<&>\"' w1", "\U0001fffe w1"):
            plot = self.scratch / "plot.svg"
            code, _, err = call("compare", folder, "--repeat", 1, "--landmarks", 2, "--plot", plot, "--",
                                text if isinstance(text, str) else text.decode("utf-8", "surrogateescape"))
            self.assertEqual(code, 0, err)
            xml.etree.ElementTree.parse(plot)


def main():
    global PROGRAM
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True)
    arguments, rest = parser.parse_known_args()
    PROGRAM = str(pathlib.Path(arguments.program).resolve())
    unittest.main(argv=[sys.argv[0], *rest])


if __name__ == "__main__":
    main()
