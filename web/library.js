// SPDX-License-Identifier: MIT
// The WebAssembly module in Node: const { call, put, FS } = await open("build/wasm/web").
"use strict";

const fs = require("fs");
const path = require("path");
const { callLibrary } = require("./page/call.js");

async function open(folder) {
    const create = require(path.resolve(folder, "nystromformer.js"));
    const module = await create({ wasmBinary: fs.readFileSync(path.join(folder, "nystromformer.wasm")) });
    const call = (request) => callLibrary(module, request);
    // Copies the files of a model's folder to /TASK and loads them.
    const load = (task, source) => {
        module.FS.mkdirTree(`/${task}`);
        for (const name of fs.readdirSync(source))
            module.FS.writeFile(`/${task}/${name}`, fs.readFileSync(path.join(source, name)));
        return call({ do: "load", task, folder: `/${task}` });
    };
    return { call, load, FS: module.FS };
}

module.exports = { open };
