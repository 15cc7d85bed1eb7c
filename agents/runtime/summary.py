"""What a call would change, in words short enough for a chat. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from console.kernel import canonical

MOST_LINES: Final = 40  # of a confirm card
MOST: Final = 300  # characters of one side
OPAQUE: Final = 6  # digits; a longer number that is an id tells the customer nothing

Images = Mapping[str, Mapping[str, Mapping[str, Any]]]


def lines(before: Images, after: Images) -> list[dict[str, str]]:
    """Return the changed fields as short texts: {"field", "before", "after"}."""
    changed = [
        (name, old.get(name), new.get(name))
        for kind in sorted(after)
        for key in sorted(after[kind])
        for old, new in [(before.get(kind, {}).get(key, {}), after[kind][key])]
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    ]
    return [_line(name, old, new) for name, old, new in changed[:MOST_LINES]]


def _line(name: str, old: Any, new: Any) -> dict[str, str]:
    left, right = _sides(old, new)
    return {"field": name, "before": left[:MOST], "after": right[:MOST]}


def _sides(old: Any, new: Any) -> tuple[str, str]:
    match old, new:
        case (list(), list()):
            return _of_lists(old, new)
        case (dict(), dict()):
            names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
            return tuple(  # type: ignore[return-value]
                _short({name: side[name] for name in names if name in side}) for side in (old, new)
            )
        case _:
            return _short(old), _short(new)


def _of_lists(old: list[Any], new: list[Any]) -> tuple[str, str]:
    """Say what is taken out of a list and what is put in; the rest stays and is not named."""
    gone, added = _without(old, new), _without(new, old)
    match bool(gone), bool(added):
        case (True, True):
            return _short(gone), _short(added)
        case (False, True):
            return "", f"added: {_short(added)}"
        case (True, False):
            return _short(gone), "removed"
        case _:
            return _short(old), f"in another order: {_short(new)}"


def _without(members: list[Any], others: list[Any]) -> list[Any]:
    """Return the members that the others do not have, each as often as it is missing there."""
    left = [canonical.dumps(one) for one in others]
    found = []
    for member in members:
        key = canonical.dumps(member)
        if key in left:
            left.remove(key)
        else:
            found.append(member)
    return found


def _short(value: Any) -> str:
    match value:
        case None:
            return ""
        case dict():
            named = [(_words(key), item) for key, item in value.items() if not _opaque(key, item)]
            return ", ".join(f"{words} {_short(item)}" for words, item in named)
        case list():
            return "; ".join(_short(item) for item in value)
        case _:
            return str(value)


def _words(key: str) -> str:
    return key.removesuffix("_id").replace("_", " ")


def _opaque(key: str, value: Any) -> bool:
    text = str(value)
    return key.endswith("_id") and text.isdecimal() and len(text) > OPAQUE
