"""What delegations refuse."""

from console.kernel.errors import ConsoleError, Refusal


class DelegationByMachine(ConsoleError):
    """Somebody other than a signed-in person tried to name who stands in, or to end it."""

    code = "delegation.machine"
    kind = Refusal.FORBIDDEN


class DelegationNotYours(ConsoleError):
    """Only the two people and who leads the reviewers end a delegation."""

    code = "delegation.not_yours"
    kind = Refusal.FORBIDDEN


class DelegationToOneself(ConsoleError):
    """Somebody named themselves."""

    code = "delegation.own"
    kind = Refusal.FORBIDDEN


class DelegationRefused(ConsoleError):
    """One of the two may not decide by themselves, or not for this group."""

    code = "delegation.not_eligible"
    kind = Refusal.FORBIDDEN


class DelegationTaken(ConsoleError):
    """One of the two gave or took a delegation already; there is one level, and one at a time."""

    code = "delegation.taken"
    kind = Refusal.CONFLICT


class DelegationOver(ConsoleError):
    """The delegation has ended, so there is nothing to end."""

    code = "delegation.over"
    kind = Refusal.CONFLICT


class NotInPlace(ConsoleError):
    """The vote names a capacity that the voter does not have here and now."""

    code = "vote.not_in_place"
    kind = Refusal.FORBIDDEN
