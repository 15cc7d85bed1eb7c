"""Breaking glass: it replaces votes and nothing else, and bars its user until it was reviewed."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from approvals import commands, queries
from approvals.cards import Claimed, NotClaimed, ProposalCard, Subject
from approvals.cards.reviewing import GlassReceipt
from approvals.commands.versioning import ACTIVATE, SUBJECT
from approvals.models import BreakGlassUse, Decision, Notice, ReviewTask
from approvals.policies.breaking import execute_s
from approvals.states import Basis, NoticeReason, ProposalState, ReviewVerdict
from console.accounts import commands as accounts
from console.accounts.states import PERMISSIONS_OF, SCOPES, Permission
from console.kernel import clock
from console.kernel.errors import ConsoleError
from console.kernel.ids import uuid7
from console.kernel.transactions import in_tenant
from tests.accounts.test_proofs import aged
from tests.accounts.trail import events
from tests.approvals.clocks import asking, happened
from tests.approvals.desk import approve, claim, now, opened, pulse, reject, shown
from tests.approvals.glass import broken, close, lend, use
from tests.approvals.policies.rules import FINANCE, rule, spoken
from tests.architecture.test_machines import machines
from tests.cast import Cast, Members
from tests.races.test_votes import at_once


@pytest.fixture
def held(cast: Cast) -> ProposalCard:
    """Return a proposal that needs two people, while Ruth holds the right."""
    lend(cast, cast.ruth)
    return opened(cast, tier=2)


def refused(code: str, act: Callable[[], Any]) -> ConsoleError:
    with pytest.raises(ConsoleError) as error:
        act()
    assert error.value.code == code, error.value
    return error.value


def told(cast: Cast, card: ProposalCard) -> set[UUID | None]:
    with in_tenant(cast.tenant_id, read_only=True):
        rows = Notice.objects.filter(proposal_id=card.id, reason=NoticeReason.BREAK_GLASS.value)
        return set(rows.values_list("person_id", flat=True))


def stop(cast: Cast, card: ProposalCard) -> None:
    commands.freeze(
        actor=pulse(cast), proposal_ids=[card.id], cause="refunds are stopped", since=clock.now()
    )


class TestRight:
    def test_is_in_no_role_and_no_key_can_have_it(self) -> None:
        assert not [
            role
            for role, given in PERMISSIONS_OF.items()
            if Permission.APPROVALS_BREAK_GLASS in given
        ]
        assert Permission.APPROVALS_BREAK_GLASS not in SCOPES

    def test_is_needed_whatever_else_somebody_may(self, cast: Cast) -> None:
        every = frozenset(str(one) for one in Permission)
        boss = replace(
            cast.add("boss", roles=("reviewer", "operator", "auditor", "admin")), permissions=every
        )
        card = shown(opened(cast), boss)
        refused("break_glass.not_granted", partial(use, card, boss))
        assert happened(cast, card)[-1] == "break_glass.refused"

    def test_is_lent_by_an_administrator_who_is_somebody_else(self, cast: Cast) -> None:
        refused("break_glass.own_grant", partial(lend, cast, cast.noor))
        with pytest.raises(ConsoleError) as error:
            commands.lend_break_glass(
                actor=cast.ruth, person_id=UUID(cast.ines.id), minutes=5, reason="Because."
            )
        assert error.value.details["permission"] == Permission.ACCOUNTS_MANAGE
        stale = replace(cast, members=Members(cast.members))
        stale.members["noor"] = replace(cast.members["noor"], actor=aged(cast.noor, 301))
        refused("stepup.required", partial(lend, stale, cast.ruth))

    @pytest.mark.parametrize("minutes", [0, 61])
    def test_is_lent_for_an_hour_at_most(self, cast: Cast, minutes: int) -> None:
        with pytest.raises(ConsoleError, match="1 to 60 minutes"):
            lend(cast, cast.ruth, minutes=minutes)

    def test_is_never_lengthened(self, cast: Cast) -> None:
        first = lend(cast, cast.ruth)
        refused("break_glass.granted", partial(lend, cast, cast.ruth))
        commands.revoke_break_glass(actor=cast.noor, grant_id=first.id)
        assert lend(cast, cast.ruth).live

    def test_is_lent_once_by_two_at_the_same_time(self, cast: Cast) -> None:
        found = at_once([partial(lend, cast, cast.ruth)] * 4)
        codes = sorted(getattr(one, "code", "lent") for one in found)
        assert codes == ["break_glass.granted"] * 3 + ["lent"]

    def test_ends_by_itself_and_by_being_taken_away(self, cast: Cast) -> None:
        card = shown(opened(cast), cast.ruth)
        grant = lend(cast, cast.ruth, minutes=5)
        with clock.frozen(grant.expires_at):
            refused("break_glass.not_granted", partial(use, card, cast.ruth))
        commands.revoke_break_glass(actor=cast.noor, grant_id=grant.id)
        refused("break_glass.not_granted", partial(use, card, cast.ruth))
        refused(
            "break_glass.over",
            partial(commands.revoke_break_glass, actor=cast.noor, grant_id=grant.id),
        )

    def test_stands_in_the_trail_with_who_lent_it_and_why(self, cast: Cast) -> None:
        grant = lend(cast, cast.ruth)
        commands.revoke_break_glass(actor=cast.noor, grant_id=grant.id)
        given, taken = [one for one in events(cast) if one["action"].startswith("break_glass.")]
        assert (given["action"], taken["action"]) == ("break_glass.granted", "break_glass.revoked")
        assert given["actor"]["id"] == taken["actor"]["id"] == cast.noor.id
        assert given["reason"] == "The shop is down."
        assert given["bind"]["person"] == cast.ruth.id


class TestBreakGlass:
    def test_approves_alone_what_needs_two(self, cast: Cast, held: ProposalCard) -> None:
        receipt = broken(held, cast.ruth)
        found = now(cast, held, cast.ruth)
        assert found.card.state is ProposalState.APPROVED
        assert found.decision is not None
        assert found.decision.basis is Basis.BREAK_GLASS
        assert found.decision.people == ("Ruth, with break-glass",)
        assert isinstance(claim(cast, held), Claimed)
        (said,) = [one for one in events(cast) if one["action"] == "proposal.break_glass"]
        assert (said["reason"], said["bind"]["ticket"]) == (
            "Orders go out twice a minute.",
            "INC-7",
        )
        assert said["bind"]["digest"] == held.digest
        assert said["bind"]["session"] == cast.ruth.session
        assert receipt.event_uid == UUID(said["uid"])

    def test_tells_everybody_who_is_skipped_in_the_same_transaction(
        self, cast: Cast, held: ProposalCard
    ) -> None:
        iris = cast.add("iris", roles=("reviewer",), groups=("finance",))
        cast.add("nobody", roles=("reviewer",))  # in no group that this asks
        receipt = broken(held, cast.ruth)
        assert told(cast, held) == {UUID(cast.ines.id), UUID(iris.id)}
        assert receipt.told == 2

    def test_may_be_run_for_a_quarter_of_an_hour_at_most(
        self, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asking(monkeypatch, execute_s=7200)
        lend(cast, cast.ruth)
        card = opened(cast)
        receipt = broken(card, cast.ruth)
        with in_tenant(cast.tenant_id, read_only=True):
            decided = Decision.objects.get(proposal_id=card.id).decided_at
        assert receipt.execute_by == decided + timedelta(minutes=15)
        with clock.frozen(receipt.execute_by):
            assert claim(cast, card).code == "proposal.expired"
        short = now(cast, opened(cast, tier=2)).requirement
        assert execute_s(short, Basis.BREAK_GLASS) == 600

    def test_returns_its_first_receipt_when_it_comes_again(
        self, cast: Cast, held: ProposalCard
    ) -> None:
        first = broken(held, cast.ruth)
        again = use(held, cast.ruth)
        assert again == replace(first, repeated=True)
        with in_tenant(cast.tenant_id, read_only=True):
            assert BreakGlassUse.objects.count() == 1

    def test_is_for_people_in_a_session_only(self, cast: Cast, held: ProposalCard) -> None:
        for actor in [*machines(cast), replace(cast.ruth, session="")]:
            refused("break_glass.machine", partial(use, held, actor))

    def test_is_not_for_who_had_a_part_in_the_request(self, cast: Cast) -> None:
        lend(cast, cast.omar)
        refused("vote.principal", partial(broken, opened(cast), cast.omar))

    def test_is_also_for_who_is_no_reviewer(self, cast: Cast) -> None:
        helper = cast.add("helper", roles=("operator",))
        lend(cast, helper)
        card = opened(cast, tier=2)
        receipt = broken(card, helper)
        assert receipt.told == 2
        assert isinstance(claim(cast, card), Claimed)

    def test_never_changes_the_rules_themselves(self, cast: Cast) -> None:
        lend(cast, cast.ruth)
        card = opened(
            cast, tier=2, subject=Subject(kind=SUBJECT, id=uuid7()), chain=(), tool=ACTIVATE
        )
        refused("break_glass.not_offered", partial(broken, card, cast.ruth))

    def test_needs_what_an_approval_needs(self, cast: Cast, held: ProposalCard) -> None:
        ruth = cast.ruth
        refused("vote.not_fully_shown", partial(use, held, ruth))
        shown(held, ruth)
        refused("proposal.stale", partial(use, held, ruth, seen_digest="0" * 64))
        refused("stepup.required", partial(use, held, aged(ruth, 301)))
        accounts.step_up(actor=ruth, password="levers and bells 1874")
        stop(cast, held)
        refused("proposal.frozen", partial(use, held, ruth))
        assert happened(cast, held)[-1] == "break_glass.refused"

    @pytest.mark.parametrize("name", ["reason", "ticket"])
    def test_needs_a_reason_and_a_ticket(self, cast: Cast, held: ProposalCard, name: str) -> None:
        error = refused("invalid", partial(broken, held, cast.ruth, **{name: " \n"}))
        assert set(error.details["fields"]) == {name}  # type: ignore[call-overload]

    def test_comes_too_late_and_keeps_the_expiry(self, cast: Cast, held: ProposalCard) -> None:
        shown(held, cast.ruth)
        with clock.frozen(held.decide_by):
            refused("proposal.expired", partial(use, held, cast.ruth))
        assert now(cast, held).card.state is ProposalState.EXPIRED

    def test_does_not_undo_a_rejection(self, cast: Cast, held: ProposalCard) -> None:
        shown(held, cast.ruth)
        reject(held, cast.ines)
        refused("proposal.decided", partial(use, held, cast.ruth))


class TestDispatch:
    def test_still_meets_a_rule_that_denies(self, cast: Cast, held: ProposalCard) -> None:
        broken(held, cast.ruth)
        spoken(cast, rule("never", "deny", match={"tool": "cancel_*"}))
        found = claim(cast, held)
        assert (found.code, found.state) == ("policy.denied", ProposalState.BLOCKED)

    def test_asks_no_more_votes_of_a_rule_that_holds(self, cast: Cast, held: ProposalCard) -> None:
        broken(held, cast.ruth)
        spoken(cast, rule("more", "hold", match={"tool": "cancel_*"}, require=FINANCE))
        assert isinstance(claim(cast, held), Claimed)

    def test_still_meets_a_stop(self, cast: Cast, held: ProposalCard) -> None:
        broken(held, cast.ruth)
        stop(cast, held)
        assert claim(cast, held).code == "proposal.frozen"

    def test_still_meets_a_changed_target_and_another_call(
        self, cast: Cast, held: ProposalCard
    ) -> None:
        broken(held, cast.ruth)
        assert claim(cast, held, args={"order_id": "#W2"}).code == "dispatch.other_call"
        moved = {"orders": {"#W1": {"status": "shipped", "total": 41800}}}
        assert claim(cast, held, before=moved).code == "proposal.stale"

    @pytest.mark.parametrize("how", ["right", "person"])
    def test_goes_back_to_people_once_its_user_lost_the_right(self, cast: Cast, how: str) -> None:
        grant = lend(cast, cast.ruth)
        card = opened(cast, tier=2)
        broken(card, cast.ruth)
        if how == "right":
            commands.revoke_break_glass(actor=cast.noor, grant_id=grant.id)
        else:
            accounts.set_membership(
                actor=cast.noor, person_id=UUID(cast.ruth.id), roles=["reviewer"], groups=[],
                active=False,
            )  # fmt: skip
        found = claim(cast, card)
        assert isinstance(found, NotClaimed)
        assert (found.code, found.state) == ("proposal.reopened", ProposalState.OPEN)

    def test_outlives_the_end_of_the_hour(self, cast: Cast) -> None:
        grant = lend(cast, cast.ruth, minutes=1)
        card = opened(cast, tier=2)
        broken(card, cast.ruth)
        with clock.frozen(grant.expires_at + timedelta(minutes=2)):
            assert isinstance(claim(cast, card), Claimed)

    def test_is_not_stopped_by_a_vote_that_it_did_not_rest_on(
        self, cast: Cast, held: ProposalCard
    ) -> None:
        approve(held, cast.ines)
        broken(held, cast.ruth)
        commands.withdraw_vote(actor=cast.ines, proposal_id=held.id)
        assert isinstance(claim(cast, held), Claimed)


class TestReview:
    def test_bars_the_next_use_until_somebody_else_closes_it(self, cast: Cast) -> None:
        lend(cast, cast.ruth)
        receipt = broken(opened(cast, tier=2), cast.ruth)
        card = opened(cast, tier=2)
        error = refused("break_glass.barred", partial(broken, card, cast.ruth))
        assert error.details["review_task"] == str(receipt.task_id)
        refused("review_task.not_eligible", partial(close, receipt.task_id, cast.ruth))
        close(receipt.task_id, cast.ines)
        assert broken(card, cast.ruth).task_id != receipt.task_id

    def test_bars_across_grants(self, cast: Cast) -> None:
        grant = lend(cast, cast.ruth)
        broken(opened(cast, tier=2), cast.ruth)
        commands.revoke_break_glass(actor=cast.noor, grant_id=grant.id)
        lend(cast, cast.ruth)
        refused("break_glass.barred", partial(broken, opened(cast, tier=2), cast.ruth))

    def test_lets_one_of_two_uses_at_the_same_time_pass(self, cast: Cast) -> None:
        lend(cast, cast.ruth)
        cards = [shown(opened(cast, tier=2), cast.ruth) for _ in range(4)]
        found = at_once([partial(use, card, cast.ruth) for card in cards])
        codes = sorted(getattr(one, "code", "used") for one in found)
        assert codes == ["break_glass.barred"] * 3 + ["used"]
        with in_tenant(cast.tenant_id, read_only=True):
            assert ReviewTask.objects.count() == BreakGlassUse.objects.count() == 1
            assert Decision.objects.count() == 1

    def test_makes_one_decision_with_a_vote_at_the_same_time(self, cast: Cast) -> None:
        lend(cast, cast.ruth)
        card = opened(cast)
        for who in (cast.ruth, cast.ines):
            shown(card, who)
        found = at_once([partial(use, card, cast.ruth), partial(approve, card, cast.ines)])
        assert len([one for one in found if isinstance(one, ConsoleError)]) == 1
        with in_tenant(cast.tenant_id, read_only=True):
            assert Decision.objects.filter(proposal_id=card.id).count() == 1
            assert BreakGlassUse.objects.count() == isinstance(found[0], GlassReceipt)

    @pytest.mark.parametrize("name", ["omar", "noor", "stranger"])
    def test_is_not_closed_by_who_could_not_have_decided_it(self, cast: Cast, name: str) -> None:
        lend(cast, cast.ruth)
        receipt = broken(opened(cast, tier=2), cast.ruth)
        who = {
            "omar": cast.omar,
            "noor": cast.noor,
            "stranger": cast.add("loner", roles=("reviewer",)),
        }[name]
        refused("review_task.not_eligible", partial(close, receipt.task_id, who))

    def test_is_closed_once(self, cast: Cast) -> None:
        lend(cast, cast.ruth)
        receipt = broken(opened(cast, tier=2), cast.ruth)
        iris = cast.add("iris", roles=("reviewer",), groups=("care",))
        found = at_once([partial(close, receipt.task_id, who) for who in (cast.ines, iris)] * 2)
        codes = sorted(getattr(one, "code", "closed") for one in found)
        assert codes == ["closed"] + ["review_task.closed"] * 3

    def test_needs_a_note_and_a_person(self, cast: Cast) -> None:
        lend(cast, cast.ruth)
        receipt = broken(opened(cast, tier=2), cast.ruth)
        refused("invalid", partial(close, receipt.task_id, cast.ines, note=" "))
        for actor in machines(cast):
            refused("break_glass.machine", partial(close, receipt.task_id, actor))

    def test_stands_in_the_history_of_the_proposal(self, cast: Cast) -> None:
        lend(cast, cast.ruth)
        card = opened(cast, tier=2)
        receipt = broken(card, cast.ruth)
        close(receipt.task_id, cast.ines, verdict=ReviewVerdict.DISAGREE, note="It could wait.")
        assert happened(cast, card) == [
            "proposal.opened",
            "proposal.break_glass",
            "proposal.decided",
            "review_task.opened",
            "review_task.closed",
        ]
        (task,) = queries.review_tasks(actor=cast.ines, closed=True)
        assert (task.verdict, task.closed_by, task.about) == (
            ReviewVerdict.DISAGREE,
            "Ines",
            "Ruth",
        )
        assert queries.review_tasks(actor=cast.ines) == ()
