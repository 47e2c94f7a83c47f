// SPDX-License-Identifier: MIT
// The page: asks the worker, draws its answers.
"use strict";

const { element } = attentionView;
const byId = (id) => document.getElementById(id);
const files = (folder) => ["config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
    "model.safetensors"].map((name) => `${folder}/${name}`);

function problem(text) {
    byId("problem").textContent = text;
    byId("problem").hidden = text === "";
}

// --- The worker

const waiting = new Map(); // the answers that are still to come, by number
let worker = null;

function startWorker() {
    const oldBrowser = "This browser cannot run the page: it needs WebAssembly with 128-bit vectors and exceptions " +
        "(Chrome 95, Firefox 100, Safari 16.4 or later).";
    // (module (func (result v128) i32.const 0 i8x16.splat)), and one with a tag, which exceptions need
    const simd = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 8, 1, 6, 0, 65, 0, 253, 15, 11]);
    const tag = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 13, 3, 1, 0, 0]);
    if (typeof WebAssembly !== "object" || ![simd, tag].every((bytes) => WebAssembly.validate(bytes))) {
        problem(oldBrowser);
        return;
    }
    if (location.protocol === "file:") {
        problem("A browser does not let a page read its model from file://. Serve this folder: python3 -m http.server");
        return;
    }
    worker = new Worker("worker.js");
    worker.onmessage = ({ data }) => {
        const call = waiting.get(data.id);
        if (data.loaded !== undefined) {
            call.report(data.loaded, data.total);
            return;
        }
        waiting.delete(data.id);
        if (data.error === undefined) call.resolve(data.answer);
        else call.reject(new Error(data.error));
    };
    worker.onerror = (event) => problem(`The worker stopped: ${event.message || "its file could not be loaded"}`);
}

let lastId = 0;
function ask(request, report = () => {}) {
    return new Promise((resolve, reject) => {
        lastId += 1;
        waiting.set(lastId, { resolve, reject, report });
        worker.postMessage({ id: lastId, ...request });
    });
}

const timings = {}; // in milliseconds: when the last byte of a model arrived, and the first answer was there

// --- Models, each loaded when its tab is first opened

const tasks = { "fill-mask": "the language model", classify: "the sentiment model", tag: "the parts-of-speech model", index: "the novel" };
const loading = new Map();

async function fetchSizes() {
    const response = await fetch("files.json");
    if (!response.ok) throw new Error(`files.json: the server answered ${response.status}`);
    return response.json();
}
let sizes = null;

function load(task) {
    if (!loading.has(task)) {
        loading.set(task, startLoading(task).catch((error) => {
            loading.delete(task); // a later try may succeed
            throw error;
        }));
    }
    return loading.get(task);
}

async function startLoading(task) {
    sizes ??= fetchSizes();
    const all = await sizes;
    const wanted = task === "index" ? ["novel/index.safetensors"] : files(`models/${task}`);
    const total = [...wanted, "nystromformer.wasm"].reduce((sum, name) => sum + (all[name] ?? 0), 0);
    const bar = byId("progress");
    byId("loading").hidden = false;
    try {
        const about = await ask({ do: "load", task, files: wanted, total }, (loaded) => {
            timings.arrived = performance.now();
            bar.value = Math.min(1, loaded / total);
            byId("progress-label").textContent =
                `Loading ${tasks[task]}: ${(loaded / 1e6).toFixed(1)} of ${(total / 1e6).toFixed(1)} MB`;
        });
        byId("about").textContent = `nystromformer ${about.version}, WebAssembly, one thread`;
        return about;
    } finally {
        byId("loading").hidden = true;
    }
}

// --- Drawing

function bars(answers, label) {
    const list = element("ol", { class: "bars" });
    for (const answer of answers) {
        const percent = (100 * answer.score).toFixed(1);
        list.append(element("li", {}, element("span", { class: "word" }, label(answer)),
            element("span", { class: "track" }, element("span", { class: "bar", style: `width:${percent}%` })),
            element("span", { class: "number" }, `${percent} %`)));
    }
    return list;
}

const hues = new Map(); // of tags, in the order in which they were first seen
function hueOf(tag) {
    if (!hues.has(tag)) hues.set(tag, (hues.size * 137) % 360);
    return hues.get(tag);
}

// A text with spans of code points coloured by their tag.
function drawTags(text, entities) {
    const characters = Array.from(text);
    const answer = byId("speech-answer");
    answer.replaceChildren();
    let at = 0;
    for (const { start, end, entity_group: tag } of entities) {
        answer.append(characters.slice(at, start).join(""));
        answer.append(element("mark", { style: `--hue:${hueOf(tag)}`, title: tag },
            characters.slice(start, end).join(""), element("small", {}, tag)));
        at = end;
    }
    answer.append(characters.slice(at).join(""));
    byId("speech-legend").replaceChildren(...[...new Set(entities.map((entity) => entity.entity_group))].map((tag) =>
        element("li", {}, element("mark", { style: `--hue:${hueOf(tag)}` }, tag))));
}

let passages = null;
async function loadNovel() {
    const response = await fetch("novel/novel.json");
    if (!response.ok) throw new Error(`novel.json: the server answered ${response.status}`);
    const novel = await response.json();
    byId("novel-title").textContent = novel.title;
    passages = novel.passages;
    byId("novel").append(...passages.map((text, i) => element("p", { id: `passage-${i}` }, text)));
}

function drawHits(hits) {
    for (const marked of document.querySelectorAll("#novel .hit")) marked.classList.remove("hit");
    byId("search-answer").replaceChildren(...hits.map(({ corpus_id, score }) => {
        byId(`passage-${corpus_id}`).classList.add("hit");
        const link = element("a", { href: `#passage-${corpus_id}` }, passages[corpus_id]);
        link.addEventListener("click", (event) => {
            event.preventDefault();
            byId("novel").parentElement.open = true;
            byId(`passage-${corpus_id}`).scrollIntoView({ block: "center" });
        });
        return element("li", {}, link, element("span", { class: "number" }, score.toFixed(3)));
    }));
}

// --- Tabs and their inputs

const setting = (id) => Number(byId(id).value);

const views = {
    mask: {
        tasks: ["fill-mask"],
        async run() {
            const text = byId("mask-text").value;
            const answer = await ask({ do: "fill-mask", text, top_k: 8 });
            const masks = Array.isArray(answer[0]) ? answer : [answer];
            return () => byId("mask-answer").replaceChildren(...masks.map((one) => bars(one, (word) => word.token_str.trim())));
        },
    },
    sentiment: {
        tasks: ["classify"],
        async run() {
            const answer = await ask({ do: "classify", text: byId("sentiment-text").value });
            return () => byId("sentiment-answer").replaceChildren(bars(answer, ({ label }) => label));
        },
    },
    speech: {
        tasks: ["tag"],
        async run() {
            const text = byId("speech-text").value;
            const answer = await ask({ do: "tag", text });
            return () => drawTags(text, answer);
        },
    },
    search: {
        tasks: ["fill-mask", "index"],
        async run() {
            if (passages === null) await loadNovel();
            const hits = await ask({ do: "search", query: byId("search-text").value, top_k: 5 });
            return () => drawHits(hits);
        },
    },
    attention: {
        tasks: ["fill-mask"],
        async run() {
            const picture = await ask({
                do: "attention",
                text: byId("attention-text").value,
                layer: setting("layer") - 1,
                head: setting("head") - 1,
                num_landmarks: setting("landmarks"),
                inverse_iterations: setting("iterations"),
                inverse: setting("start") === 1 ? "sequence" : "matrix",
            });
            return () => attentionView.draw(byId("attention-answer"), picture);
        },
    },
};

// One call a view at a time; of the changes meanwhile only the last counts.
async function update(name) {
    const view = views[name];
    view.again = view.busy === true;
    if (view.again || worker === null) return;
    view.busy = true;
    try {
        for (const task of view.tasks) await load(task);
        const start = performance.now();
        const draw = await view.run();
        byId(`${name}-time`).textContent = `${Math.round(performance.now() - start)} ms`;
        problem("");
        draw();
        timings.answered ??= performance.now();
    } catch (error) {
        byId(`${name}-time`).textContent = error.message;
        if (loading.size < view.tasks.length) problem(error.message);
    } finally {
        view.busy = false;
        if (view.again) update(name);
    }
}

function select(tab) {
    for (const other of document.querySelectorAll("[role=tab]")) {
        const chosen = other === tab;
        other.setAttribute("aria-selected", String(chosen));
        other.tabIndex = chosen ? 0 : -1;
        byId(other.getAttribute("aria-controls")).hidden = !chosen;
    }
    history.replaceState(null, "", `#${tab.getAttribute("aria-controls")}`);
    update(tab.getAttribute("aria-controls"));
}

function start() {
    const tabs = [...document.querySelectorAll("[role=tab]")];
    tabs.forEach((tab, i) => {
        tab.addEventListener("click", () => select(tab));
        tab.addEventListener("keydown", (event) => {
            const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
            if (!step) return;
            const next = tabs[(i + step + tabs.length) % tabs.length];
            next.focus();
            select(next);
        });
    });
    for (const name of Object.keys(views))
        for (const input of byId(name).querySelectorAll("textarea, input"))
            input.addEventListener("input", () => {
                const shown = byId(`${input.id}-value`);
                if (shown) shown.textContent = input.id === "start" ? ["each matrix", "all heads"][setting("start")] : input.value;
                update(name);
            });
    startWorker();
    const wanted = tabs.find((tab) => `#${tab.getAttribute("aria-controls")}` === location.hash);
    select(wanted ?? tabs[0]);
}
start();
