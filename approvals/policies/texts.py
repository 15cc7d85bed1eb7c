"""JSON as people type it, read strictly: a key that stands twice is no slip to pass over."""

import json
from typing import Any, NoReturn

from approvals.errors import PolicyInvalid


def read_json(text: str) -> Any:
    """Return the value of a text; fractions stay text, as policies compare them.

    Raises:
        PolicyInvalid: it is no JSON, with line and column, or a key stands twice.
    """
    try:
        return json.loads(
            text, parse_float=str, parse_constant=_refused, object_pairs_hook=_members
        )
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise PolicyInvalid(f"This is no JSON: look at {where}.", pointer="") from error
    except (ValueError, RecursionError) as error:
        raise PolicyInvalid("This is no JSON that can be read; simplify it.", pointer="") from error


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            said = f"The key {key[:40]!r} stands twice in one object; leave one."
            raise PolicyInvalid(said, pointer="")
        found[key] = value
    return found


def _refused(word: str) -> NoReturn:
    raise PolicyInvalid(f"{word} is no number that rules know; write a decimal.", pointer="")
