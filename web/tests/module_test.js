// SPDX-License-Identifier: MIT
// The module's numbers beside the command line's: node web/tests/module_test.js MODULE MODELS PROGRAM
"use strict";

const assert = require("assert");
const { execFileSync } = require("child_process");
const path = require("path");
const { test } = require("node:test");
const { open } = require("../library.js");

const [folder, models, program] = process.argv.slice(2);
const native = (command, model, text, ...options) =>
    JSON.parse(execFileSync(program, [command, "--model", path.join(models, model), ...options, text], { encoding: "utf8" })).output;

function close(here, there, field) {
    assert.strictEqual(here.length, there.length);
    here.forEach((answer, i) => {
        assert.strictEqual(answer[field], there[i][field]);
        assert.ok(Math.abs(answer.score - there[i].score) < 1e-4, `${answer.score} and ${there[i].score}`);
    });
}

const library = open(folder);

test("fill-mask", async () => {
    const { call, load } = await library;
    load("fill-mask", path.join(models, "fill-mask"));
    const text = "The ship sailed into the [MASK] before the storm broke.";
    close(call({ do: "fill-mask", text, top_k: 5 }), native("fill-mask", "fill-mask", text), "token_str");
});

test("sentiment", async () => {
    const { call, load } = await library;
    load("classify", path.join(models, "classify"));
    const text = "The ending is the best thing I have seen all year.";
    close(call({ do: "classify", text }), native("classify", "classify", text, "--top-k", "all"), "label");
});

test("parts of speech, with places in code points", async () => {
    const { call, load } = await library;
    load("tag", path.join(models, "tag"));
    const text = "Zo\u00eb \ud83d\ude42 quietly watched two lazy dogs.";
    const tags = call({ do: "tag", text });
    close(tags, native("tag", "tag", text, "--aggregation-strategy", "first", "--ignore-labels", ""), "word");
    for (const { start, end, word } of tags)
        assert.strictEqual(Array.from(text).slice(start, end).join("").toLowerCase().normalize("NFKD").replace(/\p{M}/gu, ""), word);
});

test("search finds the passage itself, and again after saving and loading", async () => {
    const { call } = await library;
    const texts = ["a storm at sea", "a cup of tea in the garden", "the trial of the knave"];
    assert.deepStrictEqual(call({ do: "index", texts }), { rows: 3 });
    const query = "drinking tea in the garden";
    assert.strictEqual(call({ do: "search", query })[0].corpus_id, 1);
    call({ do: "save", path: "/saved.safetensors" });
    call({ do: "load", task: "index", folder: "/saved.safetensors" });
    assert.strictEqual(call({ do: "search", query })[0].corpus_id, 1);
});

test("attention: exact rows sum to 1, and with a landmark for each token the approximation is exact", async () => {
    const { call } = await library;
    const text = "The old [MASK] creaked as she pushed it open, and the cat ran down into the garden.";
    const picture = call({ do: "attention", text, layer: 2, head: 5, num_landmarks: 8 });
    for (const row of picture.exact) assert.ok(Math.abs(row.reduce((a, b) => a + b) - 1e5) < row.length);
    assert.strictEqual(picture.segments.length, 8);
    assert.strictEqual(picture.segments.at(-1)[1], picture.tokens.length);
    assert.ok(picture.error > 0 && picture.error < 1 && picture.cosine_mean < 1);
    assert.strictEqual(picture.exact_words.length, 5);
    const same = call({ do: "attention", text, layer: 2, head: 5, num_landmarks: 64 });
    assert.deepStrictEqual([same.uses_landmarks, same.error], [false, 0]);
    assert.deepStrictEqual(same.nystrom, picture.exact);
});

test("errors are the library's", async () => {
    const { call } = await library;
    assert.throws(() => call({ do: "fill-mask", text: "no mask" }), /mask/);
    assert.throws(() => call({ do: "attention", text: "a", layer: 6 }), /layer: expected 1 to 6, found 7/);  // as people count
    assert.throws(() => call({ do: "dance" }), /dance/);
});
