"""One value of a policy that is read, and where it stands: what does not fit says so there."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from approvals.errors import PolicyInvalid
from approvals.policies.comparing import as_decimal
from approvals.policies.language import ROOTS, Effect, Op, Path
from approvals.policies.requirement import ANYBODY
from approvals.states import OnExpiry

MOST_TEXT: Final = 1000

_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?")
_SLUG: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_DURATION: Final = re.compile(r"([1-9][0-9]{0,5})([smhd])")
_NOT_IN_GLOB: Final = frozenset("[]{}\\")
_SECONDS: Final[Mapping[str, int]] = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_MONTH: Final = 30 * 86_400


@dataclass(frozen=True, slots=True)
class Node:
    """A value of the body, and the JSON Pointer that leads to it."""

    value: Any
    at: str

    @property
    def shown(self) -> str:
        text = str(self.value)
        return f'"{text[:40]}"'

    def fault(self, said: str) -> PolicyInvalid:
        return PolicyInvalid(f"{self.at or '/'}: {said}.", pointer=self.at)

    def members(self, allowed: set[str] | frozenset[str] | None, needed: set[str]) -> "Members":
        if not isinstance(self.value, Mapping):
            raise self.fault("this has to be an object")
        unknown = sorted(set(self.value) - allowed) if allowed is not None else []
        if unknown:
            known = ", ".join(sorted(allowed or ()))
            raise self._child(unknown[0]).fault(f"this key is not known; use {known}")
        missing = sorted(needed - set(self.value))
        if missing:
            raise self.fault(f"{missing[0]} is missing; add it")
        return {key: self._child(key) for key in self.value}

    def items(self, most: int) -> "list[Node]":
        if not isinstance(self.value, list) or not 1 <= len(self.value) <= most:
            raise self.fault(f"this has to be a list of 1 to {most}")
        return [Node(item, f"{self.at}/{index}") for index, item in enumerate(self.value)]

    def _child(self, key: str) -> "Node":
        part = key.replace("~", "~0").replace("/", "~1")[:60]
        return Node(self.value.get(key), f"{self.at}/{part}")

    def text(self, most: int = MOST_TEXT) -> str:
        if not isinstance(self.value, str) or len(self.value) > most:
            raise self.fault(f"this has to be text of at most {most} characters")
        return self.value

    def name(self) -> str:
        if not isinstance(self.value, str) or not _NAME.fullmatch(self.value):
            raise self.fault(
                f"{self.shown} is no name; use small letters, digits, dots and hyphens"
            )
        return self.value

    def group(self) -> str:
        found = self.value
        if not isinstance(found, str) or not (found == ANYBODY or _SLUG.fullmatch(found)):
            raise self.fault(f"{self.shown} is no review group; use its short name, or *")
        return found

    def whole(self, least: int, most: int) -> int:
        if type(self.value) is not int or not least <= self.value <= most:
            raise self.fault(f"this has to be a whole number from {least} to {most}")
        return self.value

    def flag(self) -> bool:
        if not isinstance(self.value, bool):
            raise self.fault("this has to be true or false")
        return self.value

    def decimal(self) -> Decimal:
        found = as_decimal(self.value)
        if found is None:
            raise self.fault(f"{self.shown} is no decimal; write for instance 1000.00 as text")
        return found

    def share(self) -> str:
        """Return a number from 0 to 1 with at most four places, in its shortest form."""
        found = self.decimal()
        if not 0 <= found <= 1 or found != found.quantize(Decimal("0.0001")):
            raise self.fault("this has to be a share from 0 to 1 with at most four places")
        return f"{found.normalize():f}"

    def duration(self, most: int = _MONTH) -> int:
        found = _DURATION.fullmatch(self.value) if isinstance(self.value, str) else None
        seconds = int(found[1]) * _SECONDS[found[2]] if found else 0
        if not 1 <= seconds <= most:
            days = most // 86_400
            raise self.fault(
                f"{self.shown} is no duration up to {days}d; write for instance 30m or 4h"
            )
        return seconds

    def glob(self) -> str:
        found = self.text(200)
        if not found or _NOT_IN_GLOB & set(found) or "**" in found:
            raise self.fault(f"{self.shown} is no pattern; only single * and ? are special")
        return found

    def path(self, roots: frozenset[str] = frozenset(ROOTS)) -> Path:
        found = self.text(400)
        parts = found.split("/")
        if parts[0] or len(parts) < 2 or re.search("~(?![01])", found):  # noqa: PLR2004
            raise self.fault(f"{self.shown} is no JSON Pointer; write for instance /args/amount")
        if parts[1] not in roots:
            raise self.fault(f"a path starts with one of /{', /'.join(sorted(roots))}")
        return tuple(part.replace("~1", "/").replace("~0", "~") for part in parts[1:])

    def word(self, words: "type[Op | Effect | OnExpiry]") -> Any:
        try:
            return words(self.value)
        except ValueError:
            known = ", ".join(word.value for word in words)
            raise self.fault(f"{self.shown} is not known; use one of {known}") from None

    def scalar(self) -> Any:
        if isinstance(self.value, list | dict):
            raise self.fault("this has to be text, a number, true, false or null")
        return self.text() if isinstance(self.value, str) else self.value


Members = dict[str, Node]
