#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that no kernel has an instruction that its backend does not ask the CPU for.

Disassembles PROGRAM, compiled for x86-64 without -march, and looks into the functions of each region of
kernels/targets.hpp for the instructions of features that kernels/isa.hpp does not list for it.
"""
import argparse
import collections
import pathlib
import re
import subprocess
import sys

ISA = pathlib.Path(__file__).resolve().parents[2] / "include/nystromformer/kernels/isa.hpp"
# What tells that a line of the disassembly needs a feature. AVX-512's own registers and masks stand for avx512f;
# vl, bw and dq have no sign of their own and are listed together with it.
SIGNS = {
    "avx2": r"\tv(?!err|erw)\w+",
    "fma": r"\tvfn?m(add|sub)",
    "avx512f": r"%zmm|%k[0-7]|%[xy]mm(1[6-9]|2\d|3[01])|\{1to",
    "avx512vnni": r"\tvpdp(busd|wssd)",
    "avx512bf16": r"\tv(cvtne2?ps2bf16|dpbf16ps)",
    "amx-tile": r"\t(tile|ldtilecfg|sttilecfg)",
    "amx-bf16": r"\ttdpbf16ps",
    "amx-int8": r"\ttdpb[su][su]d",
}
OTHERS = r"\t(tdp(?!bf16ps|b[su][su]d)|vpdpb[su][su]ds?\b(?<!vpdpbusd)(?<!vpdpbusds)|vpmadd52|vpopcnt|vpermi2b|vgf2p8|vaes|vpcl|\w+ph\b)"


def features():
    """The features that isa.hpp lists for each instruction set."""
    text = ISA.read_text().replace("\\\n", " ")
    bodies = dict(re.findall(r"#define NYSTROMFORMER_FEATURES_(\w+)\(first, next, numbered\)(.*)", text))

    def of(name):
        found = set(re.findall(r"\b(?:first|next|numbered)\(([\w-]+)", bodies[name]))
        for other in re.findall(r"NYSTROMFORMER_FEATURES_(\w+)\(first, next, numbered\)", bodies[name]):
            found |= of(other)
        return found

    return {name: of(name) for name in bodies}


def functions(program):
    """The region and the lines of each function of a region."""
    listing = subprocess.run(["objdump", "-d", "-C", "--no-show-raw-insn", program],
                             check=True, capture_output=True, text=True).stdout
    for part in listing.split("\n\n"):
        head, _, body = part.lstrip().partition("\n")
        found = re.match(r"[0-9a-f]+ <.*?\bnystromformer::v\d+_\d+::detail::(\w+)::(.*)>:$", head)
        if found and found[1] in features():
            yield found[1], found[2], body.split("\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    program = parser.parse_args().program
    lists, faults, used, count = features(), [], collections.defaultdict(set), collections.Counter()
    for region, name, lines in functions(program):
        count[region] += 1
        for line in lines:
            for feature, sign in SIGNS.items():
                if not re.search(sign, line):
                    continue
                used[region].add(feature)
                if feature not in lists[region]:
                    faults.append(f"{region}::{name} needs {feature}: {line.strip()}")
            if re.search(OTHERS, line):
                faults.append(f"{region}::{name} needs a feature that no region lists: {line.strip()}")
    # The test sees something: each region is there, and has what it was made for.
    for region, own in {"portable": None, "avx2": "avx2", "avx512": "avx512f", "avx512vnni": "avx512vnni",
                        "avx512bf16": "avx512bf16", "amx": "amx-tile amx-bf16 amx-int8"}.items():
        if count[region] == 0 or not used[region] >= set((own or "").split()):
            faults.append(f"{region}: no function with instructions of {own}")
    for region in sorted(count):
        print(f"{region}: {count[region]} functions, {', '.join(sorted(used[region])) or 'no feature'}")
    print("\n".join(faults[:20]) if faults else "No kernel has an instruction that its backend does not ask for.")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
