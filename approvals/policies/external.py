"""Agents that run elsewhere: their names here, and what they are told."""

import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Final
from uuid import UUID, uuid5

from approvals.policies.ladder import NOT_RUN_IN_TIME
from approvals.states import HANDED_BACK, PLAN_BROKEN, REJECT_LABELS, ProposalState, RejectCode

TOOL_NAME: Final = "^[A-Za-z0-9][A-Za-z0-9_.-]{0,119}$"
USUAL_WAIT_S: Final = 25
MOST_WAIT_S: Final = 54  # under the minute that proxies allow
LOST_S: Final = 15 * 60  # after the time to execute; then nobody knows what became of it
OUTSIDE: Final = "key:"  # how the name of an agent begins that runs elsewhere
_HASH: Final = re.compile("[0-9a-f]{64}")
_TOLD: Final[Mapping[ProposalState, str]] = {
    ProposalState.OPEN: "People have not decided yet.",
    ProposalState.APPROVED: "It was approved; dispatch it before its time to execute is over.",
    ProposalState.STALE: "Its target changed; look at it again and propose what fits now.",
    ProposalState.DISPATCHED: "It was handed over for execution.",
    ProposalState.REJECTED: "People rejected it; the change was not made.",
    ProposalState.EXPIRED: "Nobody decided in time; the change was not made.",
    ProposalState.WITHDRAWN: "The request was withdrawn; the change was not made.",
    ProposalState.SUPERSEDED: "A newer request for the same subject took its place.",
    ProposalState.BLOCKED: "A rule does not allow this, whoever agrees; nothing was changed.",
}
_RUNS: Final = frozenset({ProposalState.OPEN, ProposalState.APPROVED})
_OF_PLAN: Final = (
    "A change of its plan did not go as planned, so the rest was withdrawn; look at what was made "
    "and propose what fits now."
)
_BY_CAUSE: Final[Mapping[tuple[ProposalState, str], str]] = {
    (ProposalState.EXPIRED, "execute_by"): NOT_RUN_IN_TIME,
    (ProposalState.BLOCKED, "repeated"): "People rejected the same request less than 24 hours ago; "
    "do not ask for it again. Nothing was changed.",
    (ProposalState.WITHDRAWN, HANDED_BACK): "Its target changed while people decided, and they "
    "handed it back; look at it again and propose what fits now.",
}


def agent_id_of(key_id: str) -> str:
    """Return under which name a key's agent proposes; a stop of that agent names it."""
    return f"{OUTSIDE}{key_id}"


def is_outside(agent_id: str) -> bool:
    """Say whether an agent of that name runs elsewhere, so that nobody here reads its targets."""
    return agent_id.startswith(OUTSIDE)


def own_id(owner: UUID, said: UUID) -> UUID:
    """Return the id that stands here for one that somebody chose, so that no two owners' meet."""
    return uuid5(owner, str(said))


def contract_hash(contract: str) -> str:
    """Return a contract as 64 hex characters: as they are sent, or of the text that is."""
    return contract if _HASH.fullmatch(contract) else sha256(contract.encode()).hexdigest()


def told(state: ProposalState, cause: str, changed: Sequence[str] = ()) -> str:
    """Return what an agent is told of a state; the class of a rejection is part of it.

    Args:
        changed: JSON pointers of arguments that people changed.
    """
    if changed and state in _RUNS:
        return f"{_TOLD[state]} People changed {', '.join(changed)}: run what `args` says."
    if state is ProposalState.REJECTED and cause in {code.value for code in RejectCode}:
        return f"{_TOLD[state]} Reason: {REJECT_LABELS[RejectCode(cause)]}."
    if state is ProposalState.WITHDRAWN and cause.startswith(PLAN_BROKEN):
        return _OF_PLAN
    return _BY_CAUSE.get((state, cause), _TOLD[state])
