// SPDX-License-Identifier: MIT
// Embeds the passages of a novel for the page: node web/make_index.js MODULE MODEL NOVEL.txt TITLE OUT
"use strict";

const fs = require("fs");
const path = require("path");
const { open } = require("./library.js");

// Paragraphs, short ones together with those that follow.
function passagesOf(text) {
    const passages = [];
    let open = "";
    for (const paragraph of text.split("\n").filter((line) => line.trim() !== "")) {
        open = open === "" ? paragraph : `${open} ${paragraph}`;
        if (open.length < 200) continue;
        passages.push(open);
        open = "";
    }
    if (open !== "") passages.push(open);
    return passages;
}

async function main([folder, model, novel, title, out]) {
    const library = await open(folder);
    library.load("fill-mask", model);
    const passages = passagesOf(fs.readFileSync(novel, "utf8"));
    for (let at = 0; at < passages.length; at += 50)
        library.call({ do: "index", texts: passages.slice(at, at + 50), append: at > 0 });
    library.call({ do: "save", path: "/index.safetensors" });
    fs.mkdirSync(out, { recursive: true });
    fs.writeFileSync(path.join(out, "index.safetensors"), library.FS.readFile("/index.safetensors"));
    fs.writeFileSync(path.join(out, "novel.json"), JSON.stringify({ title, passages }));
    console.log(`${passages.length} passages`);
}

main(process.argv.slice(2)).catch((error) => {
    console.error(error);
    process.exit(1);
});
