"""Planting checks: a bad proposal for one person, made of a real one that people decided before.

It is inserted by hand and not by `open_proposal`: no rule is asked, no total locked, no room taken,
nobody told. What it may never do is PostgreSQL's: `proposal_check_never_runs`, `never_of_a_check`.
"""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from django.db import IntegrityError
from django.db.models import Exists, OuterRef

from approvals import kinds, policies
from approvals.cards import Content, Requirement, Variant
from approvals.commands import births, sealing
from approvals.commands.desk import lock
from approvals.events import CheckPlanted
from approvals.models import (
    Check,
    Decision,
    PrincipalRow,
    Proposal,
    RequirementRow,
    Revision,
    Served,
)
from approvals.queries.checks import drawn, key_of
from approvals.queries.people import voters_on
from approvals.states import Basis, OnExpiry, Outcome, ProposalState
from audit.commands import record
from console.accounts import queries as accounts
from console.accounts.states import PERMISSIONS_OF, Permission
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.errors import NotFound
from console.kernel.ids import uuid7
from console.kernel.transactions import command

log = structlog.get_logger(__name__)

_RECENT: Final = timedelta(days=7)
_MOST_SOURCES: Final = 50
# What somebody agreed to was all right once, so what is wrong with the variant is the variant.
_AGREED: Final = [ProposalState.APPROVED.value, ProposalState.DISPATCHED.value]
_CALM: Final = {OnExpiry.APPROVE, OnExpiry.ESCALATE}  # a check never does either


def plant_due(*, actor: Actor) -> int:
    """Plant a check for every lot that was drawn; returns how many. One transaction for each."""
    planted = 0
    for person, because in drawn(actor=actor):
        try:
            planted += plant(actor=actor, person_id=person, because_id=because) is not None
        except IntegrityError:
            continue  # another pulse was quicker, or it is too soon
        except Exception as error:
            # The next lot is another one; a check holds up nothing, not even the next check.
            log.exception("check.failed", error=type(error).__name__)
    return planted


@command
def plant(*, actor: Actor, person_id: UUID, because_id: UUID) -> UUID | None:
    """Plant a check for one person, if there is something to make one of; returns its proposal.

    Args:
        because_id: the proposal that the person opened.

    Raises:
        IntegrityError: the same lot again, or a second one within four hours. Nobody counts that
            here: `check_one_for_a_lot`, `check_one_in_a_window` and `check_four_hours_apart` do.
    """
    if not _may_get_one(actor, person_id):
        return None
    seed = next(_seeds(actor, person_id, because_id), None)
    return _insert(actor, person_id, because_id, seed) if seed else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seed:
    """A real proposal that this person could have decided, and what was made of it."""

    source: Proposal
    requirement: Requirement
    principals: Sequence[PrincipalRow]
    author: str
    variant: Variant


def _may_get_one(actor: Actor, person_id: UUID) -> bool:
    """Say whether somebody gets checks: whoever can search the trail would see what is missing."""
    try:
        card = accounts.person_card(actor=actor, person_id=person_id)
    except NotFound:
        return False
    searches = any(Permission.AUDIT_VIEW in PERMISSIONS_OF[role] for role in card.roles)
    return card.active and not searches


def _seeds(actor: Actor, person_id: UUID, because_id: UUID) -> Iterator[_Seed]:
    """Yield what a check can be made of, in an order that nobody foresees."""
    key = key_of(actor.tenant_id)
    rows = _sources(actor, person_id)
    contents = _contents(rows)
    rows.sort(key=lambda row: policies.place(key, lot=because_id, candidate=row.id))
    for row in rows:
        requirement = RequirementRow.objects.get(proposal=row, no=1).card()
        chain = list(PrincipalRow.objects.filter(proposal=row).order_by("id"))
        voter = voters_on(actor=actor, row=row, among={person_id}).get(person_id)
        principals = [one.card() for one in chain]
        if voter is None or policies.who_refusal(voter, requirement, principals) is not None:
            continue
        content, author = contents[row.id]
        others = [one for key_, (one, _) in contents.items() if key_ != row.id]
        found = kinds.bad_variants(row.subject_kind, content, others)
        if found:
            lot = policies.place(key, lot=because_id, candidate=row.id)
            yield _Seed(
                source=row,
                requirement=requirement,
                principals=chain,
                author=author,
                variant=found[lot[0] % len(found)],
            )


def _sources(actor: Actor, person_id: UUID) -> list[Proposal]:
    """Return what people agreed to lately and this person never saw, newest first."""
    agreed = Decision.objects.filter(
        proposal=OuterRef("pk"),
        outcome=Outcome.APPROVED.value,
        basis=Basis.PEOPLE.value,
        voided_at__isnull=True,
    )
    seen = Served.objects.filter(proposal=OuterRef("pk"), person_id=person_id)
    used = Check.objects.filter(source_id=OuterRef("pk"))
    rows = Proposal.objects.filter(
        Exists(agreed),
        ~Exists(seen),
        ~Exists(used),
        tenant_id=actor.tenant_id,
        state__in=_AGREED,
        subject_kind__in=kinds.spoiled_kinds(),
        created_at__gt=clock.now() - _RECENT,
    )
    return list(rows.order_by("-created_at", "-id")[:_MOST_SOURCES])


def _contents(rows: Sequence[Proposal]) -> dict[UUID, tuple[Content, str]]:
    """Return what each proposal was when people agreed to it, and who wrote that."""
    tools = {row.id: (row.tool, row.revision_no) for row in rows}
    return {
        one.proposal_id: (one.content(tools[one.proposal_id][0]), one.author)
        for one in Revision.objects.filter(proposal__in=rows)
        if one.no == tools[one.proposal_id][1]
    }


# -- writes --------------------------------------------------------------------------------------


def _insert(actor: Actor, person_id: UUID, because_id: UUID, seed: _Seed) -> UUID:
    at = clock.now()
    requirement = seed.requirement
    # Nothing is told on the way, and nobody else is asked, so there is no ladder to climb.
    calm = OnExpiry.REFUSE if requirement.on_expiry in _CALM else requirement.on_expiry
    requirement = replace(requirement, ladder=(), on_expiry=calm)
    content = seed.variant.content
    row = _proposal(actor, person_id, seed, requirement, at=at)
    check = Check(
        tenant_id=actor.tenant_id,
        proposal=row,
        person_id=person_id,
        source_id=seed.source.id,
        because_id=because_id,
        template=seed.variant.template,
        wrong=seed.variant.wrong,
        planted_at=at,
        window_no=policies.window_no(at),
        nonce=secrets.token_hex(32),
    )
    check.commitment = sealing.commitment_of(check, content.digest.hex())
    row.save(force_insert=True)
    check.save(force_insert=True)
    births.add_parts(
        row,
        content,
        requirement,
        tuple(one.card() for one in seed.principals),
        author=seed.author,
    )
    desk = lock(actor=actor, proposal_id=row.id)
    if desk is not None:
        desk.lay_timers()
    record(CheckPlanted(check_id=check.id, commitment=bytes(check.commitment).hex()), actor=actor)
    return row.id


def _proposal(
    actor: Actor, person_id: UUID, seed: _Seed, requirement: Requirement, *, at: datetime
) -> Proposal:
    """Return the row: as its source was, but for what was made bad and for whom it is."""
    source, content = seed.source, seed.variant.content
    return Proposal(
        id=uuid7(),
        tenant_id=actor.tenant_id,
        created_at=at,
        subject_kind=source.subject_kind,
        subject_id=uuid7(),  # of its own, so that no run or call is ever found by it
        tool=source.tool,
        tool_id=source.tool_id,
        tier=source.tier,
        title=kinds.title_of(source.subject_kind, content, source.title),
        agent_id=source.agent_id,
        agent_label=source.agent_label,
        run_id=source.run_id,
        conversation_id=source.conversation_id,
        undo=source.undo,
        why=source.why,
        tool_summary=source.tool_summary,
        state=ProposalState.OPEN.value,
        moved_at=at,
        window_opened_at=at,
        window_s=requirement.decide_s,
        decide_by=at + timedelta(seconds=requirement.decide_s),
        is_check=True,
        check_for=person_id,
    )
