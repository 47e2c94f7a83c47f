#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the pages of the site into build/site-pages, and its mkdocs.yml beside them.

The documents are those of the repository. A link to a file of the tree becomes a link to a page with that
file. Each public header gets a page made of its comments and declarations.
"""
import os
import pathlib
import re
import shutil

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGES = ROOT / "build" / "site-pages"
FACES = sorted((ROOT / "include" / "nystromformer").glob("*.hpp"))
LANGUAGES = {".hpp": "cpp", ".cpp": "cpp", ".inc": "cpp", ".py": "python", ".sh": "bash", "": "bash"}
LINK = re.compile(r"(!?\[[^\]]*\])\(([^)\s]+)\)")


def documents():
    """The Markdown files of the site by their place in it."""
    pages = {"index.md": ROOT / "README.md"}
    for name in ("SECURITY.md", "CHANGELOG.md", "CONTRIBUTING.md"):
        pages[name] = ROOT / name
    for path in sorted((ROOT / "docs").glob("*.md")):
        pages[f"docs/{path.name}"] = path
    for path in sorted((ROOT / "models").glob("*/README.md")):
        pages[f"models/{path.parent.name}.md"] = path
    return pages


def relative(target, page):
    return os.path.relpath(target, pathlib.PurePath(page).parent)


class Site:
    def __init__(self):
        self.pages = documents()
        self.place_of = {path: page for page, path in self.pages.items()}
        self.sources = {}  # files of the tree that some page links to

    def target(self, path, page):
        """What a link of `page` to a file or folder of the repository becomes; None: no link."""
        if path in self.place_of:
            return relative(self.place_of[path], page)
        if path in FACES:
            return relative(f"api/{path.stem}.md", page)
        if path.suffix in (".svg", ".txt", ".json") and path.parent == ROOT / "docs":
            return relative(f"docs/{path.name}", page)
        if path.is_file():
            place = f"source/{str(path.relative_to(ROOT)).lstrip('.')}.md"  # mkdocs skips hidden folders
            self.sources[place] = path
            return relative(place, page)
        return None

    def linked(self, text, source, page):
        def replace(match):
            words, link = match.groups()
            if re.match(r"[a-z]+:|#", link):
                return match.group(0)
            name, _, anchor = link.partition("#")
            path = (source.parent / name).resolve()
            if not path.exists():
                raise SystemExit(f"{source}: {link}: no such file")
            target = self.target(path, page)
            if target is None:
                return words.strip("[]")
            return f"{words}({target}{'#' + anchor if anchor else ''})"

        parts = re.split(r"(^```.*?^```)", text, flags=re.M | re.S)
        return "".join(part if part.startswith("```") else LINK.sub(replace, part) for part in parts)

    def write(self):
        shutil.rmtree(PAGES, ignore_errors=True)
        for page, source in self.pages.items():
            put(page, self.linked(without_front_matter(source.read_text()), source, page))
        for path in FACES:
            put(f"api/{path.stem}.md", api_page(path))
        for place, path in self.sources.items():
            code = path.read_text()
            language = LANGUAGES.get(path.suffix, "text")
            put(place, f"# {path.name}\n\n`{path.relative_to(ROOT)}`\n\n````{language}\n{code}````\n")
        for path in (ROOT / "docs").iterdir():
            if path.suffix in (".svg", ".txt", ".json"):
                shutil.copy(path, PAGES / "docs" / path.name)
        put("try-it.md", TRY_IT)
        shutil.copy(ROOT / "web/site.css", PAGES)
        api = "".join(f"\n      - {path.name}: api/{path.stem}.md" for path in FACES)
        config = (ROOT / "mkdocs.yml").read_text()
        config = config.replace("- API: []", "- API:" + api)
        config = config.replace("docs_dir: build/", "docs_dir: ").replace("site_dir: build/", "site_dir: ")
        (ROOT / "build" / "mkdocs.yml").write_text(config)


TRY_IT = """# Try it

[Open the page that runs the model](try/index.html){ .md-button .md-button--primary target=_self }

The page is the library itself, compiled to WebAssembly. It fills masks, tells the mood of a review, tags parts of
speech, searches *Alice's Adventures in Wonderland* and shows one head's exact attention beside its Nyström
approximation. A model takes 15 MB. Your text stays in the page.
"""


def without_front_matter(text):
    return re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.S)


def put(page, text):
    path = PAGES / page
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


# --- The API: top-level declarations of a header, each with its comment


def declarations(lines):
    """(comment, code) of each declaration at the top level of the namespace, in order."""
    comment, i = [], 0
    while i < len(lines):
        line = lines[i]
        if line.startswith("///"):
            comment.append(line[3:].strip())
        elif line.startswith(("namespace", "}", "#", "//")) or not line.strip():
            if line.startswith("namespace detail"):
                while not lines[i].startswith("}"):
                    i += 1
            comment = []
        else:
            begin = i
            while not ends_declaration(lines[begin : i + 1]):
                i += 1
            if not re.match(r"(template <typename Scalar>|template <typename Scalar = float>)?\s*(class|struct) \w+;",
                            " ".join(lines[begin : i + 1])):
                yield comment, public_part(lines[begin : i + 1])
            comment = []
        i += 1


def ends_declaration(lines):
    text = "\n".join(re.sub(r"//.*", "", line) for line in lines).rstrip()
    return text.count("{") == text.count("}") and text.endswith((";", "}"))


def public_part(lines):
    """A declaration without what is private."""
    kept, hidden = [], False
    for line in lines:
        if re.match(r"(private|protected):", line):
            hidden = True
        elif line.startswith(("public:", "}")):
            hidden = False
        if not hidden:
            kept.append(line)
    while len(kept) > 2 and not kept[-2].strip():
        del kept[-2]
    return kept


def name_of(code):
    text = " ".join(code)
    found = re.search(r"\b(?:class|struct|enum class|concept|using)\s+(\w+)", text)
    if found and text.index(found.group(0)) < (text + "(").index("("):
        return found.group(1)
    found = re.search(r"(\w+|operator\S+)\s*\(", text)
    return found.group(1) if found else (re.search(r"(\w+)\s*[={;]", text) or [None, "?"])[1]


def prose(comment):
    text = "\n".join(comment)
    return re.sub(r"<(?=\w)", "&lt;", text)


def api_page(path):
    lines = path.read_text().split("\n")
    intro = []
    for line in lines[1:]:
        if not line.startswith("//"):
            break
        intro.append(line[2:].strip())
    page = [f"# {path.name}", "", *intro, "", "```cpp", f"#include <nystromformer/{path.name}>", "```", ""]
    for comment, code in declarations(lines):
        page += [f"## {name_of(code)}", "", prose(comment), "", "```cpp", *code, "```", ""]
    return "\n".join(page)


if __name__ == "__main__":
    Site().write()
