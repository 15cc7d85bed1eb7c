"""What is said and done about requests twice: outside agents, duties, notices, break-glass."""

from functools import partial
from uuid import UUID

from approvals import commands
from approvals.cards import Claimed, ExternalCall, ProposalCard
from approvals.commands import external
from approvals.states import CommentKind, DispatchState, NoticeReason
from console.accounts import commands as accounts
from console.kernel.actors import Actor
from console.kernel.ids import uuid7
from tests.approvals import advance, glass, letters
from tests.approvals.desk import agent, approve, opened, shown
from tests.approvals.outsider import AFTER, ARGS, BEFORE, CONTRACT, asked, asked_by_key
from tests.cast import Cast
from tests.races.acts import Act, about, case, somebody


@case("asking.ask")
def _ask(cast: Cast) -> Act:
    card = opened(cast)
    return lambda: commands.ask(
        actor=cast.ruth, kind=CommentKind.QUESTION, text="Why?", pause=True, **about(card)
    )


@case("editing.preview_edit")
def _preview(cast: Cast) -> Act:
    card, args = letters.opened(cast), {"to": "Mia", "stamps": 3}
    return lambda: commands.preview_edit(actor=cast.ruth, args=args, **about(card))


@case("editing.revise_when_asked")
def _revise(cast: Cast) -> Act:
    card = letters.opened(cast)
    wanted = commands.ask(
        actor=cast.ruth, kind=CommentKind.REQUEST_CHANGES, text="Three.", **about(card)
    )
    return lambda: commands.revise_when_asked(
        actor=agent(cast),
        comment_id=wanted.id,
        seen_digest=card.digest,
        args={"to": "Mia", "stamps": 3},
        text="Three it is.",
    )


@case("probing.probe")
def _probe(cast: Cast) -> Act:
    card = letters.opened(cast, tier=2)
    letters.DRAWER[card.subject.id]["state"] = "weighed"
    return lambda: commands.probe(actor=cast.system, every_s=30, **about(card))


@case("claiming.take_over")
def _take_over(cast: Cast) -> Act:
    card = opened(cast)
    commands.claim(actor=cast.ruth, **about(card))
    return lambda: commands.take_over(actor=cast.noor, **about(card))


@case("breaking.break_glass")
def _break_glass(cast: Cast) -> Act:
    card, person = opened(cast), somebody(cast, "care")
    glass.lend(cast, person)
    return partial(glass.use, shown(card, person), person)


@case("tasking.close_review_task")
def _close(cast: Cast) -> Act:
    card, person = opened(cast), somebody(cast, "care")
    glass.lend(cast, person)
    task = glass.broken(card, person).task_id
    return partial(glass.close, task, cast.ines)


@case("standing.make_standing")
def _make_standing(cast: Cast) -> Act:
    card = opened(cast)
    approve(card, cast.ruth)
    return partial(advance.make, card, cast.ruth)


@case("standing.revoke_standing", of_a_tenant=True)
def _revoke_standing(cast: Cast) -> Act:
    made = advance.made(cast)
    return lambda: commands.revoke_standing(
        actor=cast.ruth, standing_id=made.id, reason="It is over."
    )


@case("reconciling.reconcile")
def _reconcile(cast: Cast) -> Act:
    card = letters.opened(cast)
    approve(card, cast.ruth)
    got = commands.claim_dispatch(
        actor=agent(cast),
        call_key=uuid7(),
        content=letters.letter(card.subject.id, letters.ARGS),
        **about(card),
    )
    assert isinstance(got, Claimed)
    commands.report_outcome(
        actor=agent(cast),
        dispatch_id=got.dispatch_id,
        outcome=DispatchState.UNKNOWN,
        after={},
        evidence={},
    )
    return lambda: commands.reconcile(
        actor=cast.omar, dispatch_id=got.dispatch_id, happened=True, evidence="I looked."
    )


@case("external.propose")
def _propose(cast: Cast) -> Act:
    card, key = asked_by_key(cast)
    call = ExternalCall(**{**asked(tool=card.tool, tier=2), "subject": uuid7()})
    return lambda: commands.propose(actor=key, call=call)


@case("external_plans.propose_plan")
def _propose_plan(cast: Cast) -> Act:
    card, key = asked_by_key(cast)
    images = ({"before": BEFORE, "after": AFTER}, {"before": AFTER, "after": BEFORE})
    calls = [
        ExternalCall(**{**asked(tool=card.tool, tier=2, **image), "subject": uuid7()})
        for image in images
    ]
    subject = uuid7()
    return lambda: commands.propose_plan(actor=key, subject=subject, calls=calls)


@case("external.withdraw_own")
def _withdraw_own(cast: Cast) -> Act:
    card, key = asked_by_key(cast)
    return lambda: commands.withdraw_own(actor=key, **about(card))


@case("external.dispatch_own")
def _dispatch_own(cast: Cast) -> Act:
    card, key = _agreed(cast)
    return partial(_taken_up, card, key, uuid7())


@case("external.report_own")
def _report_own(cast: Cast) -> Act:
    card, key = _agreed(cast)
    got = _taken_up(card, key, uuid7())
    return lambda: commands.report_own(
        actor=key,
        dispatch_id=got.dispatch_id,
        outcome=DispatchState.SUCCEEDED,
        after=AFTER,
        evidence={},
    )


@case("external.give_up_on")
def _give_up_on(cast: Cast) -> Act:
    card, key = _agreed(cast)
    got = _taken_up(card, key, uuid7())
    return lambda: external.give_up_on(
        actor=cast.system, dispatch_id=got.dispatch_id, **about(card)
    )


@case("noticing.ask_deciders")
def _ask_deciders(cast: Cast) -> Act:
    card = opened(cast)
    return lambda: commands.ask_deciders(
        actor=cast.system, reason=NoticeReason.OPENED, **about(card)
    )


@case("noticing.tell_outcome")
def _tell_outcome(cast: Cast) -> Act:
    card = opened(cast)
    return lambda: commands.tell_outcome(
        actor=cast.system, reason=NoticeReason.REJECTED, **about(card)
    )


@case("noticing.tell_of_rule", of_a_tenant=True)
def _tell_of_rule(cast: Cast) -> Act:
    return lambda: commands.tell_of_rule(actor=cast.system, reason=NoticeReason.RULE_TURNED, no=1)


@case("entrusting.ask_to_entrust")
def _entrust(cast: Cast) -> Act:
    person = UUID(somebody(cast).id)
    return lambda: accounts.change_person(
        actor=cast.noor, person_id=person, roles=("reviewer",), groups=("finance",), active=True
    )


def _agreed(cast: Cast) -> tuple[ProposalCard, Actor]:
    card, key = asked_by_key(cast)
    for person in (cast.ruth, cast.ines):
        approve(card, person)
    return card, key


def _taken_up(card: ProposalCard, key: Actor, call_key: UUID) -> Claimed:
    return commands.dispatch_own(
        actor=key,
        call_key=call_key,
        args=ARGS,
        before=BEFORE,
        contract=CONTRACT,
        **about(card),
    )
