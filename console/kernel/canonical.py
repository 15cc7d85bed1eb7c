"""One canonical form of JSON, so that equal values have equal bytes and equal digests.

RFC 8785 (JCS), narrowed: no floats, integers within plus or minus 2^53 - 1, no lone surrogates, no
U+0000, text keys without duplicates, at most 16 levels deep. Nothing is normalised: what was
agreed to is compared byte for byte.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from typing import Any, Final, cast

from console.kernel.errors import ConsoleError, Refusal

MAX_DEPTH = 16
MAX_INTEGER = 2**53 - 1  # what every JSON reader keeps exactly (RFC 7493, section 2.2)

_SORTED: Final = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), allow_nan=False, sort_keys=True, check_circular=False
)
_IN_ORDER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


class NotCanonical(ConsoleError):
    """A value has no canonical form."""

    code = "canonical.refused"
    kind = Refusal.INVALID


def dumps(value: object) -> bytes:
    """Return the canonical UTF-8 bytes of a JSON value.

    Raises:
        NotCanonical: the value holds something that the profile leaves out.
    """
    if _is_simple(value, 0):
        with suppress(UnicodeEncodeError):  # half a character: the careful way says what is wrong
            raw = _SORTED.encode(value).encode("utf-8")
            if b"\\u0000" not in raw:  # a NUL, or a backslash before the text u0000
                return raw
    return _IN_ORDER.encode(_checked(value, depth=0)).encode("utf-8")


def _is_simple(value: object, depth: int) -> bool:
    """Tell whether the encoder's own order of keys is right: nearly always, and much faster.

    Exact types only, and keys in ASCII, where code points and UTF-16 code units sort alike. What
    texts hold is left to the caller; a False only means that the careful way must look.
    """
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return True
    if kind is int:
        return -MAX_INTEGER <= cast(int, value) <= MAX_INTEGER
    if depth >= MAX_DEPTH:
        return False
    if kind is dict:
        return _is_simple_object(cast(dict[object, object], value), depth + 1)
    return (kind is list or kind is tuple) and all(
        _is_simple(item, depth + 1) for item in cast(Sequence[object], value)
    )


def _is_simple_object(value: dict[object, object], depth: int) -> bool:
    for key, item in value.items():
        if type(key) is not str or not key.isascii():
            return False
        if type(item) is not str and not _is_simple(item, depth):
            return False
    return True


def digest(value: object) -> bytes:
    """Return the 32-byte SHA-256 of the canonical bytes of `value`."""
    return sha256(dumps(value)).digest()


def loads(raw: bytes | str) -> Any:
    """Read JSON strictly: duplicate keys, floats and NaN are refused.

    Raises:
        NotCanonical: the text is no JSON of the profile.
    """
    try:
        text = raw.decode("utf-8") if isinstance(raw, bytes) else raw
        value = json.loads(
            text,
            object_pairs_hook=_without_duplicates,
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
        )
    except (ValueError, RecursionError) as error:  # a ValueError also for an endless integer
        raise NotCanonical("This is not valid JSON; send one JSON value in UTF-8.") from error
    return _checked(value, depth=0)


def _checked(value: object, *, depth: int) -> object:
    if depth > MAX_DEPTH:
        raise NotCanonical(f"The value is nested more than {MAX_DEPTH} levels deep; flatten it.")
    match value:
        case None | bool():
            return value
        case str():
            return _text(value)
        case int():
            return _integer(value)
        case Mapping():
            return _object(value, depth)
        case list() | tuple():
            return _list(value, depth)
        case _:
            raise NotCanonical(
                f"A value of type {type(value).__name__} has no canonical form; "
                "send decimals and times as text."
            )


def _list(value: Sequence[object], depth: int) -> list[object]:
    return [_checked(item, depth=depth + 1) for item in value]


def _object(value: Mapping[Any, object], depth: int) -> dict[str, object]:
    for key in value:
        if not isinstance(key, str):
            raise NotCanonical("The keys of an object must be text.")
        _text(key)
    # RFC 8785 sorts by UTF-16 code units, which differs from code points above U+FFFF.
    keys: Iterable[str] = sorted(value, key=lambda key: key.encode("utf-16-be"))
    return {key: _checked(value[key], depth=depth + 1) for key in keys}


def _integer(value: int) -> int:
    if abs(value) > MAX_INTEGER:
        raise NotCanonical("An integer is beyond 2^53 - 1; send it as text.")
    return value


def _text(value: str) -> str:
    if "\x00" in value:
        raise NotCanonical("The text holds a NUL character; remove it.")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise NotCanonical("The text holds half of a character (a lone surrogate).") from error
    return value


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotCanonical("An object names the same key twice; send each key once.")
    return found


def _refuse_number(text: str) -> object:
    raise NotCanonical(f"The number {text[:40]} is not an integer; send it as text.")
