#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The contract of the command line: JSON lines, exit codes, manners.  Standard library only.

    python3 tests/cli/cli_test.py --program build/dev/bin/nystromformer --models models
"""
import argparse
import json
import os
import pathlib
import pty
import struct
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

PROGRAM = MODEL = None
PROSE = pathlib.Path(__file__).resolve().parents[1] / "precision/held_out.txt"
GARDEN = "She opened the [MASK] and walked into the garden."


def start(*arguments, **options):
    options = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return subprocess.Popen([PROGRAM, *map(str, arguments)], **options)


def call(*arguments, data=b"", **options):
    """Exit code, stdout and stderr of a call."""
    process = start(*arguments, **options)
    out, err = process.communicate(data, timeout=300)
    return process.returncode, out or b"", (err or b"").decode()


def fill(*arguments, **options):
    return call("fill-mask", "--model", MODEL, *arguments, **options)


def tokenize(*arguments, **options):
    return call("tokenize", "--model", MODEL, *arguments, **options)


def lines_of(out):
    return [json.loads(line) for line in out.decode().splitlines()]


def open_terminal():
    """Both ends of a pseudo-terminal; a container without /dev/pts has none, and its tests are skipped by name."""
    try:
        return pty.openpty()
    except OSError as error:
        raise unittest.SkipTest(f"no pseudo-terminal here: {error}") from error


def on_terminal(*arguments, data=b""):
    """Exit code and what a terminal shows of stdout, for little `data` on stdin."""
    master, slave = open_terminal()
    process = start(*arguments, stdin=subprocess.PIPE, stdout=slave)
    os.close(slave)
    with process.stdin:
        process.stdin.write(data)
    process.stdin = None  # communicate would flush it again
    shown = b""
    try:
        while chunk := os.read(master, 65536):
            shown += chunk
    except OSError:  # how Linux tells that the other end is closed
        pass
    os.close(master)
    process.communicate()
    return process.returncode, shown.decode()


def write_safetensors(path, tensors):
    """tensors: name -> (dtype, struct letter, shape, flat values)."""
    header, data = {}, b""
    for name, (dtype, letter, shape, values) in tensors.items():
        raw = struct.pack(f"<{len(values)}{letter}", *values)
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def read_header(path):
    raw = path.read_bytes()
    size = struct.unpack("<Q", raw[:8])[0]
    header = json.loads(raw[8:8 + size])
    header.pop("__metadata__", None)
    return {name: (entry["dtype"], entry["shape"]) for name, entry in header.items()}


class FillMask(unittest.TestCase):
    def test_a_text_gives_the_pipelines_value_and_its_own_fields(self):
        code, out, err = fill(GARDEN, "--top-k", 2)
        self.assertEqual((code, err), (0, ""))
        (line,) = lines_of(out)
        self.assertEqual(line["text"], GARDEN)
        self.assertEqual([set(answer) for answer in line["output"]],
                         [{"score", "token", "token_str", "sequence"}] * 2)
        self.assertEqual(line["output"][0]["token_str"], "door")
        self.assertEqual(line["output"][0]["sequence"], "she opened the door and walked into the garden.")

    def test_several_masks_give_a_list_for_each(self):
        _, out, _ = fill("The [MASK] barked at the [MASK].", "--top-k", 3)
        self.assertEqual([len(answers) for answers in lines_of(out)[0]["output"]], [3, 3])

    def test_a_text_in_brackets_is_no_list_of_texts(self):
        code, out, _ = fill("[MASK]", "[MASK], he said, [MASK]", "[[MASK]]", "--json")
        self.assertEqual(code, 0)
        self.assertEqual([line["text"] for line in lines_of(out)],
                         ["[MASK]", "[MASK], he said, [MASK]", "[[MASK]]"])

    def test_targets_take_one_argument_and_fall_back_to_their_first_token(self):
        code, out, _ = fill("--targets", "\u2581gate,\u2581door,Window", GARDEN)
        self.assertEqual(code, 0)
        self.assertEqual([answer["token_str"] for answer in lines_of(out)[0]["output"]],
                         ["door", "window", "gate"])
        self.assertEqual(fill("--targets", "", GARDEN)[0], 2)

    def test_a_list_may_hold_commas_and_be_given_in_parts(self):
        words = {options: [answer["token_str"] for answer in lines_of(fill(*options, GARDEN)[1])[0]["output"]]
                 for options in (("--targets", ","), ("--targets", "\\,"), ("--targets", "\u2581door,\\,"),
                                 ("--targets", "\u2581door", "--targets", ","), ("--targets", "\u2581door,\u2581gate"))}
        self.assertEqual([set(found) for found in words.values()],
                         [{","}, {","}, {"door", ","}, {"door", ","}, {"door", "gate"}])

    def test_good_and_bad_lines_are_answered_in_order_with_their_fields(self):
        good = json.dumps({"text": GARDEN, "id": 7, "nested": {"a": [1, None]}}).encode()
        lines = [good, b"", b"not json", b"[1, 2]", b'"text"', b'{"id": 8}', b'{"text": 5}', b'{"text": "a [MASK]"}\r',
                 b'{"text": "no gap", "id": 9}', b'{"text": "a", "text": "b"}', b'\xef\xbb\xbf{"text": "a [MASK]"}',
                 b'{"text": "\xff [MASK]"}', b'{"text": "a [MASK]", "x": 1e999}', b"[" * 100000,
                 b'{"text": "a\\u0000b [MASK]"}', good]
        code, out, err = fill("--top-k", 1, data=b"\n".join(lines))
        answers = lines_of(out)
        self.assertEqual((code, err, len(answers)), (3, "", len(lines)))
        bad = [i for i, answer in enumerate(answers) if "error" in answer]
        self.assertEqual(bad, [1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13])
        self.assertTrue(all(("error" in answer) != ("output" in answer) for answer in answers))
        self.assertEqual([answers[i]["line"] for i in bad], [i + 1 for i in bad])
        self.assertEqual(answers[8]["id"], 9)
        for i in (0, 15):
            self.assertEqual((answers[i]["id"], answers[i]["nested"]), (7, {"a": [1, None]}))
            self.assertEqual(answers[i]["output"][0]["token_str"], "door")

    def test_fields_are_carried_through_as_they_were_spelled(self):
        numbers = ["12345678901234567890123", "18446744073709551616", "-9223372036854775809", "1.0", "1e2", "-0", "-0.0",
                   "1E-400", "0.1000", "9" * 400, '"\\u0041\\/"', '[1.50,{"a b":-1E+2}]', '{"z":1,"a":2}']
        lines = [f'{{ "n" : {number} ,\t"text":"a [MASK]","output":1,"error":"old","\\u0063ut":{{"x":[1]}},"m":1 }}'
                 for number in numbers]
        code, out, err = fill("--top-k", 1, data="\n".join(lines).encode())
        self.assertEqual((code, err), (0, ""))
        for number, line in zip(numbers, out.decode().splitlines(), strict=True):
            self.assertTrue(line.startswith(f'{{"n":{number},"text":"a [MASK]","m":1,"output":[{{'), line)
        code, out, _ = fill(data=b'{"text": "no gap", "id": 1.50, "cut": {"tokens": 9}, "output": []}')
        (line,) = out.decode().splitlines()
        self.assertTrue(line.startswith('{"text":"no gap","id":1.50,"line":1,"error":"'), line)
        self.assertEqual(code, 3)

    def test_lines_and_texts_give_the_same_answers(self):
        texts = [GARDEN, "A [MASK] and a [MASK].", "The [MASK] rose over the sea."]
        _, by_arguments, _ = fill("--json", *texts)
        _, by_lines, _ = fill(data="".join(json.dumps({"text": t}) + "\n" for t in texts).encode())
        self.assertEqual(by_arguments, by_lines)

    def test_too_long_a_line_is_told_and_the_next_one_served(self):
        data = b'{"text": "' + b"a" * (17 << 20) + b'"}\n' + json.dumps({"text": GARDEN}).encode()
        code, out, _ = fill("--top-k", 1, data=data)
        answers = lines_of(out)
        self.assertEqual((code, len(answers)), (3, 2))
        self.assertIn("16777216", answers[0]["error"])
        self.assertEqual(answers[1]["output"][0]["token_str"], "door")

    def test_a_line_is_answered_before_the_next_one_comes(self):
        process = start("fill-mask", "--model", MODEL)
        for _ in range(2):
            process.stdin.write(json.dumps({"text": GARDEN}).encode() + b"\n")
            process.stdin.flush()
            self.assertIn("output", json.loads(process.stdout.readline()))
        process.communicate()
        self.assertEqual(process.returncode, 0)

    def test_a_terminal_shows_a_table_unless_json_is_asked_for(self):
        code, shown = on_terminal("fill-mask", "--model", MODEL, GARDEN)
        self.assertEqual(code, 0)
        self.assertIn("door", shown)
        self.assertNotIn("{", shown)
        self.assertIn('"output"', on_terminal("fill-mask", "--model", MODEL, GARDEN, "--json")[1])

    def test_a_terminal_is_shown_no_control_characters(self):
        _, shown = on_terminal("fill-mask", "--model", MODEL, "\x1b[31mA [MASK]\u009b.")
        self.assertNotIn("\x1b", shown)
        self.assertNotIn("\u009b", shown)

    def test_a_terminal_for_messages_shows_the_progress(self):
        with tempfile.TemporaryFile() as lines:
            lines.write(b'{"text": "A [MASK]."}\n' * 40)
            lines.seek(0)
            master, slave = open_terminal()
            process = start("fill-mask", "--model", MODEL, stdin=lines, stderr=slave)
            os.close(slave)
            out, _ = process.communicate()
            shown = os.read(master, 65536).decode()
            os.close(master)
        self.assertEqual((process.returncode, len(out.splitlines())), (0, 40))
        self.assertRegex(shown, r"40 lines, [0-9.]+ a second \[#{30}\] 100 %, 0 s to go")

    def test_both_attentions_and_landmarks_run(self):
        text = "And the rain fell on the old roof. " * 20 + GARDEN
        answers = [fill(text, "--json", *options)[1] for options in
                   ([], ["--attention", "exact"], ["--attention", "nystrom"],
                    ["--attention", "nystrom", "--landmarks", 32])]
        self.assertEqual(answers[0], answers[1])
        self.assertEqual(len(set(answers)), 3)
        self.assertIn("no effect", fill(text, "--landmarks", 32)[2])


class Tokenize(unittest.TestCase):
    def test_the_output_has_the_fields_of_the_contract(self):
        code, out, _ = tokenize("The caf\u00e9.")
        output = lines_of(out)[0]["output"]
        self.assertEqual(code, 0)
        self.assertEqual(set(output), {"ids", "tokens", "offsets", "type_ids", "attention_mask",
                                       "special_tokens_mask"})
        self.assertEqual({len(column) for column in output.values()}, {len(output["ids"])})
        self.assertEqual((output["tokens"][0], output["tokens"][-1]), ("[CLS]", "[SEP]"))
        self.assertEqual(output["offsets"][-2], [8, 9])

    def test_offsets_in_bytes_pairs_and_no_special_tokens(self):
        _, out, _ = tokenize("The caf\u00e9.", "--byte-offsets", "--no-special-tokens")
        output = lines_of(out)[0]["output"]
        self.assertEqual(output["offsets"][-1], [9, 10])
        self.assertNotIn("[CLS]", output["tokens"])
        by_option = lines_of(tokenize("one", "--pair", "two")[1])[0]["output"]
        by_field = lines_of(tokenize(data=b'{"text": "one", "pair": "two"}')[1])[0]["output"]
        self.assertEqual(by_option, by_field)
        self.assertEqual(set(by_option["type_ids"]), {0, 1})

    def test_ids_decode_to_text(self):
        line = lines_of(tokenize("She opened the door.", "--decode")[1])[0]
        self.assertEqual(line["output"]["decoded"], "she opened the door.")
        data = json.dumps({"ids": line["output"]["ids"], "id": 1}).encode() + b'\n{"ids": [-1]}\n{"ids": 5}\n'
        code, out, _ = tokenize("--decode", data=data)
        answers = lines_of(out)
        self.assertEqual((code, answers[0]["output"], answers[0]["id"]), (3, "she opened the door.", 1))
        self.assertEqual(["error" in answer for answer in answers], [False, True, True])


TINY = pathlib.Path(__file__).resolve().parents[1] / "reference" / "pipelines"


def ask(command, model, *arguments, **options):
    return call(command, "--model", TINY / model, *arguments, **options)


def as_lines(*requests):
    return "".join(json.dumps(fields) + "\n" for fields in requests).encode()


class Pipelines(unittest.TestCase):
    def test_each_command_gives_the_value_that_was_recorded_of_transformers(self):
        cases = json.loads((TINY / "pipelines.json").read_text(encoding="utf-8"))["cases"]
        for command, model in [("classify", "classes"), ("zero-shot", "inference"), ("tag", "tags"),
                               ("answer", "answers"), ("choose", "choices")]:
            defaults = [{}, {"multi_label": False}, {"aggregation_strategy": "none"}]
            plain = [case for case in cases if (case["task"], case["model"]) == (command, model)
                     and case["options"] in defaults and "output" in case]
            options = ["--truncation"] if command == "zero-shot" else []
            code, out, err = ask(command, model, *options, data=as_lines(*(c["input"] for c in plain)))
            self.assertEqual((code, err), (0, ""))
            for case, line in zip(plain, lines_of(out), strict=True):
                self.assertEqual({key: line[key] for key in case["input"]}, case["input"])
                self.assertEqual(self.rounded(line["output"]), self.rounded(case["output"]), case)

    def test_a_table_names_what_an_option_says_for_every_line(self):
        for command, model, option, fields in [
                ("answer", "answers", ["--question", "who?"], {"context": "a b"}),
                ("choose", "choices", ["--prompt", "who?"], {"choices": ["a", "b"]})]:
            code, shown = on_terminal(command, "--model", TINY / model, *option, data=as_lines(fields))
            self.assertEqual(code, 0)
            self.assertIn("who?", shown)

    def rounded(self, value):
        if isinstance(value, float):
            return round(value, 3)
        if isinstance(value, list):
            return [self.rounded(entry) for entry in value]
        return {key: self.rounded(entry) for key, entry in value.items()} if isinstance(value, dict) else value

    def test_options_and_lines_say_the_same(self):
        for command, model, arguments, fields in [
                ("classify", "classes", ["--pair", "b", "a"], {"text": "a", "pair": "b"}),
                ("zero-shot", "inference", ["--candidate-labels", " x , y,,\u00a0\x1d", "a"],
                 {"text": "a", "candidate_labels": ["x", "y"]}),
                ("answer", "answers", ["--question", "who?", "a b"], {"question": "who?", "context": "a b"}),
                ("choose", "choices", ["--prompt", "p", "a", "b"], {"prompt": "p", "choices": ["a", "b"]})]:
            (by_option,) = lines_of(ask(command, model, *arguments)[1])
            (by_line,) = lines_of(ask(command, model, data=as_lines(fields))[1])
            self.assertEqual(by_option["output"], by_line["output"])
            self.assertEqual(by_line, {**fields, "output": by_line["output"]})

    def test_classify_gives_a_list_but_for_a_pair_without_top_k(self):
        data = as_lines({"text": "a"}, {"text": "a", "pair": "b"})
        forms = [[type(line["output"]) for line in lines_of(ask("classify", "classes", *options, data=data)[1])]
                 for options in ([], ["--top-k", "2"], ["--top-k", "all"])]
        self.assertEqual(forms, [[list, dict], [list, list], [list, list]])
        (line,) = lines_of(ask("classify", "classes", "--top-k", "all", "a")[1])
        self.assertEqual(len(line["output"]), 4)

    def test_bad_lines_are_told_and_do_not_disturb_the_others(self):
        good = {"question": "who?", "context": "a b"}
        lines = [good, {"question": "who?"}, {**good, "context": ""}, {**good, "question": "who? " * 60}, good]
        code, out, _ = ask("answer", "answers", data=as_lines(*lines))
        answers = lines_of(out)
        self.assertEqual((code, ["error" in answer for answer in answers]), (3, [False, True, True, True, False]))
        self.assertEqual(answers[0], answers[4])
        choices = [{"prompt": "p", "choices": bad} for bad in ("a", [], [1], None)]
        self.assertEqual(["error" in line for line in lines_of(ask("choose", "choices", data=as_lines(*choices))[1])],
                         [True] * 4)

    def test_a_long_text_is_refused_or_cut_and_the_cut_is_told(self):
        text = "We believed every word of it. " * 20
        for command, model, fields in [("classify", "classes", {"text": text}), ("tag", "tags", {"text": text}),
                                       ("zero-shot", "inference", {"text": text, "candidate_labels": ["sea", "land"]}),
                                       ("choose", "choices", {"prompt": text, "choices": ["sea", "land"]})]:
            short = {name: value if isinstance(value, list) else "A garden." for name, value in fields.items()}
            code, out, _ = ask(command, model, data=as_lines(fields, short))
            refused, good = lines_of(out)
            self.assertEqual((code, refused["line"], "output" in good, "cut" in good), (3, 1, True, False))
            self.assertRegex(refused["error"], r"^expected at most \d+ tokens \(truncation cuts")
            code, out, _ = ask(command, model, "--truncation", data=as_lines(fields))
            (cut,) = lines_of(out)
            self.assertEqual((code, cut["cut"]["windows"], cut["cut"]["length"]), (0, 1, 48))
            if command != "tag":
                code, out, _ = ask(command, model, "--stride", 8, data=as_lines(fields, short))
                windows, whole = lines_of(out)
                self.assertEqual((code, whole, windows["cut"]["length"]), (0, good, 48))
                self.assertGreater(windows["cut"]["windows"], 3)
                self.assertNotEqual(windows["output"], cut["output"])
            self.assertEqual(ask(command, model, "--stride", 8, "--truncation", data=as_lines(fields))[0], 2)
        code, out, _ = ask("answer", "answers", data=as_lines({"question": "who?", "context": text}))
        self.assertGreater(lines_of(out)[0]["cut"]["windows"], 3)
        (cut,) = lines_of(ask("tag", "tags", "--json", "--truncation", text)[1])
        (windows,) = lines_of(ask("tag", "tags", "--json", "--aggregation-strategy", "max", "--stride", 8, text)[1])
        self.assertEqual((cut["cut"]["windows"], cut["cut"]["length"]), (1, 48))
        self.assertGreater(windows["cut"]["windows"], 3)
        self.assertGreater(windows["output"][-1]["end"], len(text) - 20)
        self.assertNotIn("cut", lines_of(ask("tag", "tags", "--json", "--truncation", "A garden.")[1])[0])

    def test_an_answer_does_not_depend_on_batches_or_threads(self):
        texts = ["A garden.", "We believed every word of it. " * 9, "O", "Mr. Smith of London met the Queen."]
        embeds, masked = TINY.parent / "sentences" / "mean", [text + " [MASK]" for text in texts]
        tasks = {
            "classify": ("classes", ["--stride", 8], [{"text": text} for text in texts]),
            "zero-shot": ("inference", ["--stride", 8, "--candidate-labels", "sea,land"], [{"text": t} for t in texts]),
            "tag": ("tags", ["--stride", 8, "--aggregation-strategy", "max"], [{"text": text} for text in texts]),
            "answer": ("answers", ["--top-k", 3], [{"question": "who?", "context": text} for text in texts]),
            "choose": ("choices", ["--stride", 8], [{"prompt": text, "choices": ["sea", "land"]} for text in texts]),
            "embed": (embeds, ["--stride", 8], [{"text": text} for text in texts]),
            "features": (embeds, ["--stride", 8], [{"text": text} for text in texts]),
            "fill-mask": (pathlib.Path(MODEL).resolve(), [], [{"text": text} for text in masked])}
        lossless = ["--precision", "bf16"]  # for these files, of bf16, where the CPU multiplies bf16 as floats
        for command, (model, options, lines) in tasks.items():
            plain = ask(command, model, *options, data=as_lines(*lines))[1]
            for form in ([], ["--attention", "nystrom", "--landmarks", 4], ["--precision", "int8"], lossless):
                outputs = [ask(command, model, *options, *form, *how, data=as_lines(*lines))
                           for how in (["--threads", 1], ["--threads", 3, "--batch-tokens", 1])]
                self.assertEqual(outputs[0], outputs[1], (command, form))
                self.assertEqual(outputs[0][0], 0, (command, form, outputs[0]))
                alone = b"".join(ask(command, model, *options, *form, data=as_lines(line))[1] for line in lines[:2])
                self.assertTrue(outputs[0][1].startswith(alone), (command, form))
                if form not in ([], lossless):
                    self.assertNotEqual(outputs[0][1], plain, (command, form))

    def test_tag_tells_the_words_of_tokens(self):
        options = ("--json", "--ignore-labels", "", "--word-ids")
        (line,) = lines_of(ask("tag", "tags", *options, "A garden in London.")[1])
        words = [token["word_id"] for token in line["output"]]
        self.assertEqual((words[0], words[-1], words), (0, 3, sorted(words)))
        self.assertGreater(len(words), 4)
        (plain,) = lines_of(ask("tag", "tags", *options[:-1], "A garden in London.")[1])
        self.assertEqual([{**token, "word_id": word} for token, word in zip(plain["output"], words)], line["output"])
        self.assertEqual(ask("tag", "tags", *options, "--aggregation-strategy", "max", "a")[0], 2)

    def test_fill_mask_reads_long_texts_in_windows(self):
        rain = "And the rain fell on the old roof. "
        text = rain * 300 + GARDEN + rain * 300
        self.assertEqual(fill("--json", text)[0], 3)
        code, out, _ = fill("--json", "--top-k", 1, "--stride", 100, text)
        (line,) = lines_of(out)
        (answer,) = line["output"]
        self.assertEqual((code, answer["sequence"].count("the rain fell")), (0, 600))
        self.assertIn(f'opened the {answer["token_str"]} and walked', answer["sequence"])
        self.assertGreater(line["cut"]["windows"], 2)

    def test_windows_of_fill_mask_start_at_the_start_whichever_side_is_cut(self):
        prose = [line.replace("[MASK]", "it") for line in PROSE.read_text(encoding="utf-8").splitlines()[:400]]
        text = " ".join(["The [MASK] of England.", *prose[:200], GARDEN, *prose[200:], "He kissed her [MASK]."])
        _, out, _ = fill("--json", "--top-k", 1, "--stride", 100, text)
        from_start = [answers[0]["token_str"] for answers in lines_of(out)[0]["output"]]
        with tempfile.TemporaryDirectory() as folder:
            for file in pathlib.Path(MODEL).iterdir():
                (pathlib.Path(folder) / file.name).symlink_to(file.resolve())
            config = pathlib.Path(folder) / "tokenizer_config.json"
            settings = {**json.loads(config.read_text()), "truncation_side": "left"}
            config.unlink()
            config.write_text(json.dumps(settings))
            _, out, _ = call("fill-mask", "--model", folder, "--json", "--top-k", 1, "--stride", 100, text)
        (line,) = lines_of(out)
        self.assertGreater(line["cut"]["windows"], 4)
        self.assertEqual(from_start[1:], ["door", "father"])
        self.assertEqual([answers[0]["token_str"] for answers in line["output"]], from_start)

    def test_the_first_lines_are_skipped_and_batches_change_nothing(self):
        data = as_lines(*({"text": "word " * i, "i": i} for i in range(9)), {"no": "text"})
        code, out, _ = ask("classify", "classes", data=data)
        self.assertEqual(ask("classify", "classes", "--batch-tokens", 1, data=data)[1], out)
        _, rest, _ = ask("classify", "classes", "--skip", 4, data=data)
        self.assertEqual(lines_of(rest), lines_of(out)[4:])
        self.assertEqual((code, lines_of(rest)[-1]["line"]), (3, 10))
        self.assertEqual(ask("classify", "classes", "--skip", 1, "text")[0], 2)
        _, rest, _ = ask("classify", "classes", "--skip", 4, "--first-line", 101, data=data)
        self.assertEqual(lines_of(rest)[-1]["line"], 110)
        self.assertEqual(ask("classify", "classes", "--first-line", 2, "text")[0], 2)
        self.assertEqual(ask("classify", "classes", "--first-line", 0, data=data)[0], 2)

    def test_tables_show_answers(self):
        for command, model, arguments, shown_words in [
                ("classify", "classes", ["--top-k", "all", "a"], ["calm", "glad", "sad", "angry"]),
                ("zero-shot", "inference", ["--candidate-labels", "sea,land", "a"], ["sea", "land"]),
                ("tag", "tags", ["--ignore-labels", "", "A garden."], ["\u2581a"]),
                ("answer", "answers", ["--question", "who?", "a garden"], ["who?"]),
                ("choose", "choices", ["--prompt", "p", "sea", "land"], ["*", "sea", "land"])]:
            code, shown = on_terminal(command, "--model", TINY / model, *arguments)
            self.assertEqual(code, 0)
            for word in shown_words:
                self.assertIn(word, shown)
            self.assertNotIn("{", shown)


class Run(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.input = pathlib.Path(self.folder.name, "in.safetensors")
        self.output = pathlib.Path(self.folder.name, "out.safetensors")

    def run_head(self, head, *options):
        return call("run", "--model", MODEL, "--head", head, "--input", self.input, "--output", self.output, *options)

    def test_the_encoder_writes_states_and_attentions_on_request(self):
        write_safetensors(self.input, {"input_ids": ("I64", "q", [2, 3], [2, 5, 3, 2, 6, 3]),
                                       "attention_mask": ("I64", "q", [2, 3], [1, 1, 1, 1, 1, 0])})
        self.assertEqual(self.run_head("model")[0], 0)
        self.assertEqual(read_header(self.output), {"last_hidden_state": ("F32", [2, 3, 384])})
        self.assertEqual(self.run_head("model", "--scalar", "double", "--hidden-states", "--attentions")[0], 0)
        header = read_header(self.output)
        self.assertEqual(header["hidden_states.6"], ("F64", [2, 3, 384]))
        self.assertEqual(header["attentions.5"], ("F64", [2, 12, 3, 3]))
        self.assertEqual(len(header), 1 + 7 + 6)

    def test_labels_give_a_loss(self):
        write_safetensors(self.input, {"input_ids": ("I64", "q", [1, 3], [2, 4, 3]),
                                       "labels": ("I64", "q", [1, 3], [-100, 283, -100])})
        self.assertEqual(self.run_head("masked-lm")[0], 0)
        self.assertEqual(read_header(self.output), {"logits": ("F32", [1, 3, 8192]), "loss": ("F32", [])})

    def test_what_does_not_fit_is_told_by_name_and_leaves_no_output(self):
        ids = ("I64", "q", [1, 2], [2, 3])
        for tensors, told in [({"input_idz": ids}, "input_idz"), ({}, "input_ids"),
                              ({"input_ids": ids, "token_type_ids": ("I64", "q", [1, 1], [0])}, "token_type_ids"),
                              ({"input_ids": ("I64", "q", [2], [2, 3])}, "batch"),
                              ({"input_ids": ("I64", "q", [1, 2], [2, 9000])}, "9000"),
                              ({"input_ids": ("F32", "f", [1, 2], [2, 3])}, "F32")]:
            write_safetensors(self.input, tensors)
            code, _, err = self.run_head("masked-lm")
            self.assertEqual(code, 1, told)
            self.assertIn(told, err)
            self.assertFalse(self.output.exists())

    def test_a_head_that_the_files_lack_is_told(self):
        write_safetensors(self.input, {"input_ids": ("I64", "q", [1, 2], [2, 3])})
        code, _, err = self.run_head("question-answering")
        self.assertEqual(code, 1)
        self.assertIn("qa_outputs", err)


class Info(unittest.TestCase):
    def test_it_says_what_will_run_and_why(self):
        code, out, _ = call("info", "--model", MODEL)
        (info,) = lines_of(out)
        self.assertEqual(code, 0)
        self.assertEqual(info["attention"]["runs"], "exact")
        self.assertIn("segment_means_seq_len", info["attention"]["why"])
        self.assertEqual(info["config"]["hidden_size"], 384)
        self.assertEqual(info["tokenizer"], {"vocab_size": 8192, "mask_token": "[MASK]"})
        self.assertIn("attention", on_terminal("info", "--model", MODEL)[1])


    def test_any_folder_is_told_whether_it_runs_and_how(self):
        for name, family, heads, commands in [
            ("bert-words", "bert", ["masked-lm"], ["run", "bench"]),
            ("xlmroberta-classes", "xlm-roberta", ["sequence-classification"], ["run", "bench"]),
            ("distilbert-answers", "distilbert", ["question-answering"], ["run", "bench"]),
            ("electra-choices", "electra", ["multiple-choice"], ["run", "bench"]),
            ("bert-pretraining", "bert", ["masked-lm"], ["run", "bench"]),
            ("bert-unnamed", "bert", ["sequence-classification"], ["run", "bench"]),
            ("camembert-model", "camembert", [], ["run", "bench"]),
        ]:
            code, out, err = call("info", "--model", FAMILIES / name)
            (info,) = lines_of(out)
            self.assertEqual((code, err, info["runs"], info["family"], info["heads"], info["commands"]),
                             (0, "", True, family, heads, commands), name)
            self.assertEqual(info["attention"]["runs"], "exact")
        self.assertIn("runs        yes: run, bench, tokenize, compare, attention, fill-mask, embed", on_terminal("info", "--model", MODEL)[1])
        with tempfile.TemporaryDirectory() as folder:
            place = pathlib.Path(folder)
            for told, files in [("an empty folder", {}), ("ONNX weights (model.onnx)", {"model.onnx": ""}),
                                ("a PEFT adapter", {"adapter_config.json": "{}"}),
                                ("found \"albert\"", {"config.json": json.dumps({"model_type": "albert"})})]:
                for file in place.iterdir():
                    file.unlink()
                for name, text in files.items():
                    (place / name).write_text(text)
                code, out, err = call("info", "--model", place)
                (info,) = lines_of(out)
                self.assertEqual((code, err, info["runs"]), (1, "", False), told)
                self.assertIn(told, info["why"])
        code, shown = on_terminal("info", "--model", __file__)
        self.assertEqual(code, 1)
        self.assertIn("no: ", shown)
        self.assertIn("give the folder that it is in", shown)

    def test_a_folder_without_the_head_is_told_to_the_commands_that_run_it(self):
        code, out, err = call("fill-mask", "--model", FAMILIES / "bert-tags", "a [MASK]")
        self.assertEqual((code, out), (1, b""))
        self.assertIn("this folder holds a token classifier (NystromformerForTokenClassification): use tag", err)


FAMILIES = TINY.parent / "families"
SOURCES = TINY.parent / "conversions"


class Convert(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.to = self.folder / "new" / "to"

    def convert(self, source, *options, to=None):
        return call("convert", "--from", SOURCES / source, "--to", to or self.to, *options)

    def test_a_bert_becomes_a_folder_that_the_other_commands_take(self):
        code, out, err = self.convert("roberta", "--json")
        (report,) = lines_of(out)
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(set(report), {"from", "to", "source_architecture", "architecture", "head", "attention",
                                       "source_positions", "max_position_embeddings", "left_out", "files"})
        self.assertEqual((report["source_architecture"], report["architecture"]), ("RobertaModel", "NystromformerModel"))
        self.assertEqual((report["attention"]["runs"], report["max_position_embeddings"]), ("exact", 22))
        self.assertEqual(report["left_out"], ["pooler.dense.bias", "pooler.dense.weight"])
        self.assertEqual(report["files"], sorted(path.name for path in self.to.iterdir()))
        (info,) = lines_of(call("info", "--model", self.to)[1])
        self.assertEqual(info["attention"]["runs"], "exact")
        write_safetensors(self.folder / "in", {"input_ids": ("I64", "q", [1, 3], [2, 5, 3])})
        self.assertEqual(call("run", "--model", self.to, "--head", "model", "--input", self.folder / "in",
                              "--output", self.folder / "out")[0], 0)
        self.assertEqual(read_header(self.folder / "out"), {"last_hidden_state": ("F32", [1, 3, 12])})

    def test_a_terminal_is_told_what_attention_runs_and_what_is_left_out(self):
        code, shown = on_terminal("convert", "--from", SOURCES / "bert-tags", "--to", self.to, "--encoder-only",
                                  "--max-positions", 50)
        self.assertEqual(code, 0)
        for words in ("BertForTokenClassification", "NystromformerModel", "exact", "50 tokens", "24 positions",
                      "classifier.weight", "config.json, model.safetensors"):
            self.assertIn(words, shown)
        self.assertNotIn("{", shown)

    def test_what_cannot_be_converted_is_refused_and_nothing_written(self):
        (self.folder / "full").mkdir()
        (self.folder / "full" / "file").write_text("mine")
        for options, to, status, told in [(["--max-positions", 3], None, 1, "max_positions"),
                                          (["--max-positions", 0], None, 2, "--max-positions"),
                                          ([], self.folder / "full", 1, "full")]:
            code, out, err = self.convert("bert", *options, to=to)
            self.assertEqual((code, out), (status, b""), options)
            self.assertIn(told, err)
        code, _, err = call("convert", "--from", MODEL, "--to", self.to)
        self.assertEqual((code, "\"nystromformer\"" in err, err.count("\n")), (1, True, 1))
        self.assertEqual(call("convert", "--from", MODEL)[0], 2)
        self.assertFalse(self.to.exists())
        self.assertEqual([path.name for path in (self.folder / "full").iterdir()], ["file"])


class Bench(unittest.TestCase):
    def bench(self, *options):
        return call("bench", "--model", MODEL, "--repeat", 2, *options)

    def test_each_length_gives_a_line_with_the_fields_of_the_contract(self):
        code, out, err = self.bench("--lengths", "8,100", "--batch", 3, "--threads", 1)
        lines = lines_of(out)
        self.assertEqual((code, err, [line["length"] for line in lines]), (0, "", [8, 100]))
        for line in lines:
            self.assertEqual(set(line), {"length", "batch", "threads", "min", "median", "tokens_per_second",
                                         "peak_rss_mib", "isa", "precision", "attention"})
            self.assertEqual((line["batch"], line["threads"], line["precision"]), (3, 1, "fp32"))
            self.assertIn(line["isa"], ("portable", "avx2", "avx512", "avx512vnni", "avx512bf16", "amx",
                                        "neon", "neon_dotprod", "neon_i8mm", "neon_bf16"))
            self.assertTrue(0 < line["min"] <= line["median"])
            self.assertAlmostEqual(line["tokens_per_second"] * line["median"], 3 * line["length"], places=3)
            self.assertGreater(line["peak_rss_mib"], 1)

    def test_no_threads_are_every_core(self):
        every, none = (json.loads(call("info", "--model", MODEL, "--json", *threads)[1])["threads"]
                       for threads in ([], ["--threads", 0]))
        self.assertEqual(none, every)
        self.assertGreaterEqual(none, 1)

    def test_it_says_which_attention_a_length_came_to(self):
        options = ["--lengths", "32,33", "--attention", "nystrom", "--landmarks", 32]
        self.assertEqual([line["attention"] for line in lines_of(self.bench(*options)[1])], ["exact", "nystrom"])
        self.assertEqual(lines_of(self.bench("--lengths", "100")[1])[0]["attention"], "exact")
        self.assertIn("no effect", self.bench("--lengths", "8", "--landmarks", 32)[2])

    def test_a_terminal_shows_a_table(self):
        code, shown = on_terminal("bench", "--model", MODEL, "--lengths", "8", "--repeat", 1)
        self.assertEqual(code, 0)
        self.assertIn("tokens/s", shown)
        self.assertNotIn("{", shown)

    def test_a_length_beyond_the_model_is_told_before_anything_is_timed(self):
        code, out, err = self.bench("--lengths", "8,1000000")
        self.assertEqual((code, out), (1, b""))
        self.assertIn("at most the model's", err)
        self.assertIn("1000000", err)


class Compare(unittest.TestCase):
    FEW = ("--landmarks", "4,8", "--repeat", 2)
    TEXT = "The Time Traveller looked at us, and then at the mechanism. Nobody said a word."

    def compare(self, *arguments, model=None, **options):
        return call("compare", "--model", model or MODEL, *arguments, **options)

    def test_a_text_gives_exact_attention_and_each_combination(self):
        code, out, err = self.compare(self.TEXT, *self.FEW, "--iterations", "2,6", "--threads", 1)
        self.assertEqual((code, err), (0, ""))
        (line,) = lines_of(out)
        output = line["output"]
        self.assertEqual((line["text"], set(line)), (self.TEXT, {"text", "output"}))
        self.assertEqual((output["layers"], output["heads"], output["threads"], output["precision"], output["repeat"]),
                         (6, 12, 1, "fp32", 2))
        self.assertEqual(output["masks"], {"count": 3, "passes": 1, "share": 0.15, "seed": 0})
        exact, *others = output["attentions"]
        self.assertEqual([exact[key] for key in ("attention", "runs", "landmarks", "inverse", "iterations",
                                                 "cosine_mean", "cosine_min", "agreement", "residuals")],
                         ["exact", "exact", None, None, None, 1, 1, 1, None])
        self.assertEqual([(run["landmarks"], run["inverse"], run["iterations"]) for run in others],
                         [(m, start, steps) for m in (4, 8) for start in ("sequence", "matrix") for steps in (2, 6)])
        for run in others:
            self.assertEqual((run["attention"], run["runs"], set(run)), ("nystrom", "nystrom", set(exact)))
            self.assertTrue(0 < run["min"] <= run["median"] and run["memory_bytes"] > 100000)
            self.assertTrue(run["cosine_min"] < run["cosine_mean"] < 1)
            self.assertEqual(len(run["residuals"]), 6)
            self.assertTrue(all(0 < layer["mean"] <= layer["max"] for layer in run["residuals"]))
        self.assertTrue(0 <= output["attentions"][1]["accuracy"] <= 1)

    def test_a_file_is_one_text_and_more_landmarks_than_tokens_are_exact(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder, "a.txt")
            file.write_text(self.TEXT.replace(". ", ".\n\n"))
            code, out, err = self.compare("--file", file, "--landmarks", "4,512", "--inverse", "batch", "--repeat", 1,
                                          "--mask-passes", 3, "--seed", 5)
            (line,) = lines_of(out)
            self.assertEqual((code, err, set(line), line["file"]), (0, "", {"file", "output"}, str(file)))
            self.assertEqual(line["output"]["masks"], {"count": 9, "passes": 3, "share": 0.15, "seed": 5})
            _, few, all_ = line["output"]["attentions"]
            self.assertEqual((few["runs"], all_["runs"], all_["residuals"], all_["agreement"]),
                             ("nystrom", "exact", None, 1))
            (text,) = lines_of(self.compare(self.TEXT, "--landmarks", 4, "--inverse", "sequence", "--repeat", 1)[1])
            same = text["output"]["attentions"][1]  # one text is a batch of its own; line ends are spaces
            for key in ("cosine_mean", "cosine_min", "residuals"):
                self.assertEqual(same[key], few[key])

    def test_lines_are_answered_in_order_with_what_is_wrong_with_them(self):
        data = as_lines({"text": self.TEXT, "id": 1}, {"id": 2}, {"text": "so " * 3000, "id": 3})
        for options, wrong in (((), {2: "/text", 3: "2048"}), (("--truncation",), {2: "/text"})):
            code, out, _ = self.compare("--landmarks", 8, "--inverse", "matrix", "--repeat", 1, *options, data=data)
            lines = lines_of(out)
            self.assertEqual((code, [line["id"] for line in lines]), (3, [1, 2, 3]))
            self.assertEqual({line["id"] for line in lines if "error" in line}, set(wrong))
            for line in lines:
                self.assertIn(wrong.get(line["id"], ""), line.get("error", ""))
        self.assertEqual(lines[2]["cut"], {"tokens": 3002, "length": 2048, "windows": 1})
        self.assertEqual(lines[2]["output"]["tokens"], 2048)

    def test_without_a_masked_lm_the_rest_is_compared_and_it_is_told(self):
        sentiment = pathlib.Path(MODEL).parent / "nystromformer-small-en-sentiment"
        code, out, _ = self.compare(self.TEXT, *self.FEW, model=sentiment)
        output = lines_of(out)[0]["output"]
        self.assertEqual((code, output["masks"], output["no_masks"]), (0, None, "the folder has no masked-LM head"))
        self.assertEqual([(run["agreement"], run["accuracy"]) for run in output["attentions"]], [(None, None)] * 5)
        self.assertLess(output["attentions"][1]["cosine_mean"], 1)
        code, shown = on_terminal("compare", "--model", sentiment, self.TEXT, *self.FEW)
        self.assertEqual(code, 0)
        self.assertIn("no masked-LM head", shown)

    def test_a_terminal_shows_tables(self):
        code, shown = on_terminal("compare", "--model", MODEL, self.TEXT, *self.FEW)
        lines = shown.splitlines()
        self.assertEqual(code, 0)
        self.assertTrue(lines[0].startswith("The Time Traveller looked at us"))
        for word in ("20 tokens", "fp32", "3 masks in 1 pass", "seed 0"):
            self.assertIn(word, lines[1])
        head = "runs landmarks inverse steps min s median s memory MiB cosine min same word right word"
        self.assertEqual(lines[2].split(), head.split())
        self.assertEqual([len(line.split()) for line in lines[3:8]], [13] * 5)  # with two "%"
        self.assertEqual([line.split()[:4] for line in lines[3:5]],
                         [["exact", "-", "-", "-"], ["nystrom", "4", "sequence", "6"]])
        self.assertEqual(lines[8], "")
        self.assertIn("layers 1 to 6", lines[9])
        self.assertEqual([len(line.split()) for line in lines[10:]], [10] * 4)

    def test_a_plot_is_an_svg_file_with_a_line_for_each_start(self):
        svg = "{http://www.w3.org/2000/svg}"
        with tempfile.TemporaryDirectory() as folder:
            file, plot = pathlib.Path(folder, "<a & b>.txt"), pathlib.Path(folder, "a.svg")
            file.write_text(self.TEXT)
            code, out, err = self.compare("--file", file, "--landmarks", "4,8,512", "--plot", plot, "--repeat", 1,
                                          "--mask-passes", 2)
            self.assertEqual((code, err, len(lines_of(out))), (0, "", 1))
            root = xml.etree.ElementTree.parse(plot).getroot()
            self.assertEqual(root.tag, svg + "svg")
            texts = [element.text for element in root.iter(svg + "text")]
            self.assertEqual(texts[0], str(file))
            self.assertIn("6 masks in 2 passes, seed 0", texts[1])
            for word in ("landmarks", "layer", "512", "sequence", "matrix", "same word", "8 landmarks"):
                self.assertIn(word, texts)
            panels = root.findall(svg + "g")
            # Two starts: time, memory, three qualities, and the residuals of those two that have landmarks.
            self.assertEqual([len(panel.findall(svg + "polyline")) for panel in panels], [2, 2, 6, 4])
            view = [float(number) for number in root.get("viewBox").split()]
            for line in root.iter(svg + "polyline"):
                points = [tuple(map(float, point.split(","))) for point in line.get("points").split()]
                self.assertIn(len(points), (3, 6))
                self.assertTrue(all(0 < x < view[2] and 0 < y < view[3] for x, y in points))

    def test_what_cannot_be_compared_is_told_by_exit_codes(self):
        for arguments in (("--landmarks", "0"), ("--landmarks", "a"), ("--inverse", "none"), ("--iterations", "-1"),
                          ("--repeat", 0), ("--mask-passes", 0), ("--seed", "-1"), ("--attention", "exact"),
                          ("a", "b", "--plot", "x.svg"), ("--plot", "x.svg"), ("a", "--file", "b.txt")):
            code, out, err = self.compare(*arguments)
            self.assertEqual((code, out), (2, b""), arguments)
            self.assertTrue(err)
        code, out, err = self.compare("--file", "/no/such/file")
        self.assertEqual((code, out), (1, b""))
        self.assertIn("/no/such/file", err)
        code, out, err = self.compare(self.TEXT, *self.FEW, "--plot", "/no/such/folder/x.svg")
        self.assertEqual((code, len(lines_of(out))), (1, 1))
        self.assertIn("/no/such/folder/x.svg", err)


class Manners(unittest.TestCase):
    def test_wrong_usage_is_exit_code_2_with_a_message(self):
        model = ["--model", MODEL]
        for arguments in [[], ["no-such-command"], ["fill-mask"], ["fill-mask", *model, "--no-such-option", "a"],
                          ["fill-mask", "--model"],
                          ["fill-mask", *model, "--threads", "-1", "a"], ["fill-mask", *model, "--threads", "x", "a"],
                          ["fill-mask", *model, "--threads", "1000000000", "a"],
                          ["fill-mask", *model, "--top-k", "-1", "a"], ["fill-mask", *model, "--top-k", "8193", "a"],
                          ["fill-mask", *model, "--attention", "sparse", "a"],
                          ["fill-mask", *model, "--landmarks", "0", "a"],
                          ["info", *model, "--precision", "fp4"],
                          ["bench", *model, "--lengths", "0"], ["bench", *model, "--lengths", "8,x"],
                          ["bench", *model, "--lengths", ""], ["bench", *model, "--repeat", "0"],
                          ["bench", *model, "--lengths", "8", "9"], ["bench", *model, "--batch", "0"],
                          ["run", *model, "--head", "none", "--input", "a", "--output", "b"],
                          ["fill-mask", *model, "--batch-tokens", "0", "a"],
                          ["fill-mask", *model, "--stride", "1", "--truncation", "a"],
                          ["classify", "--model", TINY / "classes", "--top-k", "x", "a"],
                          ["classify", "--model", TINY / "classes", "--top-k", "-1", "a"],
                          ["zero-shot", "--model", TINY / "inference", "--hypothesis-template", "no label", "a"],
                          ["tag", "--model", TINY / "tags", "--stride", "3", "a"],
                          ["answer", "--model", TINY / "answers", "a context without a question"],
                          ["answer", "--model", TINY / "answers", "--top-k", "0"],
                          ["choose", "--model", TINY / "choices", "a choice without a prompt"]]:
            code, out, err = call(*arguments)
            self.assertEqual((code, out), (2, b""), arguments)
            self.assertTrue(err.startswith("nystromformer: "), arguments)

    def test_mistakes_of_the_first_minutes_are_told_with_what_to_do(self):
        model = ["--model", MODEL]
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "snapshots" / "abc").mkdir(parents=True)
            (folder / "snapshots" / "abc" / "config.json").write_text("{}")
            (folder / "empty").mkdir()
            for name in "dbca":
                (folder / "several" / name).mkdir(parents=True)
                (folder / "several" / name / "config.json").write_text("{}")
            several = folder / "several"
            for code, words, arguments in [
                    (2, "a command is required: fill-mask", []),
                    (2, "unknown command fil-mask; did you mean fill-mask?", ["fil-mask", *model]),
                    (2, "the command comes first, then --model", [*model, "fill-mask"]),
                    (2, "--model is required: the folder of a model (see", ["fill-mask", "a"]),
                    (2, f"the folder of a model; did you mean --model {MODEL}?", ["info", MODEL]),
                    (2, f"the folder of a model; did you mean --model {MODEL}?", ["embed", "a", MODEL]),
                    (2, "unknown option --modle; did you mean --model?", ["fill-mask", "--modle", MODEL]),
                    (2, "unknown option -m; did you mean --model?", ["fill-mask", "-m", MODEL]),
                    (2, "unknown option --top_k; did you mean --top-k?", ["fill-mask", "--top_k=5", "a"]),
                    (2, "unknown option --labels; did you mean --candidate-labels?", ["zero-shot", "--labels", "a"]),
                    (2, "unknown option --file (see nystromformer fill-mask --help)", ["fill-mask", "--file", "a"]),
                    (2, "unknown option --zzzzzz (see nystromformer tag --help)", ["tag", *model, "--zzzzzz"]),
                    (2, "--candidate-labels is required", ["zero-shot", "--model", TINY / "inference", "a"]),
                    (2, "fp16 not in {fp32,bf16,int8,auto}", ["fill-mask", *model, "--precision", "fp16", "a"]),
                    (1, f"is no folder; --model takes the folder that holds config.json: {MODEL}",
                     ["fill-mask", "--model", pathlib.Path(MODEL) / "model.safetensors", "a"]),
                    (1, "none/such does not exist; --model takes a folder on this computer (hf download none/such",
                     ["fill-mask", "--model", "none/such", "a"]),
                    (1, f"has no config.json; did you mean {folder}/snapshots/abc?", ["fill-mask", "--model", folder / "snapshots", "a"]),
                    (1, f"did you mean {several}/a, {several}/b or {several}/c?", ["fill-mask", "--model", several, "a"]),
                    (1, "empty/config.json", ["fill-mask", "--model", folder / "empty", "a"]),
                    (1, "use fill-mask", ["classify", *model, "a"]),
                    (1, "use fill-mask", ["answer", *model, "--question", "a", "b"]),
                    (1, "found a folder, pipe or device", ["embed", *model, "--corpus", folder])]:
                found, out, err = call(*arguments)
                self.assertEqual((found, out), (code, b""), arguments)
                self.assertIn(words, err)
        code, out, err = fill()
        self.assertEqual((code, out), (0, b""))
        self.assertIn("stdin was empty", err)
        code, out, err = fill("The", "[MASK]", "barked.", "--json")
        self.assertEqual(code, 3)
        self.assertIn("these were 3 texts; put one that has spaces in quotes", err)
        self.assertIn("a [MASK], this tokenizer's mask token, in the text", out.decode())
        code, out, _ = fill(data=b"The [MASK] barked.\r\n{'text': 'a [MASK]'}\r\n")
        first, second = lines_of(out)
        self.assertIn("plain text is for --corpus", first["error"])
        self.assertIn("double quotes", second["error"])

    def test_texts_of_a_file_serve_every_command_on_texts(self):
        with tempfile.TemporaryDirectory() as folder:
            corpus = pathlib.Path(folder) / "texts.txt"
            corpus.write_bytes(b"\xef\xbb\xbfA [MASK] at sea.\r\nThe [MASK].\r\n")
            for command, model in (("fill-mask", MODEL), ("tokenize", MODEL), ("classify", TINY / "classes"),
                                   ("tag", TINY / "tags"), ("features", MODEL)):
                code, out, err = call(command, "--model", model, "--corpus", corpus)
                self.assertEqual((code, err), (0, ""), command)
                self.assertEqual([line["text"] for line in lines_of(out)], ["A [MASK] at sea.", "The [MASK]."])

    def test_places_are_told_in_bytes_on_request(self):
        text = "\u00c9ric met \u6771\u4eac, caf\u00e9."
        for command, model, data in (("tag", "tags", {"text": text}),
                                     ("answer", "answers", {"question": "who?", "context": text})):
            code, out, _ = call(command, "--model", TINY / model, "--byte-offsets", data=as_lines(data))
            self.assertEqual(code, 0)
            output = lines_of(out)[0]["output"]
            for answer in output if isinstance(output, list) else [output]:
                for point, byte in (("start", "byte_start"), ("end", "byte_end")):
                    self.assertEqual(len(text[:answer[point]].encode()), answer[byte])
            code, out, _ = call(command, "--model", TINY / model, data=as_lines(data))
            self.assertNotIn(b"byte_start", out)

    def test_a_lower_precision_answers_alike_and_is_told(self):
        for precision in ("bf16", "int8"):
            code, out, _ = fill("--precision", precision, "--json", GARDEN)
            self.assertEqual(code, 0)
            self.assertEqual(json.loads(out)["output"][0]["token_str"], "door")
            code, out, _ = call("info", "--model", MODEL, "--precision", precision, "--json")
            self.assertEqual((code, json.loads(out)["precision"]), (0, precision))

    def test_precision_auto_is_bf16_or_fp32_and_is_told(self):
        info = json.loads(call("info", "--model", MODEL, "--precision", "auto", "--json")[1])
        self.assertIn(info["precision"], ("fp32", "bf16"))
        if info["isa"] in ("portable", "neon", "avx2", "avx512", "avx512vnni"):
            self.assertEqual(info["precision"], "fp32")
        if info["isa"] in ("amx", "tile_model"):
            self.assertEqual(info["precision"], "bf16")
        outputs = [fill("--precision", precision, "--json", GARDEN)[1] for precision in ("auto", info["precision"])]
        self.assertEqual(outputs[0], outputs[1])
        (line,) = lines_of(call("bench", "--model", MODEL, "--precision", "auto", "--lengths", 8, "--repeat", 1, "--json")[1])
        self.assertEqual(line["precision"], info["precision"])

    def test_help_and_version_are_good(self):
        self.assertEqual(call("--help")[0], 0)
        self.assertEqual(call("fill-mask", "--help")[0], 0)
        code, out, _ = call("--version")
        self.assertEqual(code, 0)
        self.assertRegex(out.decode(), r"^0\.2\.0 \(commit \S+, (g\+\+|clang) [^;]+; runs on \w+ of [\w, ]+\)$")

    def test_a_missing_model_is_a_run_time_failure_told_with_its_escaped_name(self):
        code, out, err = call("fill-mask", "--model", "/no/such\x1b[31m/folder", GARDEN)
        self.assertEqual((code, out), (1, b""))
        self.assertIn("/no/such", err)
        self.assertNotIn("\x1b", err)

    def test_a_full_disk_a_closed_stdout_and_a_closed_pipe_are_exit_code_1(self):
        for redirection in (">/dev/full", ">&-"):
            command = f'exec "$0" fill-mask --model "$1" --json "$2" {redirection}'
            done = subprocess.run(["sh", "-c", command, PROGRAM, MODEL, GARDEN], stdin=subprocess.DEVNULL,
                                  capture_output=True)
            self.assertEqual(done.returncode, 1, redirection)
            self.assertIn(b"stdout", done.stderr)
        reader, writer = os.pipe()
        os.close(reader)
        code, _, err = fill(GARDEN, stdout=writer)
        os.close(writer)
        self.assertEqual(code, 1)
        self.assertIn("stdout", err)

    def test_an_unreadable_stdin_is_exit_code_1(self):
        folder = os.open("/", os.O_RDONLY)
        process = start("fill-mask", "--model", MODEL, stdin=folder)
        process.communicate()
        os.close(folder)
        self.assertEqual(process.returncode, 1)

    def test_no_line_gives_no_line(self):
        self.assertEqual(fill(data=b"")[:2], (0, b""))


class AttentionPicture(unittest.TestCase):
    TEXT = "The old [MASK] creaked as she pushed it open & the cat <b>ran</b> down into the garden."

    def draw(self, *arguments, model=None):
        return call("attention", "--model", model or MODEL, *arguments)

    def test_exact_rows_sum_to_one_and_landmarks_cover_the_text(self):
        code, out, err = self.draw(self.TEXT, "--layer", 3, "--head", 6, "--landmarks", 8)
        self.assertEqual((code, err), (0, ""))
        output = lines_of(out)[0]["output"]
        n = len(output["tokens"])
        self.assertEqual([(len(rows), {len(row) for row in rows}) for rows in (output["exact"], output["nystrom"])],
                         [(n, {n})] * 2)
        for row in output["exact"]:
            self.assertAlmostEqual(sum(row), 1e5, delta=n)
        self.assertEqual((output["layer"], output["head"], len(output["segments"])), (2, 5, 8))
        self.assertEqual(sum((list(range(*segment)) for segment in output["segments"]), []), list(range(n)))
        squares = [(a - b) ** 2 for x, y in zip(output["exact"], output["nystrom"]) for a, b in zip(x, y)]
        whole = sum(a * a for row in output["exact"] for a in row)
        self.assertAlmostEqual(output["error"], (sum(squares) / whole) ** 0.5, delta=1e-3)
        self.assertTrue(0 < output["cosine_min"] < output["cosine_mean"] < 1)

    def test_the_words_are_those_of_fill_mask(self):
        output = lines_of(self.draw(self.TEXT, "--landmarks", 8)[1])[0]["output"]
        for words, options in ((output["exact_words"], ["--attention", "exact"]),
                               (output["nystrom_words"], ["--attention", "nystrom", "--landmarks", 8])):
            answers = lines_of(fill(self.TEXT, *options)[1])[0]["output"]
            self.assertEqual([word["token_str"] for word in words], [one["token_str"] for one in answers])
        for word, one in zip(output["exact_words"], lines_of(fill(self.TEXT)[1])[0]["output"]):
            self.assertAlmostEqual(word["score"], one["score"], delta=1e-6)

    def test_with_a_landmark_for_each_token_nothing_changes(self):
        output = lines_of(self.draw(self.TEXT, "--landmarks", 64)[1])[0]["output"]
        self.assertEqual((output["uses_landmarks"], output["error"], output["segments"]), (False, 0, []))
        self.assertEqual(output["exact"], output["nystrom"])

    def test_a_folder_without_a_masked_lm_head_has_no_words(self):
        model = pathlib.Path(MODEL).parent / "nystromformer-small-en-sentiment"
        output = lines_of(self.draw("A text [MASK] of some words.", "--landmarks", 3, model=model)[1])[0]["output"]
        self.assertEqual((output["exact_words"], output["uses_landmarks"]), ([], True))

    def test_the_page_needs_nothing_else_and_carries_any_text(self):
        with tempfile.TemporaryDirectory() as folder:
            page = pathlib.Path(folder) / "page.html"
            self.assertEqual(self.draw(self.TEXT, "--landmarks", 8, "--html", page, "--compare")[0], 0)
            text = page.read_text()
            self.assertIn("open &amp; the cat &lt;b>ran", text)
            self.assertEqual((text.count("<svg"), text.count("<script>"), text.count("</script>")), (1, 1, 1))
            self.assertNotRegex(text, r"(src|href)=.http|@import|url\(")
            self.assertEqual(self.draw(self.TEXT, "another", "--html", page)[0], 2)
            self.assertEqual(self.draw(self.TEXT, "--compare")[0], 2)

    def test_a_layer_or_head_that_is_not_there_is_an_error_of_its_line(self):
        for option in ("--layer", "--head"):
            code, out, _ = self.draw("A text.", option, 13)
            self.assertEqual(code, 3)
            self.assertRegex(lines_of(out)[0]["error"], "expected 1 to (6|12), found 13")
        self.assertEqual(self.draw("A text.", "--layer", 0)[0], 2)


class Described(unittest.TestCase):
    """The manual page and the completion of shells know every command and option."""

    @classmethod
    def setUpClass(cls):
        cls.commands = ["fill-mask", "search", "attention", "convert", "completion"]

    def test_shells_accept_their_scripts(self):
        for shell, check in (("bash", ["bash", "-n"]), ("zsh", ["zsh", "-n"]), ("fish", ["fish", "--no-execute"])):
            code, out, _ = call("completion", "--shell", shell)
            self.assertEqual(code, 0)
            for command in self.commands:
                self.assertIn(command, out.decode())
            try:
                done = subprocess.run(check, input=out, capture_output=True, timeout=60)
            except FileNotFoundError:
                continue  # this machine does not have the shell
            self.assertEqual((done.returncode, done.stderr), (0, b""), shell)

    def test_bash_completes_a_command_and_its_options(self):
        script = call("completion", "--shell", "bash")[1].decode()
        ask = script + "COMP_WORDS=(nystromformer WORDS); COMP_CWORD=AT; _nystromformer; echo ${COMPREPLY[*]}"
        for words, at, reply in (("at", 1, "attention"), ("attention --ht", 2, "--html"), ("fill-mask --top", 2, "--top-k")):
            done = subprocess.run(["bash", "-c", ask.replace("WORDS);", words + ");").replace("AT;", f"{at};")],
                                  capture_output=True, text=True, timeout=60)
            self.assertEqual((done.stdout.strip(), done.stderr), (reply, ""))

    def test_the_manual_has_each_command_and_begins_no_line_with_a_text_s_dot(self):
        code, out, _ = call("manual")
        self.assertEqual(code, 0)
        for command in self.commands:
            self.assertIn(".SS " + command.replace("-", "\\-"), out.decode())
        known = {".\\\"", ".TH", ".SH", ".SS", ".B", ".I", ".BI", ".RI", ".BR", ".PP", ".TP", ".nf", ".fi"}
        for line in out.decode().splitlines():
            if line.startswith("."):
                self.assertIn(line.split(" ")[0], known)


class ModelNames(unittest.TestCase):
    """--model by name: installed models, and the Hugging Face cache."""

    def works(self, name, **environment):
        return call("tokenize", "--model", name, "a", env={**os.environ, **environment})[0] == 0

    def test_a_plain_name_is_looked_for_in_the_folders_of_the_variable(self):
        models = str(pathlib.Path(MODEL).resolve().parent)
        self.assertTrue(self.works("nystromformer-small-en", NYSTROMFORMER_MODELS="/nowhere:" + models))
        self.assertFalse(self.works("nystromformer-small-en", NYSTROMFORMER_MODELS="/nowhere"))
        self.assertFalse(self.works("..", NYSTROMFORMER_MODELS=models + "/nystromformer-small-en/x"))

    def test_a_repository_is_found_in_the_cache_by_its_branch_or_its_only_snapshot(self):
        with tempfile.TemporaryDirectory() as folder:
            repository = pathlib.Path(folder) / "hub" / "models--some--model"
            (repository / "snapshots").mkdir(parents=True)
            (repository / "snapshots" / "abc").symlink_to(pathlib.Path(MODEL).resolve())
            self.assertTrue(self.works("some/model", HF_HUB_CACHE=str(pathlib.Path(folder) / "hub")))
            self.assertTrue(self.works("some/model", HF_HOME=folder, HF_HUB_CACHE=""))
            self.assertFalse(self.works("some/other", HF_HOME=folder, HF_HUB_CACHE=""))
            (repository / "snapshots" / "def").mkdir()
            self.assertFalse(self.works("some/model", HF_HOME=folder, HF_HUB_CACHE=""))
            (repository / "refs").mkdir()
            (repository / "refs" / "main").write_text("abc")
            self.assertTrue(self.works("some/model", HF_HOME=folder, HF_HUB_CACHE=""))
            (repository / "refs" / "main").write_text("../../..")
            self.assertFalse(self.works("some/model", HF_HOME=folder, HF_HUB_CACHE=""))

    def test_a_folder_that_is_there_comes_first(self):
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "nystromformer-small-en").mkdir()
            models = str(pathlib.Path(MODEL).resolve().parent)
            code, _, err = call("tokenize", "--model", "nystromformer-small-en", "a", cwd=folder,
                                env={**os.environ, "NYSTROMFORMER_MODELS": models})
            self.assertEqual(code, 1)
            self.assertIn("nystromformer-small-en", err)


class Rerank(unittest.TestCase):
    FOLDER = pathlib.Path(__file__).resolve().parents[1] / "reference" / "rerank"

    def rerank(self, folder, *arguments, **options):
        return call("rerank", "--model", self.FOLDER / folder, *arguments, **options)

    def test_texts_and_lines_are_ranked_as_recorded(self):
        with open(self.FOLDER / "rerank.json", encoding="utf-8") as file:
            recorded = json.load(file)
        expected = recorded["cases"][0]["output"]
        line = {"query": recorded["query"], "texts": recorded["texts"], "id": 5}
        code, out, err = self.rerank("single", "--truncation", data=as_lines(line))
        self.assertEqual((code, err), (0, ""))
        (answer,) = lines_of(out)
        self.assertEqual(answer["id"], 5)
        self.assertEqual([hit["corpus_id"] for hit in answer["output"]], [hit["corpus_id"] for hit in expected])
        for hit, wanted in zip(answer["output"], expected):
            self.assertEqual(set(hit), {"corpus_id", "score"})
            self.assertAlmostEqual(hit["score"], wanted["score"], 5)
        code, out, _ = self.rerank("single", "--query", recorded["query"], "--top-k", 2, "--activation-fn", "identity",
                                   "--truncation", "--", *recorded["texts"])
        raw = recorded["cases"][1]["output"]
        (answer,) = lines_of(out)
        self.assertEqual([hit["corpus_id"] for hit in answer["output"]], [hit["corpus_id"] for hit in raw])
        self.assertAlmostEqual(answer["output"][0]["score"], raw[0]["score"], 5)

    def test_what_cannot_be_ranked_is_told(self):
        self.assertEqual(self.rerank("single", "a text")[0], 2)
        code, _, err = self.rerank("classes", "--query", "a", "b")
        self.assertEqual(code, 1)
        self.assertIn("4 labels", err)
        lines = [{"query": "a"}, {"texts": ["b"]}, {"query": "a", "texts": "b"}, {"query": "a", "texts": []},
                 {"query": "a", "texts": ["b " * 200]}]
        code, out, _ = self.rerank("single", data=as_lines(*lines))
        self.assertEqual((code, ["error" in line for line in lines_of(out)]), (3, [True, True, True, False, True]))


class Embeddings(unittest.TestCase):
    FOLDER = pathlib.Path(__file__).resolve().parents[1] / "reference" / "sentences"
    TEXTS = ["She opened the door and walked into the garden.", "O", "A ship at sea."]

    def embed(self, folder, *arguments, **options):
        return call("embed", "--model", self.FOLDER / folder, *arguments, **options)

    def search(self, folder, *arguments, **options):
        return call("search", "--model", self.FOLDER / folder, *arguments, **options)

    def test_lines_and_texts_give_the_recorded_array(self):
        with open(self.FOLDER / "sentences.json", encoding="utf-8") as file:
            recorded = json.load(file)
        (case,) = [case for case in recorded["cases"]
                   if case["folder"] == "cls" and case["method"] == "encode" and not case["options"]]
        data = "".join(json.dumps({"text": text, "id": i}) + "\n" for i, text in enumerate(recorded["texts"]))
        code, out, err = self.embed("cls", "--truncation", data=data.encode())
        self.assertEqual((code, err), (0, ""))
        lines = lines_of(out)
        self.assertEqual([line["id"] for line in lines], list(range(len(lines))))
        self.assertEqual([set(line) for line in lines[:-1]], [{"id", "text", "output"}] * (len(lines) - 1))
        self.assertEqual(lines[-1]["cut"]["length"], 48)
        for line, expected in zip(lines, case["output"]):
            self.assertEqual(len(line["output"]), len(expected))
            self.assertTrue(all(abs(a - b) <= 1e-5 for a, b in zip(line["output"], expected)))
        _, by_argument, _ = self.embed("cls", recorded["texts"][0])
        self.assertEqual(lines_of(by_argument)[0]["output"], lines[0]["output"])

    def test_options_of_an_embedding(self):
        code, out, _ = self.embed("mean", "--truncate-dim", 3, "--normalize", *self.TEXTS)
        self.assertEqual(code, 0)
        for line in lines_of(out):
            self.assertEqual(len(line["output"]), 3)
            self.assertAlmostEqual(sum(value * value for value in line["output"]), 1, 5)
        answers = {self.embed("mean", *options, "A ship.")[1] for options in (
            (), ("--prompt-name", "query"), ("--prompt", "of the sea: "), ("--prompt-name", "long"))}
        self.assertEqual(len(answers), 3)  # "long" is the default
        for options in (("--prompt-name", "no such"), ("--truncate-dim", 0), ("--truncate-dim", 9),
                        ("--max-seq-length", 91), ("--stride", 48), ("--stride", 1, "--truncation"),
                        ("--prompt", "a", "--prompt-name", "query"), ("--split", "words")):
            self.assertEqual(self.embed("mean", *options, "A ship.")[0], 2, options)

    def test_a_text_that_is_too_long_is_an_error_or_cut_which_is_told(self):
        long = "We believed every word of it. " * 30
        data = "".join(json.dumps({"text": text}) + "\n" for text in ("A ship.", long, "O")).encode()
        code, out, _ = self.embed("mean", data=data)
        lines = lines_of(out)
        self.assertEqual((code, ["error" in line for line in lines]), (3, [False, True, False]))
        self.assertEqual(lines[1]["line"], 2)
        self.assertIn("max_seq_length 48", lines[1]["error"])
        code, out, _ = self.embed("mean", "--stride", 4, data=data)
        self.assertEqual(code, 0)
        self.assertGreater(lines_of(out)[1]["cut"]["windows"], 2)
        self.assertEqual(self.embed("mean", "--max-seq-length", 80, "--truncation", long, "--json")[0], 0)

    def test_a_folder_without_modules_has_the_mean_of_its_tokens_and_says_so(self):
        code, out, err = self.embed("plain", "A ship.")
        self.assertEqual(code, 0)
        self.assertIn("no modules.json", err)
        self.assertEqual(len(lines_of(out)[0]["output"]), 8)

    def test_features_are_a_list_for_each_token(self):
        code, out, _ = call("features", "--model", self.FOLDER / "plain", *self.TEXTS)
        _, tokens, _ = call("tokenize", "--model", self.FOLDER / "plain", *self.TEXTS)
        self.assertEqual(code, 0)
        for line, ids in zip(lines_of(out), lines_of(tokens)):
            self.assertEqual(len(line["output"]), 1)
            self.assertEqual(len(line["output"][0]), len(ids["output"]["ids"]))
            self.assertEqual({len(row) for row in line["output"][0]}, {8})

    def test_a_corpus_is_embedded_once_and_searched(self):
        with tempfile.TemporaryDirectory() as folder:
            novel, stored = pathlib.Path(folder) / "novel.txt", pathlib.Path(folder) / "novel.jsonl"
            novel.write_bytes(b"\n\nShe opened the door\r\n  and walked into the garden.\n \n\nO\n\nA ship at sea.")
            code, out, err = self.embed("mean", "--corpus", novel, "--prompt-name", "document")
            self.assertEqual((code, err), (0, ""))
            self.assertEqual([line["text"] for line in lines_of(out)], self.TEXTS)
            stored.write_bytes(out)
            for corpus in (novel, stored):
                code, out, err = self.search("mean", "--corpus", corpus, "--top-k", 2, "A ship at sea.", "O")
                self.assertEqual((code, err), (0, ""))
                hits = [line["output"] for line in lines_of(out)]
                self.assertEqual([[set(hit) for hit in list_] for list_ in hits],
                                 [[{"corpus_id", "score", "text"}] * 2] * 2)
                for list_ in hits:
                    self.assertGreaterEqual(list_[0]["score"], list_[1]["score"])
                    self.assertTrue(all(hit["text"] == self.TEXTS[hit["corpus_id"]] for hit in list_))
                if corpus == novel:
                    from_texts = hits
            self.assertEqual(hits, from_texts)
            code, out, _ = self.search("mean", "--corpus", novel, "--prompt-name", "document", "A ship at sea.")
            (best, *others) = lines_of(out)[0]["output"]
            self.assertEqual((best["corpus_id"], len(others)), (2, 2))
            self.assertAlmostEqual(best["score"], 1, 5)
            code, out, _ = self.search("mean", "--corpus", novel, "--similarity", "euclidean", "--split", "lines",
                                       data=b'{"text": "O", "id": 1}\n{"text": 5}\n')
            lines = lines_of(out)
            self.assertEqual((code, lines[0]["id"], len(lines[0]["output"])), (3, 1, 4))
            self.assertTrue(all(hit["score"] <= 0 for hit in lines[0]["output"]))
            code, out, _ = self.embed("mean", "--corpus", novel, "--skip", 2, "--prompt-name", "document")
            self.assertEqual(out.splitlines(), stored.read_bytes().splitlines()[2:])

    def test_a_corpus_without_blank_lines_is_split_by_lines(self):
        with tempfile.TemporaryDirectory() as folder:
            corpus = pathlib.Path(folder) / "corpus.txt"
            for text, options, texts in (("\na\nb\n\n", (), ["a", "b"]), ("a\nb\n\nc\n", (), ["a b", "c"]),
                                         ("a\nb\n", ("--split", "paragraphs"), ["a b"]), ("", (), []),
                                         ("a\nb\n\nc", ("--split", "lines"), ["a", "b", "c"])):
                corpus.write_text(text)
                code, out, err = self.embed("mean", "--corpus", corpus, *options)
                self.assertEqual((code, err, [line["text"] for line in lines_of(out)]), (0, "", texts))

    def test_a_byte_order_mark_is_no_part_of_a_text(self):
        with tempfile.TemporaryDirectory() as folder:
            corpus = pathlib.Path(folder) / "corpus.txt"
            for text, texts in ((b"a\nb\n", ["a", "b"]), (b"a\nb\n\nc", ["a b", "c"]), (b"\n\na\n\nb", ["a", "b"]), (b"", [])):
                corpus.write_bytes(b"\xef\xbb\xbf" + text)
                code, out, err = self.embed("mean", "--corpus", corpus)
                self.assertEqual((code, err, [line["text"] for line in lines_of(out)]), (0, "", texts))
            for encoding in ("utf-16", "utf-32"):
                data = "a\n".encode(encoding)
                corpus.write_bytes(data)
                code, out, err = self.embed("mean", "--corpus", corpus)
                self.assertEqual((code, out), (1, b""))
                self.assertIn(encoding.upper(), err)
                code, out, err = self.embed("mean", data='{"text": "a"}\n'.encode(encoding))
                self.assertEqual((code, out), (1, b""))
                self.assertIn(f"stdin: byte 0: expected UTF-8, found {encoding.upper()}", err)

    def test_hits_are_reranked(self):
        with tempfile.TemporaryDirectory() as folder:
            corpus = pathlib.Path(folder) / "corpus.txt"
            corpus.write_text("\n".join(self.TEXTS) + "\n")
            reranker = pathlib.Path(__file__).resolve().parents[1] / "reference" / "rerank" / "single"
            code, out, err = self.search("mean", "--corpus", corpus, "--top-k", 2, "--rerank", reranker, "a ship")
            self.assertEqual((code, err), (0, ""))
            hits = lines_of(out)[0]["output"]
            code, out, err = call("rerank", "--model", reranker, "--query", "a ship", "--top-k", 2, "--return-documents",
                                  *self.TEXTS)
            self.assertEqual((code, err), (0, ""))
            ranked = lines_of(out)[0]["output"]
            self.assertEqual([(hit["corpus_id"], hit["text"]) for hit in hits],
                             [(hit["corpus_id"], hit["text"]) for hit in ranked])
            for hit, answer in zip(hits, ranked):
                self.assertAlmostEqual(hit["score"], answer["score"], 6)
            self.assertEqual(self.search("mean", "--corpus", corpus, "--rerank-from", 5, "a")[0], 2)
            self.assertEqual(self.search("mean", "--corpus", corpus, "--rerank", reranker, "--rerank-from", 1, "a")[0], 2)

    def test_a_bad_corpus_is_told_with_its_line(self):
        with tempfile.TemporaryDirectory() as folder:
            corpus = pathlib.Path(folder) / "corpus.jsonl"
            for text, reason in (('{"text": "a"}\n{"text": 5}\n', "line 2"), ('{"text": "a"}\n[', "line 2"),
                                 ('{"text": "a", "output": [1, 2]}', "line 1: /output: expected an array of 8"),
                                 ('\n{"text": "a"}', "line 1"), ("", "at least one text"),
                                 ('{"text": "a"}\n{"text": "' + "a b " * 100 + '"}', "line 2: expected at most max")):
                corpus.write_text(text)
                code, out, err = self.search("mean", "--corpus", corpus, "a query")
                self.assertEqual((code, out), (1, b""), text)
                self.assertIn(reason, err)
            corpus.write_text('{"text": "' + "a b " * 100 + '"}\n')
            code, _, err = self.search("mean", "--corpus", corpus, "--truncation", "a query")
            self.assertEqual(code, 0)
            self.assertIn("1 texts that are too long", err)
            self.assertEqual(self.search("mean", "--corpus", corpus / "none", "a query")[0], 1)
            self.assertEqual(self.search("mean", "a query")[0], 2)
            self.assertEqual(self.embed("mean", "--corpus", corpus, "a text")[0], 2)


def main():
    global PROGRAM, MODEL
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True)
    parser.add_argument("--models", required=True)
    arguments, rest = parser.parse_known_args()
    PROGRAM = os.path.abspath(arguments.program)
    MODEL = os.path.join(os.path.abspath(arguments.models), "nystromformer-small-en")
    unittest.main(argv=[sys.argv[0], *rest])


if __name__ == "__main__":
    main()
