// SPDX-License-Identifier: MIT
// A call of the WebAssembly module, for the worker and for Node.
"use strict";

// The answer to a request; throws what the library threw.
function callLibrary(library, request) {
    const answer = JSON.parse(library.ccall("nystromformer_call", "string", ["string"], [JSON.stringify(request)]));
    if (answer.refusal !== undefined) throw new Error(answer.refusal);
    return answer;
}

if (typeof module === "object") module.exports = { callLibrary };
