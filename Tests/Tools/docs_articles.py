"""Makes a catalog of articles for DocC from the two walks of Specs/architecture.md.

usage: docs_articles.py ARCHITECTURE GRAPHS CATALOG MODULE...

A file that a walk names becomes code, and a link to the public type of the same name where there is one, so that a walk
that names what is gone does not build.
"""
import json
import pathlib
import re
import sys

architecture, graphs, catalog = map(pathlib.Path, sys.argv[1:4])
modules = sys.argv[4:]
walks = ("A content, from", "A stranger's invite")


def public_types():
    """The module of each public type, by the type's name."""
    found = {}
    for module in modules:
        for symbol in json.loads((graphs / module / f"{module}.symbols.json").read_text())["symbols"]:
            path = symbol["pathComponents"]
            if len(path) == 1 and symbol["kind"]["identifier"].split(".")[1] in ("struct", "class", "enum", "protocol"):
                found.setdefault(path[0], module)
    return found


def article(text):
    """A walk in DocC's words; a file that is named exists."""
    def link(match):
        name, target = match.groups()
        if not target.startswith("../"):
            return name
        file = architecture.parent / target
        if not file.is_file():
            sys.exit(f"{architecture}: there is no {target}")
        kind = file.stem.split("+")[0]
        return f"`{name}`" + (f" (``/{types[kind]}/{kind}``)" if kind in types else "")

    return re.sub(r"\[([^]]+)\]\(([^)]+)\)", link, text)


types = public_types()
catalog.mkdir(parents=True, exist_ok=True)
names = []
for section in re.split(r"^## ", architecture.read_text(), flags=re.M)[1:]:
    title, body = section.split("\n", 1)
    if not title.startswith(walks):
        continue
    names.append("walk-" + re.sub(r"[^a-z]+", "-", title.lower().replace("`", "").replace("'", "")).strip("-"))
    (catalog / f"{names[-1]}.md").write_text(f"# {title.replace('`', '')}\n\n{article(body).strip()}\n")
if len(names) != len(walks):
    sys.exit(f"{architecture}: {len(names)} walks, expected {len(walks)}")
root = ["# chat-framework", "", "@Metadata {", "    @TechnologyRoot", "}", "",
        "A chat protocol is five choices: how a message travels through the modules.", "", "## Topics", "", "### Walks", ""]
root += [f"- <doc:{name}>" for name in names]
(catalog / "chat-framework.md").write_text("\n".join(root) + "\n")
