"""Words of the runtime: states, the moves between them, and why a run stopped."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class RunState(StrEnum):
    """Where one turn of work stands."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING_APPROVAL = "waiting_approval"
    WAITING_USER = "waiting_user"
    WAITING_TIMER = "waiting_timer"
    WAITING_CHILD = "waiting_child"
    NEEDS_RECONCILIATION = "needs_reconciliation"
    PAUSED = "paused"
    ESCALATED = "escalated"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    KILLED = "killed"


class CallState(StrEnum):
    """Where one intended invocation of a tool stands."""

    PROPOSED = "proposed"
    REJECTED_BY_CONTRACT = "rejected_by_contract"
    WAITING_APPROVAL = "waiting_approval"
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    EXECUTING = "executing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"
    COMPENSATING = "compensating"
    COMPENSATED = "compensated"


class Confirmation(StrEnum):
    """What the end user said to a write that the agent version asks them about."""

    NOT_ASKED = "not_asked"
    ASKED = "asked"
    AGREED = "agreed"
    REFUSED = "refused"


class Role(StrEnum):
    """Who speaks in a conversation; a notice is the console's own voice."""

    CUSTOMER = "customer"
    AGENT = "agent"
    PERSON = "person"
    NOTICE = "notice"


class FrameKind(StrEnum):
    """What a frame of the transcript tells."""

    TEXT = "text"
    CONFIRM = "confirm"
    CONFIRMED = "confirmed"
    WAITING = "waiting"
    DECIDED = "decided"
    EXECUTED = "executed"
    FAILED = "failed"
    PAUSED = "paused"
    HANDOFF = "handoff"


class StopReason(StrEnum):
    """Why a run ended."""

    NONE = ""
    DONE = "done"
    CANCELLED = "cancelled"
    KILLED = "killed"
    MAX_STEPS = "max_steps"
    MAX_TOOL_CALLS = "max_tool_calls"
    MAX_RETRIES = "max_retries"
    ACTIVE_TIME = "active_time"
    DEADLINE = "deadline"
    TOKEN_BUDGET = "token_budget"  # noqa: S105 - a word, not a secret
    MONEY_BUDGET = "money_budget"
    CONTRACT_ERRORS = "contract_errors"
    LOOP_DETECTED = "loop_detected"
    NO_PROGRESS = "no_progress"
    POISON = "poison"
    CONTEXT_EXCEEDED = "context_exceeded"
    PROVIDER_UNAVAILABLE = "provider_unavailable"
    REFUSED = "refused"
    HANDED_OFF = "handed_off"


class Identity(StrEnum):
    """What is known of the end user of a conversation."""

    UNKNOWN = "unknown"
    CLAIMED = "claimed"
    IDENTIFIED = "identified"


FINAL_RUN: Final = frozenset(
    {RunState.COMPLETED, RunState.FAILED, RunState.CANCELLED, RunState.KILLED}
)
WAITING_RUN: Final = frozenset(
    {
        RunState.WAITING_APPROVAL,
        RunState.WAITING_USER,
        RunState.WAITING_TIMER,
        RunState.WAITING_CHILD,
    }
)
_ENDED: Final = frozenset({RunState.CANCELLED, RunState.KILLED})
_AFTER_WAIT: Final = frozenset({RunState.QUEUED, RunState.PAUSED}) | _ENDED

NEXT_RUN: Final[Mapping[RunState, frozenset[RunState]]] = {
    RunState.QUEUED: frozenset({RunState.RUNNING, RunState.PAUSED}) | _ENDED,
    RunState.RUNNING: frozenset(RunState) - {RunState.RUNNING},
    RunState.WAITING_APPROVAL: _AFTER_WAIT | {RunState.ESCALATED},
    RunState.WAITING_USER: _AFTER_WAIT,
    RunState.WAITING_TIMER: _AFTER_WAIT,
    RunState.WAITING_CHILD: _AFTER_WAIT,
    RunState.NEEDS_RECONCILIATION: frozenset({RunState.QUEUED, RunState.KILLED}),
    RunState.PAUSED: frozenset({RunState.QUEUED, *WAITING_RUN}) | _ENDED,
    RunState.ESCALATED: frozenset({RunState.QUEUED, RunState.COMPLETED, RunState.KILLED}),
    RunState.COMPLETED: frozenset(),
    RunState.FAILED: frozenset(),
    RunState.CANCELLED: frozenset(),
    RunState.KILLED: frozenset(),
}

FINAL_CALL: Final = frozenset(
    {
        CallState.REJECTED_BY_CONTRACT,
        CallState.DENIED,
        CallState.EXPIRED,
        CallState.WITHDRAWN,
        CallState.SUCCEEDED,
        CallState.FAILED,
        CallState.COMPENSATED,
    }
)
_NOT_RUN: Final = frozenset({CallState.DENIED, CallState.EXPIRED, CallState.WITHDRAWN})

NEXT_CALL: Final[Mapping[CallState, frozenset[CallState]]] = {
    CallState.PROPOSED: frozenset(
        # A read can be repeated, so it needs no mark. A refusal by the tool's own rules is found
        # while the diff is made: nothing ran.
        {
            CallState.SUCCEEDED,
            CallState.REJECTED_BY_CONTRACT,
            CallState.WAITING_APPROVAL,
            CallState.APPROVED,
            CallState.FAILED,
            CallState.DENIED,
            CallState.WITHDRAWN,
        }
    ),
    CallState.REJECTED_BY_CONTRACT: frozenset(),
    CallState.WAITING_APPROVAL: frozenset({CallState.APPROVED, CallState.FAILED}) | _NOT_RUN,
    CallState.APPROVED: frozenset(
        {CallState.EXECUTING, CallState.WAITING_APPROVAL, CallState.FAILED}
    )
    | _NOT_RUN,
    CallState.DENIED: frozenset(),
    CallState.EXPIRED: frozenset(),
    CallState.WITHDRAWN: frozenset(),
    # Withdrawn: its target had another version than people saw, and refused.
    CallState.EXECUTING: frozenset(
        {CallState.SUCCEEDED, CallState.FAILED, CallState.UNKNOWN, CallState.WITHDRAWN}
    ),
    CallState.SUCCEEDED: frozenset({CallState.COMPENSATING}),
    CallState.FAILED: frozenset({CallState.EXECUTING}),
    CallState.UNKNOWN: frozenset({CallState.SUCCEEDED, CallState.FAILED}),
    CallState.COMPENSATING: frozenset({CallState.COMPENSATED, CallState.SUCCEEDED}),
    CallState.COMPENSATED: frozenset(),
}
