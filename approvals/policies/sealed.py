"""Stand-ins for arguments that a tool's contract hides: what is bound, shown and stored of them.

A stand-in is HMAC-SHA-256 over pointer, a zero byte and the canonical value, with a random salt of
32 bytes as its key, written so that it is its own mask: whatever shows arguments shows it, and
nothing has to remember to hide anything. Salt and value lie in a table of their own.
"""

import hmac
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from console.kernel import canonical

SALT_BYTES: Final = 32
MARK: Final = "\u2022\u2022\u2022 sealed "
_FORM: Final = re.compile(f"{MARK}[0-9a-f]{{64}}")


def mac_of(salt: bytes, pointer: str, value: Any) -> bytes:
    """Return the 32 bytes that bind a value at a place."""
    return hmac.digest(salt, pointer.encode() + b"\x00" + canonical.dumps(value), "sha256")


def text_of(mac: bytes) -> str:
    """Return the stand-in as it takes the place of the value."""
    return f"{MARK}{mac.hex()}"


def is_sealed(value: Any) -> bool:
    """Say whether a value has the form of a stand-in."""
    return isinstance(value, str) and _FORM.fullmatch(value) is not None


def mac_in(text: str) -> bytes:
    """Return the bytes of a stand-in."""
    return bytes.fromhex(text.removeprefix(MARK))


def sealed_in(value: Any, at: str = "") -> Iterator[tuple[str, str]]:
    """Return each stand-in in a JSON value with its JSON pointer."""
    if is_sealed(value):
        yield at, value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from sealed_in(inner, f"{at}/{_escaped(str(name))}")
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from sealed_in(inner, f"{at}/{index}")


def value_at(args: Any, pointer: str) -> Any:
    """Return the value at a JSON pointer; None where there is none."""
    for part in _parts(pointer):
        if isinstance(args, list | tuple):
            args = args[int(part)] if part.isdecimal() and int(part) < len(args) else None
        else:
            args = args.get(part) if isinstance(args, Mapping) else None
    return args


def with_value(args: Mapping[str, Any], pointer: str, value: Any) -> dict[str, Any]:
    """Return a copy with another value at a JSON pointer that leads somewhere."""
    first, *rest = _parts(pointer)
    inner = args[first]
    if rest:
        value = with_value(inner, "".join(f"/{_escaped(part)}" for part in rest), value)
    return {**args, first: value}


def opened(value: Any, values: Mapping[str, Any]) -> Any:
    """Return a copy of a JSON value with what stands behind each stand-in that is known.

    Args:
        values: by stand-in.
    """
    if isinstance(value, str):
        return values.get(value, value)
    if isinstance(value, Mapping):
        return {name: opened(inner, values) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [opened(inner, values) for inner in value]
    return value


def _parts(pointer: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def _escaped(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")
