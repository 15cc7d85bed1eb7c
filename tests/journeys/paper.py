"""What stands on paper: a page printed by the browser, and the text of the PDF that comes out."""

import re
import unicodedata
import zlib
from typing import Final

from playwright.sync_api import Page

_OBJECT: Final = re.compile(rb"(\d+) 0 obj(.*?)endobj", re.DOTALL)
_STREAM: Final = re.compile(rb"stream\r?\n(.*)endstream", re.DOTALL)
_FONT: Final = re.compile(rb"/F(\d+) (\d+) 0 R")
_MAPPED: Final = re.compile(rb"/ToUnicode (\d+) 0 R")
_PIECE: Final = re.compile(rb"/F(\d+) [\d.]+ Tf|<([0-9A-Fa-f]+)>")
_MAP: Final = re.compile(rb"begin(bfchar|bfrange)(.*?)end\1", re.DOTALL)
_HEX: Final = re.compile(rb"<([0-9A-Fa-f]+)>")

# Words of the page's own content: what is a control, or for other readers only, is none of it.
_WORDS: Final = """() => {
  const not = "form, nav, dialog, summary, template, script, svg, kbd, button, .button, .tools,"
    + " .visually-hidden, .parts .cluster, [data-no-print], [data-left], [hidden]";
  const walker = document.createTreeWalker(document.getElementById("main"), NodeFilter.SHOW_TEXT);
  const words = new Set();
  while (walker.nextNode()) {
    const { data, parentElement } = walker.currentNode;
    if (parentElement.closest(not)) continue;
    for (const each of data.match(/[\\w.#]{3,}/g) ?? []) words.add(each);
  }
  return [...words].map((each) => each.toLowerCase());
}"""


def words_of(page: Page) -> list[str]:
    """Return the words that a page holds, folded ones too."""
    return page.evaluate(_WORDS)  # type: ignore[no-any-return]


def printed(page: Page) -> str:
    """Print a page, and return its text in small letters without spaces: paper breaks lines."""
    return text_of(page.pdf(format="A4")).lower()


def text_of(pdf: bytes) -> str:
    """Read as much of PDF (ISO 32000) as the browser writes: fonts that map back to characters."""
    bodies = {int(no): body for no, body in _OBJECT.findall(pdf)}
    names = {name: int(no) for name, no in _FONT.findall(pdf)}
    fonts = {name: _characters(bodies, no) for name, no in names.items()}
    text = []
    for body in bodies.values():
        font: dict[bytes, str] = {}
        for name, shown in _PIECE.findall(_unpacked(body)):
            if name:
                font = fonts.get(name, {})
            elif font:
                size = len(next(iter(font)))
                codes = (shown[at : at + size].upper() for at in range(0, len(shown), size))
                text += [font.get(code, "") for code in codes]
    return unicodedata.normalize(
        "NFKC", "".join("".join(text).split())
    )  # letters that are one glyph


def _unpacked(body: bytes) -> bytes:
    found = _STREAM.search(body)
    if found is None or b"/FlateDecode" not in body or b"/Subtype /Image" in body:
        return b""
    return zlib.decompressobj().decompress(found[1])


def _characters(bodies: dict[int, bytes], font: int) -> dict[bytes, str]:
    found = _MAPPED.search(bodies.get(font, b""))
    if found is None:
        return {}
    characters = {}
    for kind, lines in _MAP.findall(_unpacked(bodies[int(found[1])])):
        values = _HEX.findall(lines)
        if kind == b"bfchar":
            for code, char in zip(values[::2], values[1::2], strict=True):
                characters[code.upper()] = _text(char)
            continue
        for first, last, char in zip(values[::3], values[1::3], values[2::3], strict=True):
            width = len(first)
            for offset in range(int(last, 16) - int(first, 16) + 1):
                code = f"{int(first, 16) + offset:0{width}X}".encode()
                characters[code] = chr(int(char, 16) + offset)
    return characters


def _text(char: bytes) -> str:
    return bytes.fromhex(char.decode()).decode("utf-16-be")
