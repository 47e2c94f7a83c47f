// SPDX-License-Identifier: MIT
// Draws what `nystromformer attention` computes: exact attention beside its Nystrom approximation. The page and the
// file that the command writes both use it; it needs nothing else.
"use strict";

const attentionView = (() => {
    const scale = 1e5; // of the matrices' whole numbers

    function element(name, attributes = {}, ...children) {
        const node = document.createElement(name);
        for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
        node.append(...children);
        return node;
    }

    const spelled = (token) => token.replaceAll("\u2581", "").trim() || "\u2423";

    // White to blue for weights up to `largest`; red for negative ones, which only the approximation has.
    function colour(weight, largest, dark) {
        const share = Math.sqrt(Math.min(1, Math.abs(weight) / largest));
        const ground = dark ? [24, 26, 32] : [255, 255, 255];
        const ink = weight < 0 ? (dark ? [255, 120, 110] : [200, 30, 30]) : dark ? [120, 190, 255] : [10, 70, 170];
        return ground.map((from, i) => Math.round(from + (ink[i] - from) * share));
    }

    function matrixCanvas(rows, largest, label, onCell) {
        const n = rows.length;
        const canvas = element("canvas", { role: "img", "aria-label": label, tabindex: "0" });
        canvas.width = canvas.height = n;
        const dark = matchMedia("(prefers-color-scheme: dark)").matches;
        const context = canvas.getContext("2d");
        const image = context.createImageData(n, n);
        rows.forEach((row, i) =>
            row.forEach((weight, j) => image.data.set([...colour(weight / scale, largest, dark), 255], 4 * (i * n + j))),
        );
        context.putImageData(image, 0, 0);
        const cellOf = (event) => {
            const box = canvas.getBoundingClientRect();
            const at = (value, size) => Math.max(0, Math.min(n - 1, Math.floor((value / size) * n)));
            return [at(event.clientY - box.top, box.height), at(event.clientX - box.left, box.width)];
        };
        canvas.addEventListener("pointermove", (event) => onCell(...cellOf(event)));
        let cell = [0, 0];
        canvas.addEventListener("keydown", (event) => {
            const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
            if (!step) return;
            event.preventDefault();
            cell = cell.map((at, i) => Math.max(0, Math.min(n - 1, at + step[i])));
            onCell(...cell);
        });
        return canvas;
    }

    // The tokens in reading order, each landmark's segment on a ground of its own.
    function segmentStrip(picture) {
        const strip = element("p", { class: "segments" });
        const segments = picture.uses_landmarks ? picture.segments : picture.tokens.map((_, i) => [i, i + 1]);
        segments.forEach(([first, last], i) => {
            const title = picture.uses_landmarks ? `landmark ${i + 1}: the mean of ${last - first} tokens` : "";
            const words = picture.tokens.slice(first, last).map((token, j) =>
                element("span", { class: "token", "data-token": first + j }, spelled(token)));
            const spaced = words.flatMap((word) => [word, " "]); // a line may break between any two
            strip.append(element("span", { class: `segment segment-${i % 2}`, title }, ...spaced));
        });
        return strip;
    }

    function wordList(title, words) {
        const list = element("ol", {});
        for (const { token_str, score } of words) {
            const bar = element("span", { class: "bar", style: `width:${(100 * score).toFixed(1)}%` });
            list.append(element("li", {}, element("span", { class: "word" }, token_str.trim()),
                element("span", { class: "track" }, bar), element("span", { class: "number" }, (100 * score).toFixed(1) + " %")));
        }
        return element("div", { class: "words" }, element("h4", {}, title), list);
    }

    function measures(picture) {
        const rows = picture.uses_landmarks
            ? [
                  ["Error of this head, relative", picture.error.toPrecision(3)],
                  ["How far the inverse is from one, \u2016kernel\u2082 Z \u2212 I\u2016", picture.residual.toPrecision(3)],
                  ["Cosine of the tokens' last states, mean", picture.cosine_mean.toFixed(4)],
                  ["the worst", picture.cosine_min.toFixed(4)],
              ]
            : [["This text has no more tokens than landmarks", "attention is exact"]];
        const list = element("dl", { class: "measures" });
        for (const [name, value] of rows) list.append(element("dt", {}, name), element("dd", {}, value));
        return list;
    }

    // Puts the picture into `target` in place of what was there.
    function draw(target, picture) {
        const largest = picture.exact.reduce((most, row) => Math.max(most, ...row), 0) / scale || 1;
        const cell = element("p", { class: "cell", role: "status" }, "Point at a cell, or use the arrow keys.");
        const strip = segmentStrip(picture);
        const show = (i, j) => {
            const [from, to] = [picture.tokens[i], picture.tokens[j]].map(spelled);
            const [exact, nystrom] = [picture.exact, picture.nystrom].map((rows) => (rows[i][j] / scale).toFixed(4));
            cell.textContent = `${from} \u2192 ${to}: exact ${exact}, Nystr\u00f6m ${nystrom}`;
            for (const word of strip.querySelectorAll(".token"))
                word.classList.toggle("pointed", [i, j].includes(Number(word.dataset.token)));
        };
        const figure = (rows, caption) =>
            element("figure", {}, matrixCanvas(rows, largest, caption, show), element("figcaption", {}, caption));
        const caption = picture.uses_landmarks
            ? `Nystr\u00f6m, ${picture.num_landmarks} landmarks, ${picture.inverse_iterations} steps of the inverse`
            : "Nystr\u00f6m: the same";
        target.replaceChildren(
            element("div", { class: "matrices" }, figure(picture.exact, "Exact, softmax(q k\u1d40)"), figure(picture.nystrom, caption)),
            cell,
            strip,
            measures(picture),
        );
        if (picture.exact_words.length > 0)
            target.append(element("div", { class: "answers" }, wordList("Exact", picture.exact_words),
                wordList("Nystr\u00f6m", picture.nystrom_words)));
    }

    return { draw, element };
})();
