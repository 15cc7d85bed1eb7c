"""The words of a proposal's life, and the table of moves between them."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class ProposalState(StrEnum):
    """Where a proposal stands; the first three are live, the others are final."""

    OPEN = "open"
    APPROVED = "approved"
    STALE = "stale"
    DISPATCHED = "dispatched"
    REJECTED = "rejected"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"
    BLOCKED = "blocked"


class Outcome(StrEnum):
    """What `proposal.decided` says happened."""

    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"
    BLOCKED = "blocked"


class Basis(StrEnum):
    """Whose word a decision rests on."""

    PEOPLE = "people"
    RULE = "rule"
    STANDING = "standing"
    PLAN = "plan"
    BREAK_GLASS = "break_glass"
    TIMEOUT_RULE = "timeout_rule"


class StandingState(StrEnum):
    """Whether a standing approval speaks, and if not, why."""

    SPEAKS = "speaks"
    USED_UP = "used_up"
    ENDED = "ended"  # its time is over
    REVOKED = "revoked"
    SILENT = "silent"  # its maker may not vote on this any more, or took the vote back


class OnExpiry(StrEnum):
    """What happens when nobody decided in time."""

    REFUSE = "refuse"
    RETURN = "return"
    PARK = "park"
    ESCALATE = "escalate"
    APPROVE = "approve"  # tier 1 only


class TimerKind(StrEnum):
    """Why a proposal is looked at again although nobody touched it."""

    DECIDE = "decide"  # the time to decide is over
    EXECUTE = "execute"  # the time to execute is over
    REMIND = "remind"
    WIDEN = "widen"


class Says(StrEnum):
    """What the rules come to."""

    PASS = "pass"  # noqa: S105 - nobody is asked; tier 0 only
    ALLOW = "allow"
    HOLD = "hold"
    DENY = "deny"


class PolicyState(StrEnum):
    """Where a version of a policy stands."""

    DRAFT = "draft"
    SHADOW = "shadow"  # asked beside the active one, for the record only
    ACTIVE = "active"
    RETIRED = "retired"


# The trigger `policy_only_moves` repeats this table; a test compares the two.
NEXT_POLICY: Final[Mapping[PolicyState, frozenset[PolicyState]]] = {
    PolicyState.DRAFT: frozenset({PolicyState.SHADOW, PolicyState.ACTIVE, PolicyState.RETIRED}),
    PolicyState.SHADOW: frozenset({PolicyState.DRAFT, PolicyState.ACTIVE, PolicyState.RETIRED}),
    PolicyState.ACTIVE: frozenset({PolicyState.RETIRED}),
    PolicyState.RETIRED: frozenset(),
}


class ReplayState(StrEnum):
    """How far a version has been asked about past calls."""

    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"


class ReplaySays(StrEnum):
    """What would have been different about one past call."""

    HELD = "held"  # people would have been asked
    RELEASED = "released"  # nobody would have been asked
    DENIED = "denied"  # it would never have run
    MORE_PEOPLE = "more_people"
    FEWER_PEOPLE = "fewer_people"
    UNCHANGED = "unchanged"
    NOT_REPLAYABLE = "not_replayable"  # what the rules would look at was not kept


class Purpose(StrEnum):
    """Why the rules were asked."""

    PROPOSE = "propose"
    DISPATCH = "dispatch"
    SHADOW = "shadow"


class Choice(StrEnum):
    """What a person says about one digest."""

    APPROVE = "approve"
    REJECT = "reject"


class AttentionReason(StrEnum):
    """Why a proposal is somebody's turn."""

    OPENED = "opened"  # it asks for people of their groups
    REOPENED = "reopened"  # it came back to people
    VOIDED = "voided"  # their vote counts no more
    WIDENED = "widened"  # it asks for their group as well by now
    ANSWERED = "answered"  # what they asked was answered


class SnoozeFor(StrEnum):
    """For how long somebody puts a proposal off."""

    QUARTER = "quarter"  # of an hour
    HOUR = "hour"
    AFTERNOON = "afternoon"  # four hours
    DAY = "day"


class PrincipalRole(StrEnum):
    """Why somebody belongs to the principal chain."""

    AGENT = "agent"
    OWNER = "owner"
    STARTER = "starter"
    EDITOR = "editor"
    SUBJECT = "subject"  # the person whom it is about


# The subject_kind of what agents ask for that run elsewhere.
EXTERNAL: Final = "external"

# The subject_kind of a plan, its tool, and how many changes it holds; the constraints repeat it.
PLAN: Final = "plan"
FEWEST_STEPS: Final = 2
MOST_STEPS: Final = 20
# How the cause of an end begins that a plan has for its steps.
PLAN_BROKEN: Final = "plan broken"


class Act(StrEnum):
    """What an external agent does that a stop can forbid."""

    OPEN = "open"
    DISPATCH = "dispatch"


# Why a proposal was withdrawn: its target had changed, and a reviewer let the agent look again.
HANDED_BACK: Final = "handed back"


class CheckOutcome(StrEnum):
    """How a planted check stands or ended."""

    WAITING = "waiting"
    CAUGHT = "caught"
    MISSED = "missed"
    LAPSED = "lapsed"  # nobody answered in time; counts for nothing


class CheckAnswer(StrEnum):
    """What a person did with a planted check; whatever is no approval caught it."""

    APPROVE = "approve"
    REJECT = "reject"
    QUESTION = "question"
    REQUEST_CHANGES = "request_changes"
    EDIT = "edit"


class CommentKind(StrEnum):
    """What is said about a proposal without deciding it."""

    QUESTION = "question"
    REQUEST_CHANGES = "request_changes"
    ANSWER = "answer"
    NOTE = "note"


class DispatchState(StrEnum):
    """What is known about the one execution of a proposal."""

    CLAIMED = "claimed"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STALE = "stale"  # the target refused: it was another one than people saw
    UNKNOWN = "unknown"


class ReviewKind(StrEnum):
    """Why somebody looks at a decision once more, after it was made."""

    SAMPLE = "sample"  # nobody was asked, and it was drawn
    BREAK_GLASS = "break_glass"  # somebody decided in place of the people who were asked


class ReviewVerdict(StrEnum):
    """What came of looking once more."""

    AGREE = "agree"
    DISAGREE = "disagree"


class RejectCode(StrEnum):
    """The class of a rejection; the end user may learn this much."""

    WRONG_TARGET = "wrong_target"
    WRONG_VALUE = "wrong_value"
    NOT_ASKED_FOR = "not_asked_for"
    AGAINST_POLICY = "against_policy"
    NEEDS_INFORMATION = "needs_information"
    OTHER = "other"


REJECT_LABELS: Final[Mapping[RejectCode, str]] = {
    RejectCode.WRONG_TARGET: "Wrong customer or record",
    RejectCode.WRONG_VALUE: "Wrong amount or value",
    RejectCode.NOT_ASKED_FOR: "The customer did not ask for this",
    RejectCode.AGAINST_POLICY: "Against the policy",
    RejectCode.NEEDS_INFORMATION: "Information is missing",
    RejectCode.OTHER: "Another reason",
}

BIRTHS: Final[frozenset[ProposalState]] = frozenset(
    {ProposalState.OPEN, ProposalState.APPROVED, ProposalState.BLOCKED}
)
LIVE: Final[frozenset[ProposalState]] = frozenset(
    {ProposalState.OPEN, ProposalState.APPROVED, ProposalState.STALE}
)
DECIDABLE: Final[frozenset[ProposalState]] = frozenset({ProposalState.OPEN, ProposalState.STALE})
FINAL: Final[frozenset[ProposalState]] = frozenset(ProposalState) - LIVE
# Nobody has to decide any more. The one word that a hint may carry, and all that it can be.
SETTLED: Final[frozenset[ProposalState]] = frozenset(ProposalState) - DECIDABLE
# All that a planted check can ever be.
CHECK_STATES: Final[frozenset[ProposalState]] = frozenset(
    {ProposalState.OPEN, ProposalState.EXPIRED, ProposalState.WITHDRAWN}
)

# The trigger `proposal_transition_allowed` repeats this table; a test compares the two.
NEXT: Final[Mapping[ProposalState, frozenset[ProposalState]]] = {
    ProposalState.OPEN: frozenset(
        {
            ProposalState.APPROVED,
            ProposalState.REJECTED,
            ProposalState.EXPIRED,
            ProposalState.WITHDRAWN,
            ProposalState.SUPERSEDED,
            ProposalState.STALE,
        }
    ),
    ProposalState.APPROVED: frozenset(
        {
            ProposalState.DISPATCHED,
            ProposalState.EXPIRED,
            ProposalState.WITHDRAWN,
            ProposalState.SUPERSEDED,
            ProposalState.STALE,
            ProposalState.OPEN,
            ProposalState.BLOCKED,
        }
    ),
    ProposalState.STALE: frozenset(
        {
            ProposalState.OPEN,
            ProposalState.REJECTED,
            ProposalState.EXPIRED,
            ProposalState.WITHDRAWN,
            ProposalState.SUPERSEDED,
        }
    ),
    **{state: frozenset() for state in FINAL},
}

NEXT_DISPATCH: Final[Mapping[DispatchState, frozenset[DispatchState]]] = {
    DispatchState.CLAIMED: frozenset(
        {
            DispatchState.SUCCEEDED,
            DispatchState.FAILED,
            DispatchState.STALE,
            DispatchState.UNKNOWN,
        }
    ),
    # Unknown is settled later, by the contract's probe or by a person.
    DispatchState.UNKNOWN: frozenset({DispatchState.SUCCEEDED, DispatchState.FAILED}),
    DispatchState.SUCCEEDED: frozenset(),
    DispatchState.FAILED: frozenset(),
    DispatchState.STALE: frozenset(),
}
SEEN_S: Final = 5  # a dispatch rests on a look at a target outside that is no older
SEEN_TOO_EARLY: Final = "dispatch.seen_too_early"


class ChannelKind(StrEnum):
    """How a notice leaves."""

    EMAIL = "email"
    WEBHOOK = "webhook"
    CHAT = "chat"


class Digest(StrEnum):
    """How often somebody wants mail."""

    INSTANT = "instant"
    HOURLY = "hourly"
    DAILY = "daily"


class NoticeState(StrEnum):
    """How far a notice has come."""

    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"  # tried often enough
    DROPPED = "dropped"  # no longer true, or no longer wanted, when its time came


class NoticeReason(StrEnum):
    """What a notice tells."""

    OPENED = "opened"
    REOPENED = "reopened"
    WIDENED = "widened"
    REMINDED = "reminded"
    REVISED = "revised"
    ANSWERED = "answered"
    ASKED = "asked"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"
    BLOCKED = "blocked"
    EXECUTED = "executed"
    FAILED = "failed"
    STALED = "staled"
    UNKNOWN = "unknown"
    BREAK_GLASS = "break_glass"
    DEAD_END = "dead_end"
    CHECKS = "checks"
    RULE_TURNED = "rule_turned"
    RULE_ALLOWS = "rule_allows"
    TEST = "test"


ASKS: Final[frozenset[NoticeReason]] = frozenset(
    {
        NoticeReason.OPENED,
        NoticeReason.REOPENED,
        NoticeReason.WIDENED,
        NoticeReason.REMINDED,
        NoticeReason.REVISED,
        NoticeReason.ANSWERED,
    }
)
# A stop and what goes past reviewers break quiet hours; a reminder does not.
URGENT: Final[frozenset[NoticeReason]] = frozenset({NoticeReason.BREAK_GLASS, NoticeReason.TEST})
