"""Words of accounts: roles, permissions, and the kinds of object that a right can be given on."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """What a person does in a tenant; several roles add up."""

    REVIEWER = "reviewer"
    OPERATOR = "operator"
    AUDITOR = "auditor"
    ADMIN = "admin"


class Permission(StrEnum):
    """Everything that a view, a command or a topic can ask for."""

    APPROVALS_VIEW = "approvals.view"
    APPROVALS_VOTE = "approvals.vote"
    APPROVALS_EXTEND = "approvals.extend"
    APPROVALS_LEAD = "approvals.lead"
    APPROVALS_PROPOSE = "approvals.propose"
    APPROVALS_BREAK_GLASS = "approvals.break_glass"
    RUNS_VIEW = "runs.view"
    RUNS_START = "runs.start"
    CONTROLS_VIEW = "controls.view"
    CONTROLS_ENGAGE = "controls.engage"
    CONTROLS_RELEASE = "controls.release"
    COSTS_VIEW = "costs.view"
    COSTS_MANAGE = "costs.manage"
    AUDIT_VIEW = "audit.view"
    AUDIT_EXPORT = "audit.export"
    ACCOUNTS_MANAGE = "accounts.manage"
    KEYS_MANAGE = "keys.manage"
    POLICIES_MANAGE = "policies.manage"


class Strength(StrEnum):
    """How a person proved who they are."""

    PASSWORD = "password"  # noqa: S105 - the word, not one
    PASSKEY = "passkey"


class ChallengeFor(StrEnum):
    """What a challenge to a passkey is good for; for votes see approvals."""

    ADD = "add"
    STEP_UP = "step_up"


class ObjectKind(StrEnum):
    """What a right on a single object can be given on."""

    AGENT = "agent"
    TOOL = "tool"


P = Permission

PERMISSIONS_OF: Final[Mapping[Role, frozenset[Permission]]] = {
    Role.REVIEWER: frozenset({P.APPROVALS_VIEW, P.APPROVALS_VOTE, P.APPROVALS_EXTEND, P.RUNS_VIEW}),
    Role.OPERATOR: frozenset(
        {
            P.APPROVALS_VIEW,
            P.RUNS_VIEW,
            P.RUNS_START,
            P.CONTROLS_VIEW,
            P.CONTROLS_ENGAGE,
            P.CONTROLS_RELEASE,
            P.COSTS_VIEW,
        }
    ),
    Role.AUDITOR: frozenset(
        {
            P.APPROVALS_VIEW,
            P.RUNS_VIEW,
            P.CONTROLS_VIEW,
            P.COSTS_VIEW,
            P.AUDIT_VIEW,
            P.AUDIT_EXPORT,
        }
    ),
    # Voting needs the reviewer role, so that an administrator does not decide by the way. Breaking
    # glass is in no role at all: it is lent to one person, for an hour at most.
    Role.ADMIN: frozenset(Permission) - {P.APPROVALS_VOTE, P.APPROVALS_BREAK_GLASS},
}

# Who holds one of these may vote; giving it takes the word of two people.
DECIDING: Final = frozenset({Role.REVIEWER})

# Machines never decide, never stop or release, and never hand out rights.
NEVER_FOR_KEYS: Final = frozenset(
    {
        P.APPROVALS_VOTE,
        P.APPROVALS_EXTEND,
        P.APPROVALS_LEAD,
        P.APPROVALS_BREAK_GLASS,
        P.CONTROLS_VIEW,
        P.CONTROLS_ENGAGE,
        P.CONTROLS_RELEASE,
        P.ACCOUNTS_MANAGE,
        P.KEYS_MANAGE,
        P.POLICIES_MANAGE,
    }
)
SCOPES: Final = tuple(scope for scope in Permission if scope not in NEVER_FOR_KEYS)

# Stopping is generous and releasing is not: the right on one agent does not include its release.
OBJECT_RIGHTS: Final[Mapping[ObjectKind, tuple[str, frozenset[Permission]]]] = {
    ObjectKind.AGENT: (
        "operate_agent",
        frozenset({P.RUNS_VIEW, P.RUNS_START, P.CONTROLS_VIEW, P.CONTROLS_ENGAGE}),
    ),
    ObjectKind.TOOL: (
        "review_tool",
        frozenset({P.APPROVALS_VIEW, P.APPROVALS_VOTE, P.RUNS_VIEW}),
    ),
}
