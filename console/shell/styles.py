"""One stylesheet out of the files in static/css, in layer order.

A file per component keeps each readable; one request keeps the page fast; nothing has to be built.
"""

import gzip
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from django.conf import settings

FIRST: Final = ("tokens.css", "base.css", "layout.css")
LAST: Final = ("pages.css", "print.css")


@dataclass(frozen=True, slots=True)
class Sheet:
    """The whole stylesheet and the digest that its address carries."""

    css: bytes
    zipped: bytes
    digest: str


def files() -> list[Path]:
    """Return the stylesheets in the order in which they are joined."""
    css = Path(settings.BASE_DIR) / "static" / "css"
    components = sorted((css / "components").glob("*.css"))
    return [css / name for name in FIRST] + components + [css / name for name in LAST]


def sheet() -> Sheet:
    return _read() if settings.DEBUG else _kept()


def _read() -> Sheet:
    css = b"\n".join(path.read_bytes() for path in files())
    return Sheet(css, gzip.compress(css, 9, mtime=0), sha256(css).hexdigest()[:16])


_kept = cache(_read)
