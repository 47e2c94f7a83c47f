// SPDX-License-Identifier: MIT
// Runs the library away from the page's own thread. A message is {id, do, ...}; the answer is {id, answer} or
// {id, error}. While files arrive, {id, loaded, total} tells how many bytes are there.
"use strict";

importScripts("nystromformer.js", "call.js");

// The bytes of a file next to this worker. `report` hears of each piece.
async function fetchBytes(url, report) {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`${url}: the server answered ${response.status}`);
    const pieces = [];
    const reader = response.body.getReader();
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
        pieces.push(piece.value);
        report(piece.value.length);
    }
    const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
    let at = 0;
    for (const piece of pieces) {
        bytes.set(piece, at);
        at += piece.length;
    }
    return bytes;
}

let library = null;

const call = (request) => callLibrary(library, request);

// Fetches the files of a model or index and loads it; the files are not kept.
async function load({ task, files, total }, report) {
    let loaded = 0;
    const count = (bytes) => report((loaded += bytes), total);
    if (library === null) {
        const wasmBinary = await fetchBytes("nystromformer.wasm", count);
        library = await createNystromformer({ wasmBinary });
    }
    const folder = `/${task}`;
    library.FS.mkdirTree(folder);
    for (const url of files) {
        const name = url.slice(url.lastIndexOf("/") + 1);
        library.FS.writeFile(`${folder}/${name}`, await fetchBytes(url, count));
    }
    const source = task === "index" ? `${folder}/index.safetensors` : folder;
    call({ do: "load", task, folder: source });
    if (task !== "index")
        for (const url of files) library.FS.unlink(`${folder}/${url.slice(url.lastIndexOf("/") + 1)}`);
    return call({ do: "about" });
}

let queue = Promise.resolve();
self.onmessage = ({ data }) => {
    const { id, ...request } = data;
    const report = (loaded, total) => self.postMessage({ id, loaded, total });
    queue = queue
        .then(() => (request.do === "load" ? load(request, report) : call(request)))
        .then((answer) => self.postMessage({ id, answer }))
        .catch((error) => self.postMessage({ id, error: String(error.message || error) }));
};
