"""What may become of a version of a policy in its state, and the sentences that refuse the rest."""

from approvals.errors import PolicyConflict
from approvals.states import NEXT_POLICY, PolicyState

ACTIVATES: frozenset[PolicyState] = frozenset({PolicyState.DRAFT, PolicyState.SHADOW})


def require_move(state: PolicyState, to: PolicyState) -> None:
    """Raise unless a version in this state can come into that one."""
    if to not in NEXT_POLICY[state]:
        raise PolicyConflict(
            f"This version is {state} and cannot become {to}; write a new version instead.",
            state=state.value,
        )


def require_proposable(state: PolicyState, *, retire: bool) -> None:
    """Raise unless people can be asked to let it speak, or to silence it."""
    if state in ({PolicyState.ACTIVE} if retire else ACTIVATES):
        return
    then = (
        "only an active version is retired; discard this one instead."
        if retire
        else "write a new version and propose that one."
    )
    raise PolicyConflict(f"This version is {state}; {then}", state=state.value)


def require_silent(state: PolicyState) -> None:
    """Raise for a version that speaks: nobody puts it away alone."""
    if state is PolicyState.ACTIVE:
        raise PolicyConflict("This version is active; propose to retire it, so that people agree.")


def require_empty_shadow(*, taken: bool) -> None:
    """Raise where another version of the policy is in the shadow."""
    if taken:
        raise PolicyConflict("Another version is in the shadow; take that one out first.")
