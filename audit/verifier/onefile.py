"""`verify.py` and `verify.html`: their parts in one file each, as they leave this house.

Written apart so that each part can be read and tested by itself; joined so that whoever checks us
needs one file, Python, and nothing of ours. `python -m audit.verifier` prints it.
"""

import ast
import base64
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
PARTS: Final = ("ed25519", "signed", "paths", "files", "findings", "contents", "check", "command")
OURS: Final = "audit."
PAGE: Final = HERE / "page"
SCRIPTS: Final = ("words", "bytes", "ed25519", "signed", "tree", "zip", "check", "shown")


@cache
def verify_py() -> str:
    """Return the source: the last part's docstring, every import of the library once, all parts."""
    sources = [(name, (HERE / f"{name}.py").read_text(encoding="utf-8")) for name in PARTS]
    trees = {name: ast.parse(source) for name, source in sources}
    imports: set[str] = set()
    for tree in trees.values():
        imports |= {ast.unparse(node) for node in tree.body if _is_import(node)}
    foreign = [one for one in imports if f"from {OURS}" not in one and "__future__" not in one]
    wanted = sorted(foreign, key=lambda one: (one.startswith("from"), one))
    parts = [
        f"# -- {ast.get_docstring(trees[name])}\n\n{_body(source, trees[name])}"
        for name, source in sources[:-1]
    ]
    name, source = sources[-1]
    head = f'"""{ast.get_docstring(trees[name], clean=False)}"""\n\n'
    future = "from __future__ import annotations\n\n"
    rest = _body(source, trees[name])
    return head + future + "\n".join(wanted) + "\n\n" + "\n\n".join([*parts, rest])


@cache
def verify_html() -> str:
    """Return the page with its style and script in it, whose policy lets these run and no other."""
    page, style, *scripts = (
        (PAGE / name).read_text(encoding="utf-8")
        for name in ("verify.html", "style.css", *(f"{name}.js" for name in SCRIPTS))
    )
    script = '"use strict";\n(() => {\n' + "\n".join(scripts) + "})();\n"
    # What stands between the tags is what a browser hashes.
    sources = {"style": _source(f"\n{style}    "), "script": _source(f"\n{script}    ")}
    for name, source in sources.items():
        page = page.replace(f"{{{name}-source}}", source)
    return page.replace("{style}", style).replace("{script}", script)


def _source(text: str) -> str:
    """Return how a content security policy names a text that may run."""
    return f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'"


def _is_import(node: ast.stmt) -> bool:
    return isinstance(node, ast.Import | ast.ImportFrom)


def _body(source: str, tree: ast.Module) -> str:
    """Return what follows a part's docstring and imports, comments between them included."""
    last = max(node.end_lineno or 0 for node in tree.body if _is_import(node))
    return "\n".join(source.split("\n")[last:]).strip() + "\n"
