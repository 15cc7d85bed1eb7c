"""What a proposal is about: subject, people behind it, exact content."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final, TypeAlias
from uuid import UUID

from approvals.states import (
    PrincipalRole,
)
from console.kernel import canonical

DIGEST_TYPE: Final = "signalbox/proposal/1"
PLAN_DIGEST_TYPE: Final = "signalbox/plan/1"

# {kind of record: {id: {field: value}}}; a missing field and null are the same thing.
Image: TypeAlias = Mapping[str, Mapping[str, Mapping[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a proposal is about; opaque to this room."""

    kind: str
    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Somebody who had a part in the request and so may not decide it."""

    role: PrincipalRole
    actor_kind: str
    actor_id: str
    label: str
    person_id: UUID | None = None  # for a key: the person it was issued to


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Exactly what would run, and what it would change."""

    tool: str
    contract_hash: str  # SHA-256, 64 hex characters
    args: Mapping[str, Any]
    before: Image
    after: Image
    children: tuple[str, ...] = ()  # of a plan: the digests of its changes, in their order

    @property
    def args_bytes(self) -> bytes:
        return canonical.dumps(self.args)

    @property
    def before_bytes(self) -> bytes:
        return canonical.dumps(self.before)

    @property
    def after_bytes(self) -> bytes:
        return canonical.dumps(self.after)

    @property
    def before_digest(self) -> bytes:
        return sha256(self.before_bytes).digest()

    @property
    def digest(self) -> bytes:
        """Return the 32 bytes that a vote binds to.

        The after-image is left out: it follows from the rest, and what runs is the call. A plan is
        its changes in their order, and nothing else.
        """
        if self.children:
            return canonical.digest({"type": PLAN_DIGEST_TYPE, "children": list(self.children)})
        return canonical.digest(
            {
                "type": DIGEST_TYPE,
                "tool": self.tool,
                "contract": self.contract_hash,
                "args": self.args,
                "before": self.before_digest.hex(),
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalFacts:
    """What the page says about a proposal besides its content; nothing here is bound by a vote."""

    title: str  # verb and object, ours
    tier: int
    agent_id: str
    agent_label: str
    run_id: UUID | None = None
    conversation_id: UUID | None = None
    undo: str = ""  # what undoes it, in words; "" when nothing does
    why: str = ""  # the agent's claim, not verified
    tool_summary: str = ""
    # For the rules, from the gate and never from a model.
    environment: str = ""  # "": this installation's
    channel: str = ""
    known: bool = True  # whether there is such a tool
    target: Mapping[str, Any] = field(default_factory=dict)  # of what the records do not tell
    verdicts: Mapping[str, str] = field(default_factory=dict)
    sensitive: tuple[str, ...] = ()  # JSON Pointers whose values no trace shows
