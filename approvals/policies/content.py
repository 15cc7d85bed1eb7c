"""What can still be decided, and what a vote must bring."""

from approvals.errors import (
    AlreadyDecided,
    ProposalFrozen,
    ReasonRequired,
)
from approvals.policies.timing import Window
from approvals.states import DECIDABLE, Choice, ProposalState


def require_decidable(state: ProposalState, choice: Choice, *, settled_by: str) -> None:
    """Raise unless a vote of this kind can still count.

    Args:
        settled_by: who decided and when, as a sentence; "" if the state says it all.
    """
    if state is ProposalState.STALE and choice is Choice.APPROVE:
        raise AlreadyDecided(
            "The target changed after this was proposed; wait for the new revision, or reject.",
            state=state.value,
        )
    if state not in DECIDABLE:
        said = settled_by or f"This proposal is already {state.value}."
        raise AlreadyDecided(f"{said} Nothing is left to decide here.", state=state.value)


def require_not_frozen(window: Window, choice: Choice) -> None:
    if choice is Choice.APPROVE and window.causes:
        raise ProposalFrozen(
            f"This is held by {' and '.join(window.causes)}; reject it now, or approve it after "
            "the release.",
            causes=list(window.causes),
        )


def require_reason(choice: Choice, reason_code: str, note: str) -> None:
    if choice is Choice.REJECT and not (reason_code and note.strip()):
        missing = {
            name: "Required for a rejection."
            for name, value in (("reason_code", reason_code), ("note", note.strip()))
            if not value
        }
        raise ReasonRequired(
            "A rejection needs a reason and a note; choose a reason and say why.", fields=missing
        )
