#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Small valid files, broken in every way that one edit can break them: what the library says of each must be
what tests/oracle/checker.py says.

    python3 tests/oracle/mutate.py build/dev/bin/nystromformer_oracle_reader

For each base: every byte of the length and header replaced by the 255 others, every bit of the data flipped, cut
short at every offset, one byte taken out or put in at every offset, every number replaced by each of 24 boundary
values and every pair of numbers by every pair of those. Exit code 1 where a verdict, a value or the kind of an
error differs; the first differences are shown."""

import argparse
import itertools
import re
import struct
import subprocess
import sys
import tempfile
import time

import checker

boundaries = [0, 1, 2, 3, 4, 7, 8, 9, 12, 15, 16, 23, 24, 31, 63, 64, 127, 255, 2**31 - 1, 2**32, 2**63 - 1, 2**63,
              2**64 - 1, 2**64]
assert len(boundaries) == 24
inserted = [b"\0", b" ", b'"', b"0", b"9", b"-", b".", b",", b"{", b"]", b"a", b"\\", b"\x7f", b"\xc3", b"\xff"]


def safetensors(header, data):
    return struct.pack("<Q", len(header)) + header + data


# Each dtype that is converted, an empty tensor, a scalar, a packed type, metadata, an unknown field.
wide = safetensors(
    b'{"__metadata__":{"format":"pt"},"w.0":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},'
    b'"h":{"dtype":"F16","shape":[3],"data_offsets":[8,14],"x":[1.5,{"y":null}]},'
    b'"b":{"dtype":"BF16","shape":[1],"data_offsets":[14,16]},"s":{"dtype":"F64","shape":[],"data_offsets":[16,24]},'
    b'"e":{"dtype":"I64","shape":[0,2],"data_offsets":[24,24]},"q":{"dtype":"F4","shape":[4],"data_offsets":[24,26]},'
    b'"\xc3\xa9":{"dtype":"BOOL","shape":[2],"data_offsets":[26,28]}}  ',
    struct.pack("<2f3e2sd", 1.5, -2.0, 0.5, 65504.0, -0.0, b"\x80\x3f", 1e300) + bytes([0x21, 0x43, 1, 0]))
# Small, for what grows with the square of its numbers.
narrow = safetensors(
    b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"I16","shape":[2,2],'
    b'"data_offsets":[8,16]},"c":{"dtype":"U8","shape":[0],"data_offsets":[16,16]}}',
    struct.pack("<2f4h", 3.0, 0.25, 1, -1, 32767, -32768))
index = (b'{"metadata":{"total_size":24,"x":[true,{"y":-1.5e3}]},"weight_map":{"a.w":"model-00001-of-00002.safetensors",'
         b'"b":"model-00002-of-00002.safetensors","\xc3\xa9":"m.safetensors"}}\n')
config = (b'{"model_type":"nystromformer","vocab_size":48,"hidden_size":16,"num_hidden_layers":2,"num_attention_heads":4,'
          b'"intermediate_size":20,"max_position_embeddings":66,"type_vocab_size":2,"segment_means_seq_len":64,'
          b'"num_landmarks":8,"conv_kernel_size":5,"hidden_act":"silu","layer_norm_eps":1e-05,'
          b'"inv_coeff_init_option":false,"tie_word_embeddings":true,"id2label":{"0":"a","1":"b","2":"c"}}')


def edits(base, header_end):
    """(at, removed, inserted) of every edit of `base`, whose text ends at `header_end`."""
    for at in range(header_end):
        for byte in range(256):
            if byte != base[at]:
                yield at, 1, bytes([byte])
    for at in range(header_end, len(base)):
        for bit in range(8):
            yield at, 1, bytes([base[at] ^ 1 << bit])
    for at in range(len(base)):
        yield at, len(base) - at, b""
        yield at, 1, b""
    for at in range(len(base) + 1):
        for byte in inserted:
            yield at, 0, byte


def numbers(base, begin, end):
    """Places of the whole numbers in base[begin:end], outside of strings."""
    return [(begin + match.start(), begin + match.end())
            for match in re.finditer(rb'(?<![\w."-])\d+(?![\w."])', base[begin:end])]


def number_edits(base, header_end, keep_length):
    """One number by each boundary value, and each pair by each pair of them. With `keep_length` the file's first
    eight bytes, the length of the header, follow."""
    def edit(replacements):
        begin, end = replacements[0][0][0], replacements[-1][0][1]
        part, at = b"", begin
        for (first, last), value in replacements:
            part += base[at:first] + str(value).encode()
            at = last
        if not keep_length:
            return begin, end - begin, part
        longer = header_end - 8 + len(part) - (end - begin)
        return 0, end, struct.pack("<Q", longer) + base[8:begin] + part

    places = numbers(base, 8 if keep_length else 0, header_end)
    for place, value in itertools.product(places, boundaries):
        yield edit([(place, value)])
    for first, second in itertools.combinations(places, 2):
        for one, other in itertools.product(boundaries, boundaries):
            yield edit([(first, one), (second, other)])


def frame(kind, at, removed, data):
    return kind + struct.pack("<III", at, removed, len(data)) + data


def expected(check, data):
    try:
        return check(data)
    except checker.Refused as refused:
        return refused


def agrees(found, wanted):
    if isinstance(wanted, str):
        return found == wanted
    kind = wanted.kind or ""
    return found.startswith(f"refuse {kind}") and " file: " in found


def run(reader, title, kind, check, base, all_edits):
    """The number of cases and of differences."""
    cases = list(dict.fromkeys(all_edits))
    start = time.monotonic()
    with tempfile.TemporaryFile() as stream, tempfile.TemporaryFile() as output:
        stream.write(frame(b"b", 0, 0, base) + frame(kind, 0, 0, b""))
        for case in cases:
            stream.write(frame(kind, *case))
        stream.seek(0)
        subprocess.run([reader], stdin=stream, stdout=output, check=True)
        output.seek(0)
        found = output.read().decode().splitlines()
    assert len(found) == len(cases) + 1, f"{len(found)} verdicts for {len(cases) + 1} cases"
    wrong = accepted = 0
    for line, (at, removed, data) in zip(found, [(0, 0, b""), *cases]):
        wanted = expected(check, base[:at] + data + base[at + removed:])
        accepted += isinstance(wanted, str)
        if not agrees(line, wanted):
            wrong += 1
            if wrong <= 10:
                print(f"{title}: at {at} {base[at:at + removed]!r} -> {data!r}\n  library: {line[:300]}\n  "
                      f"checker: {getattr(wanted, 'kind', '')} {wanted}")
    print(f"{title}: {len(found)} cases, {accepted} accepted, {wrong} differ, {time.monotonic() - start:.0f} s")
    return len(found), wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reader")
    reader = parser.parse_args().reader
    def header_end(base):
        return 8 + struct.unpack("<Q", base[:8])[0]
    total = wrong = 0
    for title, kind, check, base, all_edits in (
            ("safetensors, bytes", b"s", checker.safetensors, wide, edits(wide, header_end(wide))),
            ("safetensors, numbers", b"s", checker.safetensors, narrow, number_edits(narrow, header_end(narrow), True)),
            ("index, bytes", b"i", checker.index, index, edits(index, len(index))),
            ("config, bytes", b"c", checker.config, config, edits(config, len(config))),
            ("config, numbers", b"c", checker.config, config, number_edits(config, len(config), False))):
        cases, differ = run(reader, title, kind, check, base, all_edits)
        total, wrong = total + cases, wrong + differ
    print(f"{total} cases, {wrong} differ")
    return wrong != 0


if __name__ == "__main__":
    sys.exit(main())
