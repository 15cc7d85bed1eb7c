"""What this room refuses; every code is stable, every message says what to do next."""

from approvals.errors.checking import CheckRevealed as CheckRevealed
from approvals.errors.plans import (
    PartOfPlan as PartOfPlan,
)
from approvals.errors.plans import (
    PlanBroken as PlanBroken,
)
from approvals.errors.plans import (
    PlanOfOthers as PlanOfOthers,
)
from approvals.errors.plans import (
    StepDoesNotFollow as StepDoesNotFollow,
)
from approvals.errors.plans import (
    StepTooEarly as StepTooEarly,
)
from approvals.errors.standing import (
    StandingInvalid as StandingInvalid,
)
from approvals.errors.standing import (
    StandingNotAllowed as StandingNotAllowed,
)
from approvals.errors.standing import (
    StandingNotApproved as StandingNotApproved,
)
from approvals.errors.standing import (
    StandingNotYours as StandingNotYours,
)
from approvals.errors.standing import (
    StandingTaken as StandingTaken,
)
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


class NotFullyShown(ConsoleError):
    """Some part of what would change was never on the screen of the session that approves."""

    code = "vote.not_fully_shown"
    kind = Refusal.CONFLICT


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


class ExtendNotEligible(ConsoleError):
    """Only people who may decide this, or extend, give it more time."""

    code = "extend.not_eligible"
    kind = Refusal.FORBIDDEN


class ExtensionsSpent(ConsoleError):
    """The time to decide was extended as often as it may be."""

    code = "extend.spent"
    kind = Refusal.CONFLICT


class ClockMoved(ConsoleError):
    """The clock is not the one that was on screen: somebody extended it, or it began anew."""

    code = "extend.moved"
    kind = Refusal.CONFLICT


class ProposalClaimed(ConsoleError):
    """Others are at work on every place that this person could fill."""

    code = "proposal.claimed"
    kind = Refusal.CONFLICT


class ViewNameTaken(ConsoleError):
    """The person keeps another list under this name."""

    code = "saved_view.name_taken"
    kind = Refusal.CONFLICT


class ViewsFull(ConsoleError):
    """The person keeps as many lists as there is room for."""

    code = "saved_view.full"
    kind = Refusal.CONFLICT


class Backpressure(ConsoleError):
    """As many requests wait for people as may; nothing of what waits was changed."""

    code = "proposal.backpressure"
    kind = Refusal.CONFLICT


class BatchMixed(ConsoleError):
    """A batch is of one tool, one contract and one version of the rules."""

    code = "batch.mixed"
    kind = Refusal.CONFLICT


class BatchNever(ConsoleError):
    """This takes a decision of its own."""

    code = "batch.never"
    kind = Refusal.CONFLICT


class BatchTooMany(ConsoleError):
    """More than anybody decides at once."""

    code = "batch.too_many"
    kind = Refusal.CONFLICT


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


class EditByMachine(ConsoleError):
    """Somebody other than a signed-in person tried to change what is asked for."""

    code = "edit.machine"
    kind = Refusal.FORBIDDEN


class ToolChanged(ConsoleError):
    """An edit changes arguments only; another tool is another request."""

    code = "edit.tool_changed"
    kind = Refusal.CONFLICT


class DoesNotFit(ConsoleError):
    """Arguments do not fit the schema; `details["fields"]` maps JSON pointers to sentences."""

    code = "edit.schema"
    kind = Refusal.INVALID


class NothingChanged(ConsoleError):
    """An edit has to change something."""

    code = "edit.unchanged"
    kind = Refusal.CONFLICT


class NotEditable(ConsoleError):
    """Nobody offers a form for the content of this proposal, or its subject is gone."""

    code = "edit.not_offered"
    kind = Refusal.CONFLICT


class NotYours(ConsoleError):
    """Only who started a request, or owns the agent, takes it back."""

    code = "proposal.not_yours"
    kind = Refusal.FORBIDDEN


class TooManyQuestions(ConsoleError):
    """The agent has not answered what was asked before."""

    code = "comment.too_many"
    kind = Refusal.CONFLICT


class SaidByMachine(ConsoleError):
    """Only people ask and note; an agent answers what it was asked."""

    code = "comment.machine"
    kind = Refusal.FORBIDDEN


class PolicyInvalid(ConsoleError):
    """A policy cannot be read; `pointer` says where."""

    code = "policy.invalid"
    kind = Refusal.INVALID


class PolicyDenied(ConsoleError):
    """A rule does not allow this, whoever agrees."""

    code = "policy.denied"
    kind = Refusal.FORBIDDEN


class PolicyConflict(ConsoleError):
    """The version is not in a state in which this can be done to it."""

    code = "policy.conflict"
    kind = Refusal.CONFLICT


class ChannelTitleTaken(ConsoleError):
    """Another channel has this title."""

    code = "channel.title_taken"
    kind = Refusal.CONFLICT


class ChannelOff(ConsoleError):
    """Nothing is sent through a channel that is turned off."""

    code = "channel.off"
    kind = Refusal.CONFLICT


class JustTested(ConsoleError):
    """One test a minute is enough; the last one is on its way."""

    code = "channel.tested_just_now"
    kind = Refusal.CONFLICT


class ChannelsFull(ConsoleError):
    """There are as many channels as there is room for."""

    code = "channel.full"
    kind = Refusal.CONFLICT


class NotDecided(ConsoleError):
    """People have not agreed to it, so nothing may run."""

    code = "proposal.open"
    kind = Refusal.CONFLICT


class WasRejected(ConsoleError):
    """People said no, so nothing may run."""

    code = "proposal.rejected"
    kind = Refusal.CONFLICT


class WasWithdrawn(ConsoleError):
    """The request was taken back, so nothing may run."""

    code = "proposal.withdrawn"
    kind = Refusal.CONFLICT


class WasSuperseded(ConsoleError):
    """A newer request for the same subject took its place, so nothing of this one may run."""

    code = "proposal.superseded"
    kind = Refusal.CONFLICT


class WasBlocked(ConsoleError):
    """A rule does not allow it, so nothing may run."""

    code = "proposal.blocked"
    kind = Refusal.CONFLICT


class WasReopened(ConsoleError):
    """The approval does not count any more; people decide anew before anything runs."""

    code = "proposal.reopened"
    kind = Refusal.CONFLICT


class NotTheCall(ConsoleError):
    """What was about to run is not what people approved."""

    code = "dispatch.other_call"
    kind = Refusal.CONFLICT


class RunOnce(ConsoleError):
    """The proposal was handed over before, under another key; it never is again."""

    code = "dispatch.duplicate"
    kind = Refusal.CONFLICT


class DispatchLate(ConsoleError):
    """The time to execute is over, so a lost answer is not given again."""

    code = "dispatch.late"
    kind = Refusal.TOO_LATE


class ExternalToolTaken(ConsoleError):
    """A tool of this name is there already."""

    code = "external_tool.taken"
    kind = Refusal.CONFLICT


class TooManyWaiting(ConsoleError):
    """The key waits for as many proposals at once as it may."""

    code = "wait.too_many"
    kind = Refusal.THROTTLED
