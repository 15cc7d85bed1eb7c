"""What a reviewer's desk shows: claims, saved views, filters."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from approvals.cards.may import May
from approvals.states import AttentionReason


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimCard:
    """One person at work on a proposal."""

    proposal_id: UUID
    person_id: UUID
    name: str
    since: datetime
    until: datetime  # when the lease ends unless it is renewed


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimsCard:
    """Who is at work on one proposal, and what the reader can do about it."""

    mine: ClaimCard | None
    others: tuple[ClaimCard, ...]
    may_claim: bool  # the reader may decide it, and has not voted
    may_take_over: May | None  # the reader leads; None: nobody else holds it
    refusal: str  # why the reader cannot approve for now, or ""
    by_itself: bool  # an open page claims it, and goes on to
    snoozed_until: datetime | None
    may_snooze: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Why a proposal is the reader's turn, and since when."""

    reason: AttentionReason
    cause: str  # in machine words, of the reason; "" where it says all
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedViewCard:
    """A list that a person kept by name."""

    id: UUID
    name: str
    address: str  # the query of the list's address
    is_default: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One word of a filter: a field with values of which one must fit, or plain text."""

    word: str  # as it was typed
    field: str  # "" for text
    values: tuple[str, ...]
    negated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """A filter of a list: all terms must hold."""

    terms: tuple[Term, ...] = ()

    def names(self, field: str, value: str) -> bool:
        """Say whether a term asks for this very value."""
        return any(
            term.field == field and value in term.values and not term.negated for term in self.terms
        )
