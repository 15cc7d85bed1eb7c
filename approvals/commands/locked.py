"""The rows of one proposal under its lock: its state, its clock, and how both are saved."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from approvals import policies
from approvals.cards import Content, Principal, ProposalCard, Requirement, Voter
from approvals.commands import steps, timers
from approvals.models import Freeze, Proposal, Revision, Vote
from approvals.queries.people import voters_on
from approvals.states import FINAL, NEXT, ProposalState
from console.kernel.actors import Actor

# Columns of a proposal that may change at all; the role of the application has no right on others.
_MUTABLE = (
    "state",
    "title",
    "revision_no",
    "refresh_count",
    "window_opened_at",
    "window_s",
    "clock_no",
    "extensions",
    "decide_by",
    "execute_by",
    "moved_at",
    "close_cause",
    "unfillable_since",
    "observed_before",
    "row_version",
)


@dataclass(slots=True, kw_only=True)
class Locked:
    """A locked proposal with what belongs to it; `desk.lock` reads it, as a `Desk`."""

    actor: Actor
    row: Proposal
    revision: Revision
    requirement: Requirement
    principals: tuple[Principal, ...]
    freezes: list[Freeze]
    votes: list[Vote]  # active ones on the current revision, oldest first
    plan: Proposal | None = None  # locked as well, of one change of a plan

    @property
    def state(self) -> ProposalState:
        return ProposalState(self.row.state)

    @property
    def window(self) -> policies.Window:
        return policies.Window(
            opened_at=self.row.window_opened_at,
            length_s=self.row.window_s,
            freezes=tuple(freeze.card() for freeze in self.freezes),
        )

    @property
    def digest(self) -> str:
        return bytes(self.revision.digest).hex()

    @property
    def content(self) -> Content:
        return self.revision.content(self.row.tool)

    def card(self) -> ProposalCard:
        return self.row.card(
            revision=self.revision,
            needs=self.requirement.people,
            frozen=bool(self.window.causes),
        )

    def voters(self, *, among: Collection[UUID] | None = None) -> Mapping[UUID, Voter]:
        """Return who may vote at this moment; read anew, because rights change.

        Args:
            among: nobody but these, where it depends on them alone.
        """
        return voters_on(actor=self.actor, row=self.row, among=among)

    def move(self, to: ProposalState, *, at: datetime, cause: str = "") -> None:
        """Change the state. The trigger `proposal_transition_allowed` repeats the check."""
        if to not in NEXT[self.state]:
            raise RuntimeError(f"A proposal cannot go from {self.state} to {to}.")
        self.row.state = to.value
        if to is not ProposalState.APPROVED and to not in FINAL:
            self.row.execute_by = None
        self.row.moved_at = at
        if to in FINAL:
            self.row.close_cause = cause[:200]
        self.save()
        steps.follow(self.row, self.plan, actor=self.actor, at=at)

    def save(self) -> None:
        self.row.row_version += 1
        self.row.save(update_fields=_MUTABLE)
        self.lay_timers()

    def lay_timers(self) -> None:
        """Let the timers agree with the clock; whatever moves it ends here."""
        timers.lay(self.row, self.requirement, self.freezes)

    def start_window(self, at: datetime) -> None:
        """Give people the whole time again, from `at`."""
        self.row.clock_no += 1
        self.row.window_opened_at = at
        self.row.window_s = self.requirement.decide_s
        self.date_deadline(at=at)

    def date_deadline(self, *, at: datetime) -> None:
        """Let the decide-by time agree with the window, as far as it is known."""
        self.row.decide_by = self.window.moment() or self.window.deadline(at=at)
