"""Letting a standing approval speak for a proposal, in the place of the one person it is of.

It speaks where rules hold a call of tier 1 and one person would be enough: at the opening, and on
a new base after a drift. At the dispatch it has to speak still. Only the moment is its own; digest,
deadlines, stops, drift, repeats and pressure are those of every proposal.

Locks, last of all: after totals, pressure and the proposal, in the order in which they end.
"""

from datetime import datetime
from typing import Final

from django.db.models import F, QuerySet

from approvals import policies
from approvals.cards import Requirement
from approvals.commands import sampling
from approvals.commands.desk import Desk, must_lock
from approvals.commands.judging import Judged, facts_of
from approvals.models import Decision, Proposal, Standing, StandingUse
from approvals.states import Basis
from console.kernel import clock
from console.kernel.actors import Actor

MOST_ASKED: Final = 100  # of one tool and agent, those first that end first; then people decide


def speak(actor: Actor, row: Proposal, judged: Judged) -> bool:
    """Approve a newborn proposal on a standing approval; says whether one spoke."""
    if not policies.is_plain_hold(judged.verdict) or not _known(row, judged.at).exists():
        return False
    desk = must_lock(actor=actor, proposal_id=row.id)
    facts = facts_of(desk, desk.content)
    same = _known(row, judged.at).filter(contract_hash=desk.revision.contract_hash)[:MOST_ASKED]
    voters = desk.voters(among={one.maker_id for one in same})
    for one in same:
        terms = policies.terms_of(one.conditions, one.free)
        maker = voters.get(one.maker_id)
        if (
            policies.stands_in(maker, one.stepup_s, desk.requirement, desk.principals)
            and terms.covers(facts)
            and _take(one, desk)
        ):
            _approve(desk, one)
            return True
    return False


def speak_again(desk: Desk, judged: Judged) -> None:
    """Approve on a new base what nobody but a standing approval had approved, if it still fits.

    The use was counted when it spoke first.
    """
    if not policies.is_plain_hold(judged.verdict) or not _only_foreseen(desk):
        return
    one = spoken_for(desk)
    if one is None or not _still(desk, one, desk.requirement):
        return
    if policies.terms_of(one.conditions, one.free).covers(facts_of(desk, desk.content)):
        _approve(desk, one)


def why_silent(desk: Desk) -> str:
    """Return why the standing approval that spoke for this may not do so any more, or "".

    Holds it until the end of the transaction: what is revoked meanwhile does not run after that.
    """
    one = spoken_for(desk)
    if one is not None and _still(desk, one, desk.requirement):
        return ""
    if one is not None and one.revoked_at is not None:
        return f"The standing approval of {one.maker_label} was revoked."
    return "Who gave the standing approval may not decide this any more."


def is_enough(desk: Desk, whole: Requirement, judged: Judged) -> bool:
    """Say whether the standing approval does for what the rules ask by now."""
    one = spoken_for(desk)
    return one is not None and policies.is_plain_hold(judged.verdict) and _still(desk, one, whole)


def spoken_for(desk: Desk) -> Standing | None:
    """Return the standing approval that spoke for this proposal, locked."""
    used = StandingUse.objects.filter(proposal=desk.row).values("standing")
    return (
        Standing.objects.select_for_update(no_key=True, of=("self",))
        .select_related("vote")
        .filter(pk__in=used)
        .first()
    )


# -- parts ---------------------------------------------------------------------------------------


def _known(row: Proposal, at: datetime) -> QuerySet[Standing]:
    """Return what may speak for calls of this tool and agent, first what ends first."""
    return Standing.objects.filter(
        tenant_id=row.tenant_id,
        tool=row.tool,
        agent_id=row.agent_id,
        tier=row.tier,
        revoked_at__isnull=True,
        uses_left__gt=0,
        ends_at__gt=at,
        vote__voided_at__isnull=True,
    ).order_by("ends_at", "id")


def _take(one: Standing, desk: Desk) -> bool:
    """Count one use, if there is one; the time is read when nobody else can take it any more."""
    Standing.objects.select_for_update(no_key=True).get(pk=one.pk)
    at = clock.now()
    taken = Standing.objects.filter(
        pk=one.pk, uses_left__gt=0, revoked_at__isnull=True, ends_at__gt=at
    ).update(uses_left=F("uses_left") - 1)
    if taken:
        StandingUse.objects.create(
            tenant_id=desk.row.tenant_id, standing=one, proposal=desk.row, used_at=at
        )
    return bool(taken)


def _approve(desk: Desk, one: Standing) -> None:
    at = clock.now()
    desk.approve((), at=at, basis=Basis.STANDING, standing_id=one.id, maker=one.maker_id)
    sampling.draw(desk.row, actor=desk.actor, basis=Basis.STANDING, at=at)


def _still(desk: Desk, one: Standing, requirement: Requirement) -> bool:
    if one.revoked_at is not None or one.vote.voided_at is not None:
        return False
    maker = desk.voters(among={one.maker_id}).get(one.maker_id)
    return policies.stands_in(maker, one.stepup_s, requirement, desk.principals)


def _only_foreseen(desk: Desk) -> bool:
    settled = Decision.objects.filter(proposal=desk.row).values_list("basis", flat=True)
    return set(settled) == {Basis.STANDING.value}
