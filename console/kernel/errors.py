"""Refusals: what was refused and what to do next, in one sentence, with a code for ever."""

from enum import Enum
from typing import ClassVar


class Refusal(Enum):
    """The kinds of refusal; the value is the HTTP status of the answer."""

    INVALID = 400
    SIGNED_OUT = 401
    FORBIDDEN = 403
    MISSING = 404
    METHOD = 405
    UNACCEPTABLE = 406
    CONFLICT = 409
    TOO_LATE = 410
    TOO_LARGE = 413
    UNSUPPORTED = 415
    THROTTLED = 429
    UNAVAILABLE = 503


class ConsoleError(Exception):
    """A refusal that a person or a program can act on; anything else is a bug and not caught."""

    code: ClassVar[str] = "error"
    kind: ClassVar[Refusal] = Refusal.INVALID

    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        self.message = message
        self.details = details
        self.keeps = False  # what its command noticed stays: it was returned, not raised

    @property
    def status(self) -> int:
        return self.kind.value


class BadInput(ConsoleError):
    """Values do not have the shape that was asked for; `details["fields"]` names each of them."""

    code = "invalid"
    kind = Refusal.INVALID


class Unreadable(ConsoleError):
    """A request is not what HTTP says it should be, so not one of its values was read."""

    code = "unreadable"
    kind = Refusal.INVALID


class SignedOut(ConsoleError):
    """Nobody is signed in."""

    code = "signed_out"
    kind = Refusal.SIGNED_OUT


class NotAllowed(ConsoleError):
    """The actor lacks a permission, named in `details["permission"]`."""

    code = "forbidden"
    kind = Refusal.FORBIDDEN


class NotFound(ConsoleError):
    """There is no such thing, or the actor may not know of it."""

    code = "missing"
    kind = Refusal.MISSING


class TooLarge(ConsoleError):
    """More was sent than is taken in."""

    code = "too_large"
    kind = Refusal.TOO_LARGE


class CsrfRefused(ConsoleError):
    """A session was used without the token that only our own pages know."""

    code = "csrf.refused"
    kind = Refusal.FORBIDDEN


class WrongMethod(ConsoleError):
    """The address exists, but does not take this method."""

    code = "method.not_allowed"
    kind = Refusal.METHOD


class NotAcceptable(ConsoleError):
    """An answer of another kind was asked for."""

    code = "media.not_acceptable"
    kind = Refusal.UNACCEPTABLE


class WrongMedia(ConsoleError):
    """The body is of a kind that is not taken in."""

    code = "media.unsupported"
    kind = Refusal.UNSUPPORTED


class Throttled(ConsoleError):
    """Too many requests; `details["retry_after_s"]` says when to come back."""

    code = "throttled"
    kind = Refusal.THROTTLED


class Unavailable(ConsoleError):
    """Something that the request needs cannot be reached."""

    code = "unavailable"
    kind = Refusal.UNAVAILABLE
