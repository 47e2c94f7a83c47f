#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Makes each package as docs/packages.md says, in clean folders below build/packaging, and uses it from a stranger's
# project (packaging/consumer). It runs the very lines of that page, on an archive of the last commit.
#   packaging/test.sh [STEP...]     all steps by default
# No step needs a network but for packages of Debian and PyPI. The step `debian` installs its packages, and purges them.
set -uo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
out=$root/build/packaging
steps="archive cpm find_package vcpkg conan debian static_program static_aarch64 container"

version=$(sed -n 's/^project(nystromformer VERSION \([0-9.]*\).*/\1/p' "$root/CMakeLists.txt")
archive=$out/nystromformer-$version.tar.gz
source=$out/nystromformer-$version
model=$root/models/nystromformer-small-en
text="She opened the [MASK] and walked into the garden."
# The steps compile the same sources with the same flags, in folders of the same depth: a cache compiles them once.
export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1
cache=$(command -v ccache || true)

# --- The page

# lines HEADING LANGUAGE [N]: the Nth block of this language below the heading, with what is at hand here in place of
# what a user fills in.
lines() {
    awk -v heading="## $1" -v fence="\`\`\`$2" -v n="${3:-1}" '
        /^## / { inside = $0 == heading }
        inside && $0 == fence { printing = ++count == n; next }
        /^```$/ { printing = 0 }
        printing' "$root/docs/packages.md" |
        sed -e "s|https://your.host/nystromformer.git|file://$out/mirror.git|g" -e "s|https://your.host|file://$out|g" \
            -e "s|<hash>|$(sha256sum "$archive" | cut -d ' ' -f 1)|g" \
            -e "s|<commit>|$(git -C "$root" rev-parse HEAD)|g" | grep . || { echo "no such lines: $*" >&2; exit 1; }
}

# run HEADING [N]: the shell's lines, in the folder of the sources.
run() {
    local script
    script=$(lines "$1" sh "${2:-1}")
    echo "$script"
    cd "$source"
    eval "$script"
}

# --- The stranger

# stranger NAME HEADING [N]: a project in $out/NAME that gets the library by CMake's lines.
stranger() {
    rm -rf "${out:?}/$1"
    cp -r "$root/packaging/consumer" "$out/$1"
    lines "$2" cmake "${3:-1}" >"$out/$1/library.cmake"
}

# answers NAME TARGET [CMAKE_OPTION...]: builds the project with a target of the library, and looks at its answer.
# From headers alone the tokenizer has to do: tests/package compiles pipelines so.
answers() {
    local consumer=fill_mask answer=door
    [ "$2" = compiled ] || consumer=tokens answer="7 tokens"
    cmake -G Ninja -S "$out/$1" -B "$out/$1/build" -DCMAKE_CXX_COMPILER_LAUNCHER="$cache" \
        -DCONSUMER=$consumer -DCONSUMER_TARGET="nystromformer::$2" "${@:3}"
    cmake --build "$out/$1/build"
    says "$answer" "$out/$1/build/consumer"
}
# says ANSWER PROGRAM
says() {
    "$2" "$model" | tee /dev/stderr | grep -qx "nystromformer $version: $1"
}

# --- The steps

# Of the last commit, and small; fetched by its address, by git, and as a folder in the project.
step_archive() {
    [ "$(stat -c %s "$archive")" -lt 2000000 ]
    stranger fetch FetchContent
    answers fetch nystromformer -DFETCHCONTENT_BASE_DIR="$out/fetched"
    stranger subdirectory add_subdirectory
    mkdir "$out/subdirectory/third_party"
    ln -s "$source" "$out/subdirectory/third_party/nystromformer"
    answers subdirectory nystromformer
    git init --quiet --bare "$out/mirror.git"
    git -C "$out/mirror.git" fetch --quiet "$root" HEAD:refs/heads/main
    stranger clone FetchContent 2
    cmake -G Ninja -S "$out/clone" -B "$out/clone/build" -DCONSUMER=tokens -DCONSUMER_TARGET=nystromformer::nystromformer # the same sources: there is nothing new to compile
    rm -rf "$out/mirror.git"
}

step_cpm() {
    stranger cpm CPM
    mkdir "$out/cpm/cmake"
    cp "${CPM:-$root/packaging/cpm/stand_in.cmake}" "$out/cpm/cmake/CPM.cmake"
    answers cpm nystromformer -DFETCHCONTENT_BASE_DIR="$out/fetched"
}

# Installed where the page says, then moved: find_package and pkg-config must find it there.
step_find_package() {
    rm -rf "$out/home" "$out/moved"
    HOME=$out/home run find_package
    mv "$out/home" "$out/moved"
    stranger installed find_package
    answers installed nystromformer -DCMAKE_PREFIX_PATH="$out/moved/.local"
    mv "$out/installed/tokens.cpp" "$out/installed/main.cpp"
    source=$out/installed HOME=$out/moved run pkg-config
    says "7 tokens" "$out/installed/main"
}

# `vcpkg install` of the page reaches the stand-in. The folders are as deep as those of tests/package, whose compiled
# library comes from the cache.
vcpkg() {
    local port=${2%%\[*} features=${2#"${2%%\[*}"}
    features=${features#\[} features=${features%\]}
    cmake -D PORT="$port" -D FEATURES="${features//,/;}" -D OVERLAY="$source/${3#--overlay-ports=}" \
        -D BUILDTREES="$source/build/vcpkg" -D INSTALLED="$out/vcpkg-installed" -D LAUNCHER="$cache" \
        -P "$root/packaging/vcpkg/stand_in.cmake"
}
step_vcpkg() {
    local target
    stranger vcpkg vcpkg
    for target in nystromformer compiled; do
        run vcpkg "$([ $target = compiled ] && echo 2 || echo 1)"
        rm -rf "$out/vcpkg/build"
        answers vcpkg $target -DCMAKE_PREFIX_PATH="$out/vcpkg-installed"
    done
}

# With its own home, without a remote, on Debian's Eigen and json.
step_conan() {
    local conan=$root/build/conan-venv
    tools/install_packages.sh python3-venv
    cmp -s "$root/packaging/conan/requirements.txt" "$conan/complete" || {
        rm -rf "$conan" && python3 -m venv "$conan"
        "$conan/bin/pip" install --quiet -r "$root/packaging/conan/requirements.txt"
        cp "$root/packaging/conan/requirements.txt" "$conan/complete"
    }
    export PATH=$conan/bin:$PATH CONAN_HOME=$out/conan-home
    rm -rf "$CONAN_HOME"
    conan profile detect
    conan remote disable "*"
    conan create "$root/packaging/conan/system" --name eigen --version 3.4.0
    conan create "$root/packaging/conan/system" --name nlohmann_json --version 3.11.2
    echo "tools.cmake.cmaketoolchain:generator = Ninja" >>"$CONAN_HOME/global.conf"
    # Quicker to compile.
    sed -i s/build_type=Release/build_type=Debug/ "$CONAN_HOME/profiles/default"
    echo 'tools.build:cxxflags = ["-g0"]' >>"$CONAN_HOME/global.conf"
    run Conan
    run Conan 2
}

installed_packages() {
    dpkg-query --show --showformat='${Package}\n' 'nystromformer*' 'libnystromformer*' 2>/dev/null
}
as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}
field() {
    dpkg-deb --field "$(echo "$packages/$1"_*.deb)" "$2"
}

# What a new zsh shows when a line is typed and completed: it takes a terminal.
zsh_completes() {
    zsh -f -c 'zmodload zsh/zpty && zpty shell zsh -f -i
        zpty -w shell "autoload -Uz compinit; compinit -u -D; stty -echo" && sleep 2
        zpty -w -n shell "$1"$'"'\\t'"' && sleep 2
        while zpty -r -t shell line; do print -r -- "$line"; done' zsh "$1"
}

step_debian() {
    local packages=$source/build/debian/packages package maintainer
    tools/install_packages.sh lintian dpkg-dev fish zsh man-db pkg-config
    [ -z "$(installed_packages)" ] || { echo "packages of nystromformer are installed here" && exit 1; }
    maintainer=$(git -C "$root" log -1 --format='%an <%ae>')
    SOURCE_DATE_EPOCH=$(git -C "$root" log -1 --format=%ct)
    export SOURCE_DATE_EPOCH
    rm -rf build/debian
    run Debian
    [ "$(echo "$packages"/*.deb | wc -w)" -eq 2 ]
    [ -z "$(field nystromformer Recommends)" ] # no model is promised

    # Now with a model, of which an archive has none (three would keep lintian busy for minutes), and a maintainer
    # whose address may exist.
    mkdir models
    cp -r "$model" models
    rm -rf "$packages"
    cmake --preset debian -DNYSTROMFORMER_DEB_MAINTAINER="$maintainer" -DNYSTROMFORMER_INSTALL_MODELS=ON
    cmake --build --preset debian
    cpack --preset debian
    rm -r models
    for package in nystromformer libnystromformer-dev nystromformer-models; do
        dpkg-deb --info "$packages/$package"_*.deb
        [ "$(field $package Description | head -1 | wc -m)" -le 80 ]
    done
    field nystromformer Depends | grep libc6
    field nystromformer Recommends | grep -x nystromformer-models
    field libnystromformer-dev Depends | grep libeigen3-dev | grep nlohmann-json3-dev
    lintian --version
    lintian --info --fail-on error,warning,info --suppress-tags initial-upload-closes-no-bugs "$packages"/*.deb

    trap 'as_root dpkg --purge $(installed_packages)' EXIT
    as_root apt-get install -qq -y "$packages"/*.deb
    cd / # no model below
    nystromformer fill-mask --json --model nystromformer-small-en "$text" | grep '"token_str":"door"'
    man -w nystromformer
    man nystromformer | grep -q 'nystromformer fill-mask'
    bash -c 'source /usr/share/bash-completion/completions/nystromformer
        COMP_WORDS=(nystromformer fill-mask --top); COMP_CWORD=2; _nystromformer; echo "${COMPREPLY[@]}"' | grep -x -- --top-k
    fish -c 'complete -C "nystromformer fill-mask --top"' | grep -- --top-k
    zsh_completes "nystromformer fill-mask --top" | grep -- --top-k
    stranger debian find_package
    answers debian nystromformer
    # shellcheck disable=SC2046
    g++ -std=c++20 "$out/debian/fill_mask.cpp" $(pkg-config --cflags --libs nystromformer-compiled) -o "$out/debian/main"
    says door "$out/debian/main"
}

# --- The static program

# alone PROGRAM: small, and of its own.
alone() {
    ls -l "$1"
    [ "$(stat -c %s "$1")" -lt 8000000 ]
    [ -z "$(readelf --wide --program-headers "$1" | grep INTERP)" ]
    [ -z "$(readelf --wide --dynamic "$1" | grep NEEDED)" ]
    [ -z "$(readelf --wide --sections "$1" | grep -F .symtab)" ]
    readelf --wide --notes "$1" | grep "OS: Linux"
}

# The same answers as the ordinary program's, with any number of threads, in a root folder that holds nothing else.
step_static_program() {
    local empty=$out/empty-root threads program=$source/build/release/bin/nystromformer
    local enter=("$(PATH=$PATH:/usr/sbin command -v chroot)" "$empty")
    [ "$(id -u)" -eq 0 ] || enter=("$(command -v unshare)" --map-root-user "${enter[@]}")
    enter=(env -i "${enter[@]}")
    run "Static program"
    alone "build/static-$(uname -m)/install/bin/nystromformer"
    cmake --preset release
    cmake --build --preset release --target nystromformer_program
    rm -rf "$empty"
    mkdir "$empty"
    cp "build/static-$(uname -m)/install/bin/nystromformer" "$empty"
    cp -r "$model" "$empty/model"
    "${enter[@]}" /nystromformer --version
    for threads in 1 2 8; do
        "${enter[@]}" /nystromformer fill-mask --json --threads $threads --model /model "$text" "A [MASK] barked." >"$out/static.jsonl"
        "$program" fill-mask --json --threads $threads --model "$model" "$text" "A [MASK] barked." | cmp - "$out/static.jsonl"
        grep -q '"token_str":"door"' "$out/static.jsonl"
        "${enter[@]}" /nystromformer embed --json --threads $threads --model /model "$text" "Two texts." >"$out/static.jsonl"
        "$program" embed --json --threads $threads --model "$model" "$text" "Two texts." | cmp - "$out/static.jsonl"
    done
    # An exception finds its way, and the message is written.
    if "${enter[@]}" /nystromformer fill-mask --model /nothing "$text" 2>"$out/static.err"; then exit 1; fi
    grep /nothing "$out/static.err"
}

# By the cross compiler, under qemu: the same tokens in the same order. Another CPU rounds scores otherwise.
step_static_aarch64() {
    local program=build/static-aarch64/install/bin/nystromformer
    run "Static program" 2
    alone $program
    qemu-aarch64 $program --version
    env -i qemu-aarch64 $program fill-mask --json --threads 2 --model "$model" "$text" >"$out/aarch64.jsonl"
    cat "$out/aarch64.jsonl"
    grep -o '"token_str":"[a-z]*"' "$out/aarch64.jsonl" | head -3 | tr -d '\n' |
        grep -x '"token_str":"door""token_str":"window""token_str":"room"'
}

# The page's `docker` is Debian's buildah, which needs no daemon. It runs the image's entry point as its user.
docker() {
    local buildah=(buildah --storage-driver vfs --root "$out/images" --runroot "$out/images-run")
    local isolated=(--isolation chroot)
    case "$1" in
        build) "${buildah[@]}" build "${isolated[@]}" "${@:2}" ;;
        run)
            local volume=$5 container entry
            [ "$2 $3 $4" = "--rm -i -v" ]
            container=$("${buildah[@]}" from "$6")
            entry=$("${buildah[@]}" inspect --format '{{index .OCIv1.Config.Entrypoint 0}}' "$container")
            "${buildah[@]}" run "${isolated[@]}" -v "$volume" "$container" -- "$entry" "${@:7}"
            "${buildah[@]}" rm "$container" ;;
    esac
}
step_container() {
    tools/install_packages.sh buildah
    run Container
    ln -sfn "$root/models" models
    run Container 2 | tee "$out/container.jsonl"
    rm models
    grep '"token_str":"dog"' "$out/container.jsonl"
}

# --- Running them

main() {
    mkdir -p "$out"
    "$root/tools/install_packages.sh" g++ cmake ninja-build ccache git libeigen3-dev nlohmann-json3-dev libcli11-dev
    git -C "$root" diff --quiet HEAD || echo "The last commit is packed: what is not committed is left out."
    # The page's own line makes the archive.
    (source=$root && set -e && run "Release archive" && mv "$(basename "$archive")" "$archive") >"$out/pack.log" 2>&1 ||
        { cat "$out/pack.log"; exit 1; }
    mkdir -p "$source"
    find "$source" -mindepth 1 -maxdepth 1 ! -name build -exec rm -r {} + # what was built is a start for the next time
    tar -xf "$archive" -C "$source" --strip-components 1

    local failed="" step start
    for step in ${*:-$steps}; do
        start=$SECONDS
        (set -eo pipefail; cd "$source"; "step_$step") >"$out/$step.log" 2>&1
        if [ $? -eq 0 ]; then
            echo "$step: good, $((SECONDS - start)) s"
        else
            failed+=" $step"
            tail -n 60 "$out/$step.log"
            echo "$step: FAILED, see build/packaging/$step.log"
        fi
    done
    [ -z "$failed" ] || { echo "failed:$failed"; exit 1; }
}
main "$@"
