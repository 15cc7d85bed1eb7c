"""The operator's manual: Markdown files of this package, rendered once."""

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import nh3
from django.utils.safestring import SafeString
from markdown_it import MarkdownIt

from audit import events
from console.accounts.states import PERMISSIONS_OF, Permission, Role
from console.kernel.errors import ConsoleError

FOLDER: Final = Path(__file__).resolve().parent / "manual"
TAGS: Final = {
    *("h2", "h3", "p", "ul", "ol", "li", "a", "code", "pre", "strong", "em", "kbd"),
    *("table", "thead", "tbody", "tr", "th", "td", "blockquote", "hr", "br"),
}


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the manual."""

    slug: str
    title: str
    html: SafeString


@cache
def pages() -> dict[str, Page]:
    """Return every page by slug, in reading order (the number that starts its file name)."""
    found = [_page(path) for path in sorted(FOLDER.glob("*.md"))]
    return {page.slug: page for page in found}


def _page(path: Path) -> Page:
    text = path.read_text(encoding="utf-8")
    title, _, body = text.partition("\n")
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    # nh3 stands behind the renderer: what it lets through is the whole list of what may appear.
    clean = nh3.clean(markdown.render(body), tags=TAGS, attributes={"a": {"href"}}, link_rel=None)
    slug = re.sub(r"^\d+-", "", path.stem)
    return Page(slug, title.lstrip("# ").strip(), SafeString(clean))


@dataclass(frozen=True, slots=True)
class Word:
    """A name that never changes, and what it means."""

    name: str
    text: str
    more: str


def event_words() -> list[Word]:
    """Return every event that the trail can hold; its docstring is its documentation."""
    return [
        Word(event.name, inspect.cleandoc(event.__doc__ or ""), str(event.kind))
        for event in events.catalogue()
    ]


def code_words() -> list[Word]:
    """Return every code of a refusal, with the status it is answered with."""
    found = {
        kind.code: Word(kind.code, inspect.cleandoc(kind.__doc__ or ""), str(kind.kind.value))
        for kind in _below(ConsoleError)
    }
    return [found[code] for code in sorted(found)]


def permission_words() -> list[Word]:
    """Return every permission, with the roles that hold it."""
    return [
        Word(permission.value, "", ", ".join(role.value for role in _holders(permission)))
        for permission in Permission
    ]


def _holders(permission: Permission) -> list[Role]:
    return [role for role, held in PERMISSIONS_OF.items() if permission in held]


def _below(kind: type[ConsoleError]) -> Iterator[type[ConsoleError]]:
    for child in kind.__subclasses__():
        yield child
        yield from _below(child)
