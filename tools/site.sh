#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds the site into build/site, with the page that runs the model in build/site/try, and serves it.
#   tools/site.sh            builds, then serves at http://127.0.0.1:8000
#   tools/site.sh --build    builds only
#   tools/site.sh --page     builds the page alone, into build/site/try
# Needs Debian 12's emscripten, node-acorn, python3-venv, Eigen and nlohmann_json, which it installs if it is root.
set -euo pipefail
cd "$(dirname "$0")/.."

tools/install_packages.sh emscripten node-acorn nodejs python3-venv cmake ninja-build libeigen3-dev nlohmann-json3-dev

venv=build/site-venv
if ! cmp -s tools/site.txt "$venv/requirements.txt"; then
    rm -rf "$venv" && python3 -m venv "$venv" && "$venv/bin/pip" install --quiet -r tools/site.txt
    cp tools/site.txt "$venv/requirements.txt"
fi

# The page that runs the model, into the folder $1.
page() {
    export NODE_PATH=/usr/share/nodejs # where Emscripten's optimiser finds acorn
    cmake --preset wasm && cmake --build --preset wasm
    local try=$1 module=build/wasm/web task
    rm -rf "$try" && mkdir -p "$try/models"
    cp web/page/* "$module/nystromformer.js" "$module/nystromformer.wasm" "$try"
    for task in fill-mask: classify:-sentiment tag:-tags; do
        "$venv/bin/python" web/int8_weights.py "models/nystromformer-small-en${task#*:}" "$try/models/${task%%:*}"
    done
    node web/make_index.js "$module" "$try/models/fill-mask" web/alice.txt "Alice's Adventures in Wonderland" "$try/novel"
    "$venv/bin/python" - "$try" <<'END'
import json, pathlib, sys
folder = pathlib.Path(sys.argv[1])
sizes = {str(path.relative_to(folder)): path.stat().st_size for path in sorted(folder.rglob("*")) if path.is_file()}
(folder / "files.json").write_text(json.dumps(sizes))
END
}

if [ "${1:-}" = "--page" ]; then
    page build/site/try
    exit
fi
"$venv/bin/python" tools/site_pages.py
page build/site-pages/try
NO_MKDOCS_2_WARNING=1 "$venv/bin/mkdocs" build --strict --quiet --config-file build/mkdocs.yml
echo "build/site: $(du -sh build/site | cut -f 1)"
[ $# -gt 0 ] || exec "$venv/bin/python" -m http.server --directory build/site --bind 127.0.0.1 8000
