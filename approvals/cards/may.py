"""Whether a reader may do something, with the sentence that stands beside the control if not."""

from collections.abc import Callable
from dataclasses import dataclass

from console.kernel.errors import ConsoleError


@dataclass(frozen=True, slots=True)
class May:
    """True where the reader may; else `refusal` is what the command would say."""

    refusal: str = ""

    def __bool__(self) -> bool:
        return not self.refusal

    @classmethod
    def after(cls, *checks: Callable[[], object]) -> "May":
        """Return the answer of checks that raise, in the order in which the command asks them."""
        try:
            for check in checks:
                check()
        except ConsoleError as refusal:
            return cls(refusal.message)
        return cls()


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionActs:
    """What one reader may do about a version of a policy; None: there is nothing of that to do."""

    draft: May  # another version
    propose: May  # that it speaks, or falls silent
    shadow: May | None
    discard: May | None
    replay: May
