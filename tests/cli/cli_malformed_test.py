#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the command line does with malformed folders, inputs and lines: exit code 1 and one readable line within a
second of CPU and in little memory, never a signal.  Standard library only.

    python3 tests/cli/cli_malformed_test.py --program build/dev/bin/nystromformer --tests build/dev/bin/nystromformer_tests

--tests writes the folders of the tables in tests/robustness/malformed.
"""
import argparse
import itertools
import json
import os
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

PROGRAM = TESTS = None
WHOLE = pathlib.Path(__file__).resolve().parents[1] / "reference" / "sentences" / "dense"
CLASSES = pathlib.Path(__file__).resolve().parents[1] / "reference" / "pipelines" / "classes"
MEBIBYTE = 1 << 20
SLOW_MACHINE = 5  # times the seconds of a quiet one: what these bounds are for takes minutes or never ends


# The system counts what a process was when it was still a copy of its parent: a small parent starts the programs,
# and measures them.
STARTER = subprocess.Popen([sys.executable, "-I", "-S", "-c", """
import json, os, subprocess, sys
for line in sys.stdin:
    arguments, given, out, err = json.loads(line)
    with open(given, "rb") as stdin, open(out, "wb") as stdout, open(err, "wb") as stderr:
        process = subprocess.Popen(arguments, stdin=stdin, stdout=stdout, stderr=stderr)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        print(json.dumps([process.returncode, usage.ru_utime + usage.ru_stime, usage.ru_maxrss]), flush=True)
"""], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


class Call:
    """One run of the program, with what it took."""

    def __init__(self, *arguments, data=b""):
        with tempfile.TemporaryDirectory() as folder:
            given, out, err = (pathlib.Path(folder, name) for name in ("in", "out", "err"))
            given.write_bytes(data)
            words = [str(word) for word in (PROGRAM, *arguments)]
            STARTER.stdin.write(json.dumps([words, str(given), str(out), str(err)]) + "\n")
            STARTER.stdin.flush()
            self.code, self.seconds, kibibytes = json.loads(STARTER.stdout.readline())
            self.peak = kibibytes * 1024
            self.out, self.err = out.read_bytes(), err.read_text(errors="replace")


class Malformed(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def broken(self, change):
        folder = self.folder / "model"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(WHOLE, folder)
        change(folder)
        return folder

    def refused(self, call, of, size=0, seconds=1.0, title=""):
        """One line on stderr, after the notes, that names `of`, and bounds on time and memory for a file of `size`."""
        with self.subTest(title):
            self.assertEqual((call.code, call.out), (1, b""), call.err)
            self.assertRegex(call.err, r"\A(nystromformer: note: [^\n]*\n)*nystromformer: [^\n]*\n\Z")
            self.assertIn(str(of), call.err)
            for raw in ("std::", "terminate", "what()", "nlohmann", "json.exception", "vector", "basic_string"):
                self.assertNotIn(raw, call.err)
            self.assertTrue(call.err.replace("\n", "").isprintable(), call.err)
            self.assertLess(len(call.err), 1200)
            self.assertLess(call.seconds, seconds * SLOW_MACHINE)
            self.assertLess(call.peak, 2 * size + 64 * MEBIBYTE)

    def embed(self, folder):
        return Call("embed", "--model", folder, "--threads", 1, "a text")


class Folders(Malformed):
    def test_every_folder_of_the_tables(self):
        subprocess.run([TESTS, "the malformed folders are written"], check=True, stdout=subprocess.DEVNULL,
                       env={**os.environ, "NYSTROMFORMER_WRITE_FOLDERS": str(self.folder)})
        cases = json.loads((self.folder / "list.json").read_text())
        self.assertGreater(len(cases), 500)
        for case in cases:
            folder = self.folder / case["folder"]
            size = (folder / case["file"]).stat().st_size
            self.refused(self.embed(folder), folder, size, title=case["title"])

    def test_what_is_no_regular_file_or_leads_nowhere(self):
        def instead(name, make):
            def change(folder):
                (folder / name).unlink()
                make(folder / name)
            return change
        for name in ("config.json", "model.safetensors", "2_Dense/config.json", "2_Dense/model.safetensors"):
            for make in (os.mkfifo, os.mkdir, lambda path: path.symlink_to("/dev/zero"), lambda path: path.touch(),
                         lambda path: path.symlink_to("nowhere"), lambda path: path.symlink_to(path.name)):
                folder = self.broken(instead(name, make))
                self.refused(self.embed(folder), folder, title=name)
        for folder in (self.folder / "none", self.folder / "model" / "config.json", "/dev/null", "a\nb\x1b[31m"):
            call = Call("embed", "--model", folder, "a text")
            self.refused(call, "", title=str(folder))


class Large(Malformed):
    """Files that would take much memory or time if they were believed."""

    def write(self, name, *parts):
        def change(folder):
            with open(folder / name, "wb") as file:
                for part, count in parts:
                    whole = 1 << 16
                    for _ in range(count // whole):
                        file.write(part * whole)
                    file.write(part * (count % whole))
        return change

    def check(self, title, change, name, seconds=1.0):
        folder = self.broken(change)
        self.refused(self.embed(folder), name, (folder / name).stat().st_size, seconds, title)

    def test_headers_of_safetensors(self):
        size = 90 * 10**6
        for title, parts in [("arrays", [(b"[", size)]), ("spaces", [(b" ", size)]), ("zeros", [(b"\0", size)]),
                             ("a long name", [(b'{"', 1), (b"a", size - 2)]),
                             ("an unknown field", [(b'{"a":{"x":[', 1), (b"0,", size // 2 - 10), (b"0", 9)]),
                             ("empty arrays", [(b'{"a":{"x":[', 1), (b"[],", size // 3 - 10), (b"0", 19)])]:
            length = sum(len(part) * count for part, count in parts)
            self.check(title, self.write("model.safetensors", (struct.pack("<Q", length), 1), *parts),
                       "model.safetensors", seconds=4)

    def test_a_length_that_only_a_hole_has(self):
        def change(folder):
            with open(folder / "model.safetensors", "wb") as file:
                file.write(struct.pack("<Q", 1 << 34))
                file.truncate(1 << 35)
        folder = self.broken(change)
        self.refused(self.embed(folder), "model.safetensors", 0)

    def test_a_million_tensors(self):
        def change(folder):
            # Piece by piece: a child's peak memory counts from what this process has when it starts it.
            with open(folder / "model.safetensors", "wb") as file:
                file.write(bytes(8) + b"{")
                for i in range(1_000_001):
                    file.write(b'%s"%d":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}' % (b"," if i else b"", i))
                file.write(b"}")
                length = file.tell() - 8
                file.seek(0)
                file.write(struct.pack("<Q", length))
        self.check("a million tensors", change, "model.safetensors", seconds=6)

    def test_json_files(self):
        for name, most in (("config.json", 1), ("modules.json", 1), ("tokenizer_config.json", 16),
                           ("tokenizer.json", 64)):
            size = most * MEBIBYTE
            for title, parts in [("too large", [(b" ", size + 1)]), ("arrays", [(b"[", size)]),
                                 ("empty arrays", [(b'{"a":[', 1), (b"[],", size // 3 - 10), (b"0]}", 1)]),
                                 ("zeros", [(b'{"a":[', 1), (b"0,", size // 2 - 10), (b"0]}", 1)]),
                                 ("a string", [(b'{"a":"', 1), (b"a", size - 10)])]:
                if title == "a string" or (title in ("zeros", "empty arrays") and name == "modules.json"):
                    parts = [(b"[" if name == "modules.json" else b"", 1), *parts]
                if name in ("config.json", "tokenizer_config.json") and title in ("empty arrays", "zeros"):
                    parts = parts[:-1] + [(b"0]", 1)]  # else it is an unknown key
                self.check(f"{name}: {title}", self.write(name, *parts), name, seconds=8)

    def test_an_index(self):
        def change(parts):
            def both(folder):
                (folder / "model.safetensors").unlink()
                self.write("model.safetensors.index.json", *parts)(folder)
            return both
        for title, parts in [("too large", [(b" ", 33 * MEBIBYTE)]), ("arrays", [(b'{"x":[', 1), (b"[],", 10**7)])]:
            self.check(title, change(parts), "model.safetensors.index.json", seconds=4)

    def test_vocabularies(self):
        """Nothing that a tokenizer is made of takes more than it may, whatever is wrong behind it."""
        letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
        random.seed(1)

        def long_pieces(count):
            return ["".join(random.choices(letters, k=4000)) for _ in range(count)]

        def short_pieces(count):
            return map("".join, itertools.islice(itertools.product(letters, repeat=4), count))

        def model(begin, entries, end):
            def change(folder):
                with open(folder / "tokenizer.json", "w") as file:
                    file.write('{"model": {' + begin)
                    file.writelines(entries)
                    file.write(end + "}}")
            return change
        unigram, words = '"type": "Unigram", "unk_id": 0, "vocab": [', '"type": "WordLevel", "unk_token": "x", "vocab": {'
        merges = '"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ['
        added = words + '"x": 0}}, "added_tokens": ['
        flags = '"single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true}'
        for title, change in [
                ("long pieces", model(unigram, (f'["{one}",0],' for one in long_pieces(5000)), '["a", 0]]')),
                ("short pieces", model(words, (f'"{one}":0,' for one in short_pieces(2_000_000)), '"x": 0}')),
                ("merges", model(merges, ('"a b",' for _ in range(3_000_000)), '"a c"]')),
                ("long added tokens", model(added, (f'{{"id":{i + 1},"content":"{one}",{flags},'
                                                    for i, one in enumerate(long_pieces(3000))), '{}], "x": {'))]:
            self.check(title, change, "tokenizer.json", seconds=4)

        def sentencepiece(folder, pieces):
            (folder / "tokenizer.json").unlink()
            (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "AlbertTokenizer"}')
            with open(folder / "spiece.model", "wb") as file:
                for piece in pieces:
                    file.write(field(field(piece)))

        def field(data):
            size = len(data)
            return b"\x0a" + (bytes([size & 127 | 128, size >> 7]) if size > 127 else bytes([size])) + data
        for title, pieces in [("long", long_pieces(5000)), ("short", short_pieces(2_000_000)), ("no", [""] * 3_000_000)]:
            self.check(f"{title} pieces", lambda folder: sentencepiece(folder, (one.encode() for one in pieces)),
                       "spiece.model", seconds=4)

        def bert(lines):
            def change(folder):
                (folder / "tokenizer.json").unlink()
                (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "BertTokenizer"}')
                (folder / "vocab.txt").write_text("\n".join(lines))
            return change
        for title, lines in [("long", long_pieces(5000)), ("short", short_pieces(3_000_000))]:
            self.check(f"{title} lines", bert(lines), "vocab.txt", seconds=4)

    def test_a_zip_of_many_entries(self):
        def change(folder):
            (folder / "model.safetensors").unlink()
            count = 200_000
            with open(folder / "pytorch_model.bin", "wb") as file:
                local = struct.pack("<4s5H3I2H", b"PK\3\4", 45, 0, 0, 0, 0, 0, 0, 0, 6, 0)
                for i in range(count):
                    file.write(local + b"%06d" % i)
                begin = file.tell()
                for i in range(count):
                    file.write(struct.pack("<4s6H3I5H2I", b"PK\1\2", 45, 45, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0,
                                           i * 36) + b"%06d" % i)
                size = file.tell() - begin
                file.write(struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, size, begin, 0))
        self.check("many entries", change, "pytorch_model.bin")


def tensors(path, **values):
    """A safetensors file: name=(dtype, shape, bytes)."""
    header, data = {}, b""
    for name, (dtype, shape, raw) in values.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


class RunInputs(Malformed):
    def test_tensors_that_do_not_fit_the_model(self):
        def ids(*values, shape=None):
            return ("I64", shape or [1, len(values)], struct.pack(f"<{len(values)}q", *values))
        good = ids(5, 6, 7)
        cases = {
            "nothing": {},
            "an id below 0": {"input_ids": ids(5, -1)},
            "an id beyond the vocabulary": {"input_ids": ids(5, 309)},
            "the least id": {"input_ids": ids(-2**63)},
            "the greatest id": {"input_ids": ids(2**63 - 1)},
            "ids of one dimension": {"input_ids": ids(5, 6, shape=[2])},
            "ids of four dimensions": {"input_ids": ids(5, 6, shape=[1, 1, 1, 2])},
            "ids that are floats": {"input_ids": ("F32", [1, 2], bytes(8))},
            "no token": {"input_ids": ids(shape=[2, 0])},
            "ids and embeddings": {"input_ids": good, "inputs_embeds": ("F32", [1, 3, 8], bytes(96))},
            "embeddings of another width": {"inputs_embeds": ("F32", [1, 3, 7], bytes(84))},
            "embeddings of two dimensions": {"inputs_embeds": ("F32", [3, 8], bytes(96))},
            "a mask of 2": {"input_ids": good, "attention_mask": ids(1, 2, 1)},
            "a mask of -1": {"input_ids": good, "attention_mask": ids(1, -1, 1)},
            "a mask that is short": {"input_ids": good, "attention_mask": ids(1, 1)},
            "a mask of floats": {"input_ids": good, "attention_mask": ("F32", [1, 3], bytes(12))},
            "a type of 2": {"input_ids": good, "token_type_ids": ids(0, 2, 0)},
            "a type of -1": {"input_ids": good, "token_type_ids": ids(0, -1, 0)},
            "a position beyond the table": {"input_ids": good, "position_ids": ids(2, 3, 92)},
            "a position of -1": {"input_ids": good, "position_ids": ids(2, -1, 4)},
            "positions that are short": {"input_ids": good, "position_ids": ids(2, 3)},
            "more tokens than positions": {"input_ids": ids(*[5] * 91)},
        }
        for title, values in cases.items():
            path = self.folder / "in.safetensors"
            tensors(path, **values)
            call = Call("run", "--head", "model", "--model", WHOLE, "--input", path, "--threads", 1,
                        "--output", self.folder / "out.safetensors")
            self.refused(call, "", title=title)
            self.assertFalse((self.folder / "out.safetensors").exists(), title)

    def test_a_batch_of_nothing_is_none(self):
        path, output = self.folder / "in.safetensors", self.folder / "out.safetensors"
        tensors(path, input_ids=("I64", [0, 4], b""))
        call = Call("run", "--head", "model", "--model", WHOLE, "--input", path, "--output", output)
        self.assertEqual((call.code, call.err), (0, ""))
        self.assertIn(b'"shape":[0,4,8]', output.read_bytes())

    def test_an_input_file_that_is_broken_or_missing(self):
        for title, data in (("nothing", b""), ("a length alone", struct.pack("<Q", 2)), ("no JSON", struct.pack("<Q", 2) + b"xx")):
            path = self.folder / "in.safetensors"
            path.write_bytes(data)
            self.refused(Call("run", "--head", "model", "--model", WHOLE, "--input", path, "--output",
                              self.folder / "out"), path, title=title)
        self.refused(Call("run", "--head", "model", "--model", WHOLE, "--input", self.folder / "none", "--output",
                          self.folder / "out"), self.folder / "none")


class Lines(Malformed):
    LINES = {
        "blank": b"", "spaces": b"   ", "a carriage return": b"\r", "no JSON": b"not json", "an array": b"[1, 2]",
        "a string": b'"text"', "a number": b"5", "true": b"true", "null": b"null", "an object without text": b"{}",
        "another field": b'{"id": 8}', "a number as text": b'{"text": 5}', "null as text": b'{"text": null}',
        "a list as text": b'{"text": ["a"]}', "an object as text": b'{"text": {}}', "a bool as text": b'{"text": true}',
        "text twice": b'{"text": "a", "text": "b"}', "a field twice": b'{"id": 1, "text": "a", "id": 2}',
        "a mark": b'\xef\xbb\xbf{"text": "a"}', "a lone byte": b'{"text": "\xff"}', "an overlong form": b'{"text": "\xc0\x80"}',
        "a surrogate in bytes": b'{"text": "\xed\xa0\x80"}', "half a surrogate": rb'{"text": "\ud800"}',
        "a zero byte": b'{"text": "a\0b"}', "a zero byte after": b'{"text": "a"}\0', "two objects": b'{"text": "a"} {"text": "b"}',
        "a comma": b'{"text": "a",}', "single quotes": b"{'text': 'a'}", "a comment": b'{"text": "a"} // b', "a cut": b'{"text": "a',
        "a number beyond double": b'{"text": "a", "x": 1e999}', "NaN": b'{"text": "a", "x": NaN}',
        "Infinity": b'{"text": "a", "x": Infinity}', "a leading zero": b'{"text": "a", "x": 01}', "a tab within": b'{"text": "a\tb"}',
        "depth of arrays": b"[" * 200_000, "depth in a field": b'{"x": ' + b"[" * 200_000, "depth of objects": b'{"a":' * 100_000,
        "17 MiB": b'{"text": "' + b"a" * (17 << 20) + b'"}', "a number as pair": b'{"text": "a", "pair": 5}',
        "an escape that is none": rb'{"text": "\x"}', "more than the model reads": b'{"text": "' + b"a " * 5000 + b'"}',
    }

    def test_a_bad_line_is_told_with_its_number_and_the_next_is_served(self):
        good = b'{"text": "a garden", "id": 7}'
        lines = [good]
        for bad in self.LINES.values():
            lines += [bad, good]
        call = Call("classify", "--model", CLASSES, "--threads", 1, data=b"\n".join(lines) + b"\n")
        answers = [json.loads(line) for line in call.out.splitlines()]
        self.assertEqual((call.code, call.err, len(answers)), (3, "", len(lines)))
        for i, answer in enumerate(answers):
            if i % 2 == 0:
                self.assertEqual(answer, answers[0])
                continue
            title = list(self.LINES)[i // 2]
            with self.subTest(title):
                self.assertNotIn("output", answer)
                self.assertIsInstance(answer["error"], str)
                self.assertTrue(answer["error"].isprintable())
                self.assertNotIn("std::", answer["error"])
                self.assertLess(len(answer["error"]), 1000)
                self.assertEqual(answer["line"], i + 1)
        self.assertLess(call.peak, 2 * (17 << 20) + 64 * MEBIBYTE)

    def test_stdin_that_is_a_folder(self):
        descriptor = os.open(self.folder, os.O_RDONLY)
        process = subprocess.run([PROGRAM, "classify", "--model", CLASSES], stdin=descriptor, capture_output=True)
        os.close(descriptor)
        self.assertEqual((process.returncode, process.stdout), (1, b""))
        self.assertRegex(process.stderr.decode(), r"\Anystromformer: [^\n]+\n\Z")

    def test_wrong_usage_is_2(self):
        for arguments in ([], ["nothing"], ["classify"], ["classify", "--model"], ["classify", "--model", CLASSES, "--none"],
                          *(["classify", "--model", CLASSES, "--threads", n, "a"] for n in ("-1", "1000000000", "x", "1.5", "")),
                          ["classify", "--model", CLASSES, "--precision", "fp64", "a"], ["run", "--model", CLASSES]):
            call = Call(*arguments)
            self.assertEqual((call.code, call.out), (2, b""), arguments)
            self.assertTrue(call.err.startswith("nystromformer: "))


class Output(Malformed):
    """A disk that is full, a pipe that is closed, a standard output that is not there."""

    def test_a_full_disk_and_a_closed_pipe_are_told(self):
        data = b'{"text": "a garden"}\n' * 50
        for command, model in (("classify", CLASSES), ("tokenize", CLASSES), ("embed", WHOLE)):
            with open("/dev/full", "wb") as full:
                process = subprocess.run([PROGRAM, command, "--model", model], input=data, stdout=full,
                                         stderr=subprocess.PIPE)
            self.assertEqual(process.returncode, 1)
            self.assertRegex(process.stderr.decode(), r"\Anystromformer: writing to stdout: [^\n]+\n\Z")
            reader, writer = os.pipe()
            os.close(reader)
            process = subprocess.run([PROGRAM, command, "--model", model], input=data, stdout=writer,
                                     stderr=subprocess.PIPE)
            os.close(writer)
            self.assertEqual(process.returncode, 1)
            self.assertRegex(process.stderr.decode(), r"\Anystromformer: [^\n]+\n\Z")
            closed = subprocess.run(["sh", "-c", f'exec "$0" {command} --model "$1" >&-', PROGRAM, model], input=data,
                                    stderr=subprocess.PIPE)
            self.assertEqual(closed.returncode, 1)

    def test_files_that_cannot_be_written(self):
        path = self.folder / "in.safetensors"
        tensors(path, input_ids=("I64", [1, 2], struct.pack("<2q", 5, 6)))
        pipe = self.folder / "pipe"
        os.mkfifo(pipe)  # never a device here: a program that fails this test puts a file in its place
        for output in (pipe, self.folder, self.folder / "none" / "out", "/proc/nothing"):
            self.refused(Call("run", "--head", "model", "--model", WHOLE, "--input", path, "--output", output), output)
        self.assertTrue(pipe.is_fifo())
        left = sorted(entry.name for entry in self.folder.iterdir())
        self.assertEqual(left, ["in.safetensors", "pipe"])

    def test_a_file_size_limit_is_an_error_and_leaves_no_half_file(self):
        import resource
        path = self.folder / "in.safetensors"
        tensors(path, input_ids=("I64", [1, 80], struct.pack("<80q", *range(80))))

        def limit():
            import signal
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        process = subprocess.run([PROGRAM, "run", "--head", "model", "--model", WHOLE, "--input", path, "--output",
                                  self.folder / "out"], preexec_fn=limit, capture_output=True)
        self.assertEqual(process.returncode, 1, process.stderr)
        self.assertFalse((self.folder / "out").exists())


def main():
    global PROGRAM, TESTS
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True)
    parser.add_argument("--tests", required=True)
    arguments, rest = parser.parse_known_args()
    PROGRAM, TESTS = (os.path.abspath(path) for path in (arguments.program, arguments.tests))
    unittest.main(argv=[sys.argv[0], *rest])


if __name__ == "__main__":
    main()
