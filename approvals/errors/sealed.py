"""Refusals about arguments that a contract hides."""

from console.kernel.errors import ConsoleError, Refusal


class SealedErased(ConsoleError):
    """A hidden argument was erased, so the call cannot be made any more."""

    code = "sealed.erased"
    kind = Refusal.CONFLICT


class SealedBroken(ConsoleError):
    """What is kept is not what the stand-in binds, or nobody can read it; nothing runs with it."""

    code = "sealed.broken"
    kind = Refusal.CONFLICT


class NothingSealed(ConsoleError):
    """There is no hidden value here that could be erased."""

    code = "sealed.nothing"
    kind = Refusal.CONFLICT
