"""What the trail refuses."""

from console.kernel.errors import ConsoleError, Refusal


class EventTooLarge(ConsoleError):
    """An event does not fit into one leaf, although its large parts were moved out of it."""

    code = "audit.event_too_large"
    kind = Refusal.TOO_LARGE


class UnknownField(ConsoleError):
    """A search names a field that entries do not have; it is never read as text instead."""

    code = "audit.query.unknown_field"
    kind = Refusal.INVALID


class BadQuery(ConsoleError):
    """A query cannot be read; `details` say from where to where."""

    code = "audit.query.malformed"
    kind = Refusal.INVALID


class TooSlow(ConsoleError):
    """A search took longer than it may; nothing was left out instead."""

    code = "audit.query.too_slow"
    kind = Refusal.INVALID


class BadSearch(ConsoleError):
    """A search value has the wrong shape."""

    code = "audit.query.bad_value"
    kind = Refusal.INVALID


class RollbackDetected(ConsoleError):
    """The log is shorter than, or differs from, what was signed before."""

    code = "audit.rollback_detected"
    kind = Refusal.UNAVAILABLE


class CannotSeal(ConsoleError):
    """A seal round would not be safe."""

    code = "audit.cannot_seal"
    kind = Refusal.UNAVAILABLE


class CannotSign(ConsoleError):
    """The stored bytes do not lead to the head that asks for a signature."""

    code = "audit.cannot_sign"
    kind = Refusal.UNAVAILABLE


class NotSignedYet(ConsoleError):
    """What was asked for is sealed, and not under a signed checkpoint that proves it elsewhere."""

    code = "audit.not_signed_yet"
    kind = Refusal.CONFLICT


class BadRange(ConsoleError):
    """A bundle of these entries cannot be made."""

    code = "audit.bad_range"
    kind = Refusal.INVALID
