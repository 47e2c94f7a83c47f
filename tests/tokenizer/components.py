# SPDX-License-Identifier: MIT
"""A tokenizer.json for each normalizer and pre-tokenizer alone, with each of its options.

The model knows no piece, so that every piece is an unknown token of its own: tokens and offsets show what the
component did. Behind a normalizer each character is made a piece.
"""
import itertools
import json

from variants import BASE, metaspace, small_charsmap

EACH = {"type": "FixedLength", "length": 1}
BEHAVIORS = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
CL100K = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|"
          r"\s+(?!\S)|\s+")
O200K = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN2 = CL100K.replace("{1,3}", "")
DEEPSEEK = (r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+"
            r"[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
POSSESSIVE = r"[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"
REGEXES = [
    GPT2, CL100K, O200K, QWEN2, DEEPSEEK, POSSESSIVE,
    r"\s+", r"\S+", r"\d", r"\d+", r"\D+", r"\w+|[^\w\s]+", r"\W", r"\p{L}+", r"\P{L}+", r"\p{^N}", r"[^\p{P}]", r" {2,}",
    r"[\n\r\t]", r"a|b|ab", r"(a|ab)(e|be)", r"\p{N}{2}", r"\p{N}{2,}", r"\p{N}{,2}e", r"a*?b", r"a+?", r"a??b", r"x{1,3}?",
    r"(?:ab)*c", r"(?=\p{N})\w", r"(?!a)[a-e]", r"^\s*", r"\s*$", r"\Aa", r"e\z", r"\b", r"\B", r"\ba", "", r"a*", r"\s*",
    r".", r".{3}", r"[一-龥぀-ゟ゠-ヿ]+", r"[\x{4e00}-\u9fa5]", r"(?i:[sdmt]|ll|ve|re|k)", r"[^\S\n]+", r"[\s\S]", r"[+\-*/]",
    r"[-a]", r"[a-]", r"(?i:[a-m])+", r"(?i:sk)", r"\.", r"[.,!?…。，、।۔،]", r" ?[^(\s|[.,!?…。，、।۔،])]+",
    r"\p{Lu}\p{Ll}+|\p{Lu}+(?!\p{Ll})", r"(\p{M}|\p{Sk})+", r"[\p{L}&\w]", r"a{0}b", r"(?:a|b|e)+?\d", r"\p{Cn}|\p{Co}|\p{Cf}",
    r"[^\n]", r"$", r"^", r"(?:^|\s)a", r"a(?=$|\s)", r"'(?:[sS]|re)|\p{Zs}",
]
# Recorded and drawn by random_tokenizers.py, for the time that each takes in compare.py.
MORE_REGEXES = [
    # Classes in classes, by POSIX's names and by long ones.
    r"[\p{Other}&&[^\n\t\r]]", r"[a-z&&[^b]&&[^c]]", r"[^a-z&&[^b]]+", r"[\w&&[^\p{N}_]]+", r"[a&&]", r"[a&&&b]", r"[]a]", r"[^]a]+",
    r"[a[^b\s]]", r"[a-c[1-3]]+", r"[[:alpha:]]+|[[:digit:]]+", r"[[:^alpha:]]", r"[^[:punct:][:space:]]+", r"[[:lower:]]+|[[:upper:]]",
    r"[[:alnum:]_]+", r"[[:word:]]+", r"[[:blank:]]", r"[[:graph:]]{2}", r"[[:print:]]", r"[[:cntrl:]]", r"[[:xdigit:]]+", r"[[:ascii:]]+",
    r"\p{Letter}+", r"\p{Uppercase_Letter}", r"\p{lowercase letter}+", r"\p{Alphabetic}+", r"\p{Punctuation}", r"\p{Punct}", r"\p{Word}+",
    r"\P{Any}", r"\p{Han}+|\p{Hiragana}+|\p{Katakana}+", r"[\p{Latin}\p{Greek}]+|\p{Cyrillic}", r"\p{^Hangul}+", r"\p{Thai}|\p{Hebrew}|\p{Arabic}",
    # Flags, look-behind, back-references.
    r"(?i)'s|ab", r"a(?i)b|e", r"(a(?i)b)e", r"(?i)a(?-i)b", r"(?m)a.b|.", r"(?im:A.)", r"(?<=\d)(?=[A-Z])|(?<!\d)[A-Z]", r"(?<=ab|e)x",
    r"(?<!ab|e)x", r"(?<=^|\s)a", r"(?<=[^\s]{2})\s", r"(?<!\p{L})\p{N}", r"(?<=\b)a", r"([!?.])\1*", r"(\w)\1", r"(a|ab)(e|b)\2?", r"(?:(a)|b)+\1",
    r"(a+b?)+\1", r"(.)(.)\2\1", r"(a)|b\1", r"(\s)\1+|\S+?(?=\s|$)",
    # A quantifier behind an interval repeats it.
    r"\p{N}{1,3}+|\p{L}{2,}+", r"a{1,2}{2}|\w{2}*x", r"(?:ab|e){1,2}+?",
]


def tokenizer(normalizer=None, pre_tokenizer=None):
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": normalizer,
            "pre_tokenizer": pre_tokenizer, "post_processor": None, "decoder": None,
            "model": {"type": "Unigram", "unk_id": 0, "byte_fallback": False, "vocab": [["<unk>", 0.0]]}}


def split(pattern, behavior="Isolated", invert=False, kind="Regex"):
    return {"type": "Split", "pattern": {kind: pattern}, "behavior": behavior, "invert": invert}


def replace(pattern, content, kind="Regex"):
    return {"type": "Replace", "pattern": {kind: pattern}, "content": content}


def bert(clean, chinese, accents, lower):
    return {"type": "BertNormalizer", "clean_text": clean, "handle_chinese_chars": chinese, "strip_accents": accents,
            "lowercase": lower}


def normalizers():
    result = {f"normalizer {name}": {"type": name}
              for name in ("NFC", "NFD", "NFKC", "NFKD", "Nmt", "ByteLevel", "StripAccents", "Lowercase")}
    for left, right in itertools.product((False, True), repeat=2):
        result[f"normalizer Strip {left} {right}"] = {"type": "Strip", "strip_left": left, "strip_right": right}
    for options in itertools.product((False, True), (False, True), (None, False, True), (False, True)):
        result["normalizer BertNormalizer " + " ".join(map(str, options))] = bert(*options)
    for number, (pattern, content) in enumerate([
            (r"\s+", " "), (r"\s", ""), (r"[^\p{L}\s]", "\u2581"), (r"\p{M}+", ""), (r"(?i:s)", "\u00dfs"),
            (r"\p{Lu}\p{Ll}*", "X"), (r"\n|\r\n", "\\n"), (r" {2,}", " "), (r"\p{N}(?!\p{N})", "#")]):
        result[f"normalizer Replace {number}"] = replace(pattern, content)
    result["normalizer Replace text"] = replace("a", "\u00e9e", "String")
    result["normalizer Replace signs"] = replace(".e", "$1", "String")
    prepend = {"type": "Prepend", "prepend": "\u2581 e"}
    result["normalizer Prepend"] = prepend
    bundled = next(part for part in json.loads(BASE.read_text())["normalizer"]["normalizers"]
                   if part["type"] == "Precompiled")
    result["normalizer Precompiled"] = bundled
    result["normalizer Precompiled, small"] = {"type": "Precompiled", "precompiled_charsmap": small_charsmap()}
    nfc, nfd, nfkc, byte_level = ({"type": name} for name in ("NFC", "NFD", "NFKC", "ByteLevel"))
    for number, parts in enumerate([
            (nfd, nfc), (nfkc, nfd, nfkc), (prepend, nfc), (prepend, bert(True, True, None, True)), (nfd, {"type": "Nmt"}, nfkc),
            (nfd, byte_level, nfkc), (bert(True, True, False, True), replace(r"\s+", " "), prepend), (),
            ({"type": "Sequence", "normalizers": [nfd, {"type": "StripAccents"}]}, {"type": "Lowercase"})]):
        result[f"normalizers {number}"] = {"type": "Sequence", "normalizers": list(parts)}
    return result


def pre_tokenizers():
    result = {f"pre-tokenizer {name}": {"type": name}
              for name in ("BertPreTokenizer", "Whitespace", "WhitespaceSplit", "UnicodeScripts", "FixedLength")}
    for prefix, regex in itertools.product((False, True), repeat=2):
        result[f"pre-tokenizer ByteLevel {prefix} {regex}"] = {
            "type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": True, "use_regex": regex}
    for delimiter in " a\u4e00":
        result[f"pre-tokenizer CharDelimiterSplit {delimiter}"] = {"type": "CharDelimiterSplit", "delimiter": delimiter}
    for behavior in BEHAVIORS:
        result[f"pre-tokenizer Punctuation {behavior}"] = {"type": "Punctuation", "behavior": behavior}
        for invert in (False, True):
            name = f"pre-tokenizer Split {behavior} {invert}"
            result[name] = split(r"\p{N}|\s+", behavior, invert)
            result[name + " text"] = split("e", behavior, invert, "String")
            result[name + " empty"] = split(r"x*", behavior, invert)
    result["pre-tokenizer Punctuation"] = {"type": "Punctuation"}
    for individual in (False, True):
        result[f"pre-tokenizer Digits {individual}"] = {"type": "Digits", "individual_digits": individual}
    result["pre-tokenizer FixedLength 3"] = {"type": "FixedLength", "length": 3}
    for scheme, cut, sign in itertools.product(("always", "first", "never"), (False, True), "\u2581_"):
        result[f"pre-tokenizer Metaspace {scheme} {cut} {sign}"] = metaspace(scheme, cut) | {"replacement": sign}
    for old in (True, False):
        result[f"pre-tokenizer Metaspace old {old}"] = {
            "type": "Metaspace", "replacement": "\u2581", "add_prefix_space": old} | ({} if old else {"prepend_scheme": "never"})
    for number, text in enumerate((".e", "the", "  ", "\u4e00\u4e8c")):
        result[f"pre-tokenizer Split text {number}"] = split(text, "MergedWithNext", False, "String")
    result["pre-tokenizer Split nothing"] = split("", "Isolated", False, "String")
    byte_level = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True}
    unsplit = byte_level | {"use_regex": False, "add_prefix_space": False}
    for number, parts in enumerate([
            ({"type": "Whitespace"}, byte_level), (split(CL100K), unsplit), ({"type": "Digits", "individual_digits": True}, byte_level),
            (split(r"\p{N}{1,3}"), split(r"[\x{4e00}-\x{9fa5}]+"), split(DEEPSEEK), unsplit),
            ({"type": "UnicodeScripts"}, metaspace()),
            ({"type": "WhitespaceSplit"}, {"type": "Punctuation"}, {"type": "FixedLength", "length": 2}), (),
            ({"type": "Digits", "individual_digits": False}, metaspace("first")),
            ({"type": "Sequence", "pretokenizers": [{"type": "Whitespace"}, {"type": "UnicodeScripts"}]}, {"type": "Punctuation"})]):
        result[f"pre-tokenizers {number}"] = {"type": "Sequence", "pretokenizers": list(parts)}
    return result


def components():
    """{name: tokenizer.json}"""
    result = {name: tokenizer(normalizer, EACH) for name, normalizer in normalizers().items()}
    result |= {name: tokenizer(None, pre_tokenizer) for name, pre_tokenizer in pre_tokenizers().items()}
    for name in ("BertPreTokenizer", "UnicodeScripts", "ByteLevel True True"):
        result[f"NFKD, {name}"] = tokenizer({"type": "NFKD"}, pre_tokenizers()["pre-tokenizer " + name])
    return result | {f"regex {pattern}": tokenizer(None, split(pattern)) for pattern in REGEXES}


def more_components():
    """Those that are recorded beside."""
    inserting = [replace("^", "\u2581"), replace("^ *", ""), replace("", "x", "String"), replace(r"a*", "b"), {"type": "Prepend", "prepend": ""}]
    result = {f"normalizer that inserts {number}": tokenizer(one, EACH) for number, one in enumerate(inserting)}
    return result | {f"regex {pattern}": tokenizer(None, split(pattern)) for pattern in MORE_REGEXES}
