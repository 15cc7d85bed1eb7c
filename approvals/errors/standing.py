"""What standing approvals refuse."""

from console.kernel.errors import ConsoleError, Refusal


class StandingNotAllowed(ConsoleError):
    """Requests like this are not approved in advance, whoever asks."""

    code = "standing.not_allowed"
    kind = Refusal.CONFLICT


class StandingNotApproved(ConsoleError):
    """The person has no approval of this call that counts."""

    code = "standing.not_approved"
    kind = Refusal.CONFLICT


class StandingTaken(ConsoleError):
    """This vote carries a standing approval already."""

    code = "standing.taken"
    kind = Refusal.CONFLICT


class StandingInvalid(ConsoleError):
    """The conditions say nothing, cannot be read, or do not fit the call they come from."""

    code = "standing.invalid"
    kind = Refusal.INVALID


class StandingNotYours(ConsoleError):
    """Only its maker and whoever leads the reviewers end a standing approval."""

    code = "standing.not_yours"
    kind = Refusal.FORBIDDEN
