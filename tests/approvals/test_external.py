"""Agents that run elsewhere: asking and taking back by a service key."""

from typing import Any

import pytest

from agents.controls import commands as controls
from agents.controls.cards import Scope
from agents.controls.states import ScopeKind
from approvals import commands
from approvals.api.proposals import Proposals
from approvals.errors import NotEditable
from approvals.states import Choice, PrincipalRole, ProposalState
from console.accounts.states import SCOPES
from console.kernel.ids import uuid7
from tests.approvals import outsider as them
from tests.approvals.desk import now, opened
from tests.approvals.outsider import (
    AFTER,
    ARGS,
    BASE,
    TOOL,
    Outsider,
    asked,
    card_of,
    decide,
    proposal,
    registered,
)
from tests.cast import Cast


@pytest.fixture
def cast() -> Cast:
    return them.with_tool()


@pytest.fixture
def outsider(cast: Cast) -> Outsider:
    return them.outsider(cast)


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


class TestPropose:
    def test_waits_for_people(self, cast: Cast, outsider: Outsider) -> None:
        answer = outsider.propose()

        assert answer.status_code == 201, answer.content
        told = answer.json()
        assert (told["state"], told["settled"], told["needs"]) == ("open", False, 1)
        assert told["told"] == "People have not decided yet."
        detail = now(cast, proposal(told))
        assert (detail.content.args, detail.content.after) == (ARGS, AFTER)
        assert detail.facts.tool_summary == "Changes the phone of a customer."
        assert detail.card.subject.kind == "external"

    def test_says_that_a_window_remains(self, cast: Cast, outsider: Outsider) -> None:
        page = cast.client("ruth").get(f"/reviews/{outsider.opened()['id']}/").content.decode()

        assert "Between that look and the change a moment remains." in " ".join(page.split())

    def test_puts_the_issuer_of_the_key_into_the_chain(
        self, cast: Cast, outsider: Outsider
    ) -> None:
        found = outsider.opened()

        chain = {(one.role, one.actor_kind): one for one in now(cast, proposal(found)).principals}

        assert chain[PrincipalRole.AGENT, "key"].actor_id == str(outsider.key_id)
        assert str(chain[PrincipalRole.OWNER, "person"].person_id) == cast.noor.id
        assert len(chain) == 2

    def test_the_same_again_gets_the_live_one(self, outsider: Outsider) -> None:
        subject = str(uuid7())
        first, again = outsider.opened(subject=subject), outsider.opened(subject=subject)

        assert again["id"] == first["id"]

    def test_other_content_takes_its_place(self, cast: Cast, outsider: Outsider) -> None:
        subject = str(uuid7())
        first = outsider.opened(subject=subject)
        second = outsider.opened(subject=subject, args={**ARGS, "phone": "+1 555 0101"})

        assert second["id"] != first["id"]
        assert card_of(cast, first).state is ProposalState.SUPERSEDED
        assert outsider.wait(first).json()["proposal"]["told"].startswith("A newer request")

    def test_two_keys_never_share_a_subject(self, cast: Cast, outsider: Outsider) -> None:
        subject = str(uuid7())
        first = outsider.opened(subject=subject)
        them.outsider(cast).opened(subject=subject, args={**ARGS, "phone": "+1 555 0101"})

        assert card_of(cast, first).state is ProposalState.OPEN

    def test_an_idempotency_key_gets_the_first_answer(self, outsider: Outsider) -> None:
        subject = str(uuid7())
        first = outsider.propose(subject=subject, key="once-and-once-only")
        again = outsider.propose(subject=subject, key="once-and-once-only")
        other = outsider.propose(subject=str(uuid7()), key="once-and-once-only")

        assert again.json() == first.json()
        assert again["Idempotent-Replay"] == "true"
        assert code_of(other) == (409, "idempotency.mismatch")

    def test_a_tool_that_nobody_registered_is_blocked(self, outsider: Outsider) -> None:
        told = outsider.opened(tool="crm.delete_everything")

        assert (told["state"], told["settled"], told["tier"]) == ("blocked", True, 2)
        assert told["told"].startswith("A rule does not allow this")

    @pytest.mark.parametrize(("least", "said", "tier"), [(2, 1, 2), (1, 2, 2), (1, 1, 1)])
    def test_the_tier_is_never_below_the_tools(
        self, cast: Cast, outsider: Outsider, least: int, said: int, tier: int
    ) -> None:
        registered(cast, "crm.merge", tier=least)

        assert outsider.opened(tool="crm.merge", tier=said)["tier"] == tier

    @pytest.mark.parametrize(
        "other",
        [
            {"subject": "c-17"},
            {"tool": "no such name!"},
            {"tier": 0},
            {"tier": 3},
            {"title": "Change\u202ephone"},
            {"title": ""},
            {"args": "text"},
            {"before": {"customer": "c-17"}},
            {"after": {"customer": {"c-17": 7}}},
            {"contract": ""},
            {"decide_by": "2027-01-01T00:00:00Z"},
            {"require": {}},
        ],
    )
    def test_refuses_bad_values(self, outsider: Outsider, other: dict[str, Any]) -> None:
        answer = outsider.propose(**other)

        assert code_of(answer) == (400, "invalid")

    def test_needs_the_scope_and_a_key(self, cast: Cast, outsider: Outsider) -> None:
        every_other = them.outsider(cast, *(one for one in SCOPES if one != "approvals.propose"))

        assert code_of(every_other.propose()) == (403, "forbidden")
        assert cast.api("ruth").post(f"{BASE}/proposals", asked(), format="json").status_code == 403
        noor = cast.api("noor").post(f"{BASE}/proposals", asked(), format="json")
        assert code_of(noor) == (403, "forbidden")

    def test_is_limited_for_each_key(
        self, outsider: Outsider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Proposals, "writes_per_minute", 2)
        found = [outsider.propose().status_code for _ in range(3)]

        assert found == [201, 201, 429]
        assert outsider.post(f"proposals/{uuid7()}/withdraw", {}).status_code == 404

    def test_a_stop_stands_against_it(self, cast: Cast, outsider: Outsider) -> None:
        stop = Scope(kind=ScopeKind.TOOL, value=TOOL)
        controls.engage(actor=cast.omar, scope=stop, reason="The CRM is being moved.")

        assert code_of(outsider.propose()) == (409, "stop.active")


class TestWithdraw:
    def test_ends_what_the_key_opened(self, cast: Cast, outsider: Outsider) -> None:
        found = outsider.opened()
        path = f"proposals/{found['id']}/withdraw"

        answers = [outsider.post(path, {}).status_code for _ in range(2)]

        assert answers == [204, 204]
        assert card_of(cast, found).state is ProposalState.WITHDRAWN

    def test_ends_nothing_of_others(self, cast: Cast, outsider: Outsider) -> None:
        path = f"proposals/{outsider.opened()['id']}/withdraw"
        hosted = f"proposals/{opened(cast).id}/withdraw"
        reader = them.outsider(cast, *SCOPES)

        assert code_of(them.outsider(cast).post(path, {})) == (404, "missing")
        assert code_of(reader.post(path, {})) == (403, "proposal.not_yours")
        assert code_of(reader.post(hosted, {})) == (403, "proposal.not_yours")
        assert code_of(outsider.post(hosted, {})) == (404, "missing")

    def test_changes_nothing_that_is_settled(self, cast: Cast, outsider: Outsider) -> None:
        found = outsider.opened()
        decide(cast, found, Choice.REJECT)

        answer = outsider.post(f"proposals/{found['id']}/withdraw", {})

        assert code_of(answer) == (409, "proposal.decided")

    def test_its_issuer_may_do_it_too(self, cast: Cast, outsider: Outsider) -> None:
        found = outsider.opened()

        answer = cast.api("noor").post(
            f"{BASE}/proposals/{found['id']}/withdraw", {}, format="json"
        )

        assert answer.status_code == 204, answer.content


class TestMachines:
    @pytest.mark.parametrize(
        ("path", "body"),
        [
            ("votes", {"revision": 1, "digest": "0" * 64, "choice": "approve"}),
            ("votes/challenges", {"revision": 1, "digest": "0" * 64, "choice": "approve"}),
            ("claim", {}),
            ("extend", {"reason": "More time.", "clock_no": 1}),
            ("comments", {"kind": "note", "text": "Please."}),
            ("refresh", {"revision": 1, "digest": "0" * 64}),
            ("hand-back", {"revision": 1, "digest": "0" * 64}),
        ],
    )
    def test_never_do_what_people_do(
        self, cast: Cast, outsider: Outsider, path: str, body: dict[str, Any]
    ) -> None:
        every = them.outsider(cast, *SCOPES)
        found = every.opened()

        answer = every.post(f"proposals/{found['id']}/{path}", body)

        assert answer.status_code == 403, answer.content

    def test_never_say_what_became_of_a_dispatch(self, cast: Cast, outsider: Outsider) -> None:
        every = them.outsider(cast, *SCOPES)
        dispatch_id = every.dispatch(every.approved()).json()["dispatch_id"]
        every.post(f"dispatches/{dispatch_id}/outcome", {"outcome": "unknown"})

        answer = every.post(
            f"dispatches/{dispatch_id}/reconcile", {"outcome": "succeeded", "evidence": "I did it."}
        )

        assert code_of(answer) == (403, "forbidden")


class TestEdit:
    def test_is_for_nobody_without_a_schema(self, cast: Cast, outsider: Outsider) -> None:
        found = outsider.opened()
        card = card_of(cast, found)
        with pytest.raises(NotEditable):
            commands.edit(
                actor=cast.ruth,
                proposal_id=card.id,
                revision_no=1,
                seen_digest=card.digest,
                args={**ARGS, "phone": "+1 555 0102"},
            )

        page = cast.client("ruth").get(f"/reviews/{card.id}/edit/")

        assert page.status_code == 409
        assert b"Only the agent that asked knows" in page.content
