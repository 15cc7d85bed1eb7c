"""Planted checks: who meets one, what it looks like, how it ends, and that nothing knows it."""

import threading
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, connections

from approvals import commands, policies, queries
from approvals.cards import CheckTruth, Listed
from approvals.errors import CheckRevealed, NotFullyShown
from approvals.models import Check, Decision, Notice, Proposal, Served, Vote
from approvals.states import CheckOutcome, Choice, CommentKind, ProposalState
from console.kernel import clock
from console.kernel.errors import NotAllowed
from console.kernel.transactions import in_tenant
from tests.accounts.trail import events
from tests.approvals.checks import agreed, asked, card_of, check_of, planted, planter, row_of
from tests.approvals.desk import approve, pulse, reject, shown, vote
from tests.approvals.glass import broken, lend
from tests.approvals.sql import run
from tests.cast import Cast


def of_kind(cast: Cast, action: str) -> list[dict[str, Any]]:
    return [one for one in events(cast) if one["action"] == action]


class TestPlant:
    def test_makes_a_bad_one_of_what_people_agreed_to(self, cast: Cast) -> None:
        proposal = planted(cast)
        check, row = check_of(cast, proposal), row_of(cast, proposal)
        found = queries.proposal(actor=cast.ruth, proposal_id=proposal)
        assert check.template in {"ten_times", "other_customer"}
        assert (row.is_check, str(row.check_for), row.state) == (True, cast.ruth.id, "open")
        assert found.refusal == ""
        assert found.check is None, "nothing tells before the answer"
        assert row.subject_id != row_of(cast, check.source_id).subject_id

    def test_is_nobody_s_who_saw_the_source_or_has_a_part_in_it(self, cast: Cast) -> None:
        agreed(cast, 1)
        agreed(cast, 2)
        because = asked(cast, 3).id
        for nobody in (cast.ines, cast.omar, cast.noor):
            given = {"person_id": UUID(nobody.id), "because_id": because}
            assert commands.plant(actor=planter(cast), **given) is None

    def test_is_nobody_s_who_can_search_the_trail(self, cast: Cast) -> None:
        both = cast.add("vera", roles=("reviewer", "auditor"), groups=("care",))
        agreed(cast, 1)
        agreed(cast, 2)
        given = {"person_id": UUID(both.id), "because_id": asked(cast, 3).id}
        assert commands.plant(actor=planter(cast), **given) is None

    def test_is_one_in_four_hours_whoever_plants(self, cast: Cast) -> None:
        planted(cast)
        for n in (4, 5):
            agreed(cast, n)
        with pytest.raises(IntegrityError, match=r"check_four_hours_apart|check_one_in_a_window"):
            commands.plant(
                actor=planter(cast), person_id=UUID(cast.ruth.id), because_id=asked(cast, 6).id
            )
        with clock.frozen(clock.later(clock.now(), seconds=4 * 3600 + 1)):
            assert commands.plant(
                actor=planter(cast), person_id=UUID(cast.ruth.id), because_id=asked(cast, 7).id
            )

    def test_is_planted_once_by_two_at_the_same_time(self, cast: Cast) -> None:
        for n in range(4):
            agreed(cast, n)
        lots = [asked(cast, 5).id, asked(cast, 6).id]
        gate = threading.Barrier(2)
        found: list[Any] = []

        def at_once(lot: UUID) -> None:
            gate.wait()
            try:
                found.append(
                    commands.plant(
                        actor=planter(cast), person_id=UUID(cast.ruth.id), because_id=lot
                    )
                )
            except IntegrityError as error:
                found.append(error)
            finally:
                connections.close_all()

        threads = [threading.Thread(target=at_once, args=(lot,)) for lot in lots]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert sorted(type(one).__name__ for one in found) == ["IntegrityError", "UUID"]
        with in_tenant(cast.tenant_id, read_only=True):
            assert Check.objects.count() == Proposal.with_checks.filter(is_check=True).count() == 1

    def test_leaves_nothing_behind_when_it_dies_half_way(
        self, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for n in (1, 2):
            agreed(cast, n)
        given = {"person_id": UUID(cast.ruth.id), "because_id": asked(cast, 3).id}
        with monkeypatch.context() as dying:
            dying.setattr("approvals.commands.planting.CheckPlanted", lambda **_: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                commands.plant(actor=planter(cast), **given)
        with in_tenant(cast.tenant_id, read_only=True):
            assert not Proposal.with_checks.filter(is_check=True).exists()
        proposal = commands.plant(actor=planter(cast), **given)
        assert proposal is not None

        card = shown(card_of(cast, proposal), cast.ruth)
        with monkeypatch.context() as dying:
            dying.setattr("approvals.commands.checking.CheckAnswered", lambda **_: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                vote(card, cast.ruth, Choice.APPROVE)
        assert (check_of(cast, proposal).outcome, row_of(cast, proposal).state) == (
            "waiting", "open",
        )  # fmt: skip
        assert vote(card, cast.ruth, Choice.APPROVE).check is CheckOutcome.MISSED

    def test_is_made_of_a_source_that_made_no_other(self, cast: Cast) -> None:
        nora = cast.add("nora", roles=("reviewer",), groups=("care",))
        first = check_of(cast, planted(cast))
        second = commands.plant(
            actor=planter(cast), person_id=UUID(nora.id), because_id=asked(cast, 4).id
        )
        assert second is not None
        assert check_of(cast, second).source_id != first.source_id
        mona = cast.add("mona", roles=("reviewer",), groups=("care",))
        given = {"person_id": UUID(mona.id), "because_id": asked(cast, 5).id}
        assert commands.plant(actor=planter(cast), **given) is None, "both sources are used up"


class TestPlantDue:
    def opened_by_ruth(self, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        for n in (1, 2):
            agreed(cast, n)
        shown(asked(cast, 3), cast.ruth)
        monkeypatch.setattr("approvals.policies.is_drawn", lambda *_a, **_k: True)

    def test_does_nothing_before_somebody_switches_it_on(
        self, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.opened_by_ruth(cast, monkeypatch)
        assert commands.plant_due(actor=planter(cast)) == 0

    def test_plants_for_who_drew_a_lot_and_once(
        self, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        commands.switch_checks(actor=cast.noor, is_on=True)
        self.opened_by_ruth(cast, monkeypatch)
        assert commands.plant_due(actor=planter(cast)) == 1
        assert commands.plant_due(actor=planter(cast)) == 0
        assert len(of_kind(cast, "check.planted")) == 1

    def test_draws_no_lot_of_what_was_opened_long_ago(
        self, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        commands.switch_checks(actor=cast.noor, is_on=True)
        self.opened_by_ruth(cast, monkeypatch)
        with clock.frozen(clock.later(clock.now(), seconds=3600)):
            assert commands.plant_due(actor=planter(cast)) == 0


class TestAnswer:
    @pytest.mark.parametrize(
        ("choice", "outcome", "says"),
        [
            (Choice.APPROVE, CheckOutcome.MISSED, "and you approved it"),
            (Choice.REJECT, CheckOutcome.CAUGHT, "and you caught it"),
        ],
    )
    def test_reveals_and_explains(
        self, cast: Cast, choice: Choice, outcome: CheckOutcome, says: str
    ) -> None:
        card = shown(card_of(cast, planted(cast)), cast.ruth)
        receipt = vote(card, cast.ruth, choice)
        check, row = check_of(cast, card.id), row_of(cast, card.id)
        assert (receipt.check, receipt.state) == (outcome, ProposalState.WITHDRAWN)
        assert says in receipt.remark
        assert check.wrong in receipt.remark
        assert (check.outcome, row.close_cause) == (outcome.value, "check answered")
        again = vote(card, cast.ruth, choice)
        assert (again.repeated, again.event_uid) == (True, receipt.event_uid)
        page = cast.client("ruth").get(f"/reviews/{card.id}/").content.decode()
        assert "This was a planted check" in page
        assert "planted it as a check" in page
        assert "proposal.opened" not in page, "no agent asked for it"
        with in_tenant(cast.tenant_id, read_only=True):
            assert not Vote.objects.filter(proposal_id=card.id).exists()
            assert not Decision.objects.filter(proposal_id=card.id).exists()
        assert not [one for one in of_kind(cast, "proposal.decided") if str(card.id) in str(one)]

    def test_refuses_what_it_refuses_of_any_other(self, cast: Cast) -> None:
        card = card_of(cast, planted(cast))
        with pytest.raises(NotFullyShown):
            vote(card, cast.ruth, Choice.APPROVE)
        assert check_of(cast, card.id).outcome == "waiting"

    @pytest.mark.parametrize("kind", [CommentKind.QUESTION, CommentKind.REQUEST_CHANGES])
    def test_is_a_question_too(self, cast: Cast, kind: CommentKind) -> None:
        proposal = planted(cast)
        with pytest.raises(CheckRevealed, match="you caught it"):
            commands.ask(actor=cast.ruth, proposal_id=proposal, kind=kind, text="Ten times?")
        assert check_of(cast, proposal).outcome == "caught"
        assert of_kind(cast, "proposal.asked") == []

    def test_is_no_note(self, cast: Cast) -> None:
        proposal = planted(cast)
        commands.ask(actor=cast.ruth, proposal_id=proposal, kind=CommentKind.NOTE, text="Hm.")
        assert check_of(cast, proposal).outcome == "waiting"

    def test_is_an_edit_too(self, cast: Cast) -> None:
        proposal = planted(cast)
        with pytest.raises(CheckRevealed, match="you caught it"):
            commands.preview_edit(actor=cast.ruth, proposal_id=proposal, args={"order_id": "#W2"})
        assert check_of(cast, proposal).answer == "edit"

    def test_is_missed_by_breaking_glass_which_nobody_has_to_review(self, cast: Cast) -> None:
        proposal = planted(cast)
        lend(cast, cast.ruth)
        with pytest.raises(CheckRevealed, match="you approved it"):
            broken(card_of(cast, proposal), cast.ruth)
        assert check_of(cast, proposal).outcome == "missed"
        assert run(cast, "SELECT 1 FROM approvals_review_task") == []

    def test_is_one_of_a_batch(self, cast: Cast) -> None:
        card = shown(card_of(cast, planted(cast)), cast.ruth)
        other = shown(asked(cast, 8), cast.ruth)
        items = [
            Listed(proposal_id=one.id, revision_no=1, digest=one.digest) for one in (card, other)
        ]
        results = commands.cast_batch(actor=cast.ruth, items=items, choice=Choice.APPROVE)
        assert [one.receipt.check for one in results if one.receipt] == [CheckOutcome.MISSED, None]

    def test_is_nothing_when_its_time_is_over(self, cast: Cast) -> None:
        proposal = planted(cast)
        with clock.frozen(card_of(cast, proposal).decide_by + timedelta(seconds=1)):
            commands.settle_due(actor=pulse(cast))
            assert check_of(cast, proposal).outcome == "lapsed"
            assert row_of(cast, proposal).state == "expired"
        with in_tenant(cast.tenant_id, read_only=True):
            assert not Notice.objects.filter(proposal_id=proposal).exists()

    def test_commits_the_trail_before_and_opens_it_after(self, cast: Cast) -> None:
        proposal = planted(cast)
        (sealed,) = of_kind(cast, "check.planted")
        told = str(sealed)
        check = check_of(cast, proposal)
        for secret in (cast.ruth.id, str(proposal), str(check.source_id), check.nonce):
            assert secret not in told
        reject(card_of(cast, proposal), cast.ruth)
        (opened_,) = of_kind(cast, "check.answered")
        bind = opened_["bind"]
        truth = CheckTruth(
            tenant_id=cast.tenant_id,
            check_id=check.id,
            proposal_id=UUID(bind["proposal_id"]),
            person_id=UUID(bind["person"]),
            source_id=UUID(bind["source"]),
            template=bind["template"],
            digest=bind["digest"],
            nonce=bind["nonce"],
        )
        assert policies.commitment(truth).hex() == sealed["bind"]["commitment"]
        assert str(proposal) == bind["proposal_id"]

    def test_tells_the_person_and_who_leads_when_too_few_are_caught(
        self, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("approvals.policies.checking.LAST", 1)
        monkeypatch.setattr("approvals.policies.checking.LEAST_CAUGHT", 1)
        approve(card_of(cast, planted(cast)), cast.ruth)
        told = run(cast, "SELECT person_id::text FROM approvals_notice WHERE reason = 'checks'")
        assert {row[0] for row in told} == {cast.ruth.id, cast.noor.id}


class TestSwitchChecks:
    def test_is_off_until_somebody_says_so(self, cast: Cast) -> None:
        assert not queries.check_setting(actor=cast.ruth).is_on
        card = commands.switch_checks(actor=cast.noor, is_on=True)
        assert (card.is_on, card.set_by) == (True, cast.noor.label)
        assert of_kind(cast, "checks.switched")[-1]["bind"]["is_on"] is True

    def test_is_for_who_manages_policies(self, cast: Cast) -> None:
        with pytest.raises(NotAllowed):
            commands.switch_checks(actor=cast.ruth, is_on=True)
        answer = cast.client("ruth").post("/reviews/attention/checks/", {"checks": "on"})
        assert answer.status_code == 403

    def test_is_a_button_and_an_address(self, cast: Cast) -> None:
        noor = cast.client("noor")
        assert "Plant checks from now on" in noor.get("/reviews/attention/").content.decode()
        noor.post("/reviews/attention/checks/", {"checks": "on"})
        assert "Plant no more checks" in noor.get("/reviews/attention/").content.decode()
        answer = cast.api("noor").post(
            "/api/v1/approvals/attention/checks", {"is_on": False}, format="json"
        )
        assert answer.json()["is_on"] is True  # two people are asked; see `test_gating`
        ruth = cast.client("ruth").get("/reviews/attention/").content.decode()
        assert "Whoever has the right" in ruth


class TestTheApi:
    def test_reveals_in_the_receipt(self, cast: Cast) -> None:
        proposal = planted(cast)
        api = cast.api("ruth")
        digest = api.get(f"/api/v1/approvals/proposals/{proposal}").json()["proposal"]["digest"]
        answer = api.post(
            f"/api/v1/approvals/proposals/{proposal}/votes",
            {"revision": 1, "digest": digest, "choice": "approve"},
            format="json",
        ).json()
        assert (answer["check"], answer["state"]) == ("missed", "withdrawn")

    def test_reveals_a_question_as_a_refusal_with_a_name(self, cast: Cast) -> None:
        proposal = planted(cast)
        answer = cast.api("ruth").post(
            f"/api/v1/approvals/proposals/{proposal}/comments",
            {"kind": "question", "text": "Why?"},
            format="json",
        )
        assert (answer.status_code, answer.json()["code"]) == (409, "check.revealed")

    def test_asks_on_the_page_and_comes_back_to_it(self, cast: Cast) -> None:
        proposal = planted(cast)
        client = cast.client("ruth")
        answer = client.post(
            f"/reviews/{proposal}/ask/", {"kind": "question", "text": "Why?", "revision_no": "1"}
        )
        assert answer.status_code == 302
        assert "You did not approve it" in client.get(answer.url).content.decode()  # type: ignore[attr-defined]


class TestServed:
    def test_keeps_what_was_shown_of_a_check_as_of_any_other(self, cast: Cast) -> None:
        proposal = planted(cast)
        cast.client("ruth").get(f"/reviews/{proposal}/")
        with in_tenant(cast.tenant_id, read_only=True):
            assert Served.objects.filter(proposal_id=proposal, person_id=cast.ruth.id).exists()
