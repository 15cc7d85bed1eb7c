"""What this room refuses; every code is stable, every message says what to do next."""

from console.kernel.errors import ConsoleError, Refusal


class VoteByMachine(ConsoleError):
    """Somebody other than a signed-in person tried to decide."""

    code = "vote.machine"
    kind = Refusal.FORBIDDEN


class VoteByPrincipal(ConsoleError):
    """The voter had a part in the request."""

    code = "vote.principal"
    kind = Refusal.FORBIDDEN


class VoteNotEligible(ConsoleError):
    """The voter can fill no slot of the requirement."""

    code = "vote.not_eligible"
    kind = Refusal.FORBIDDEN


class AlreadyVoted(ConsoleError):
    """The person has an active vote that says something else."""

    code = "vote.duplicate"
    kind = Refusal.CONFLICT


class SameSession(ConsoleError):
    """Another person voted from the same session."""

    code = "vote.same_session"
    kind = Refusal.CONFLICT


class NoVote(ConsoleError):
    """There is no vote of this person to withdraw."""

    code = "vote.none"
    kind = Refusal.CONFLICT


class ReasonRequired(ConsoleError):
    """A rejection came without its code or its note."""

    code = "vote.reason_required"
    kind = Refusal.INVALID


class StaleRevision(ConsoleError):
    """The content changed after it was shown."""

    code = "proposal.stale"
    kind = Refusal.CONFLICT


class AlreadyDecided(ConsoleError):
    """The proposal is not waiting for votes any more."""

    code = "proposal.decided"
    kind = Refusal.CONFLICT


class ProposalFrozen(ConsoleError):
    """A stop holds the proposal; it can be rejected, not approved."""

    code = "proposal.frozen"
    kind = Refusal.CONFLICT


class ProposalExpired(ConsoleError):
    """The time to decide is over."""

    code = "proposal.expired"
    kind = Refusal.TOO_LATE


class NotStale(ConsoleError):
    """Only a proposal whose target changed can be refreshed."""

    code = "proposal.not_stale"
    kind = Refusal.CONFLICT


class RefreshSpent(ConsoleError):
    """The target changed too often."""

    code = "proposal.refresh_spent"
    kind = Refusal.CONFLICT


class OtherCall(ConsoleError):
    """A revision may move the target, never the tool or its arguments."""

    code = "proposal.other_call"
    kind = Refusal.CONFLICT


class OutcomeKnown(ConsoleError):
    """The outcome of this dispatch is on record already and says something else."""

    code = "dispatch.settled"
    kind = Refusal.CONFLICT
