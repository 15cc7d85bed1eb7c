"""A change by the API: four views of it, what moved since, and what its target did."""

from typing import Any

import pytest

from approvals import commands
from approvals.cards import ProposalCard
from tests.approvals import letters
from tests.approvals.desk import approve, opened
from tests.approvals.letters import DRAWER
from tests.approvals.sql import run
from tests.cast import Cast

BASE = "/api/v1/approvals/proposals"
LONG = "\n".join(f"line {n}" for n in range(60))
OTHER = LONG.replace("line 7", "line seven").replace("line 40", "line forty")


def diff(client: Any, card: ProposalCard, view: str = "") -> Any:
    return client.get(f"{BASE}/{card.id}/diff{f'?view={view}' if view else ''}")


def texts(cast: Cast) -> ProposalCard:
    """Open a change of a status, and of a text that is long enough to be folded."""
    image = {"status": "pending", "note": LONG, "total": 1}
    before, after = ({"orders": {"#W1": {**image, **new}}} for new in ({}, CHANGED))
    return opened(cast, tier=2, before=before, after=after)


CHANGED = {"status": "cancelled", "note": OTHER}


def served(cast: Cast) -> list[tuple[str, list[str]]]:
    rows = run(cast, "SELECT view, parts FROM approvals_served ORDER BY served_at")
    return [(view, sorted(parts)) for view, parts in rows]


class TestDiff:
    def test_shows_one_view_and_binds_it_to_its_digest(self, cast: Cast) -> None:
        card, client = texts(cast), cast.api("ruth")
        for view in ("fields", "unified", "side", "raw"):
            found = diff(client, card, view).json()
            assert (found["revision_no"], found["digest"]) == (1, card.digest)
            others = {"fields", "unified", "side", "raw"} - {view}
            assert found[view]
            assert all(found[name] is None for name in others)
        assert diff(client, card).json()["view"] == "fields"

    def test_says_the_same_in_lines_and_in_columns(self, cast: Cast) -> None:
        card, client = texts(cast), cast.api("ruth")
        long, short = diff(client, card, "unified").json()["unified"]
        assert [one["text"] for one in short["lines"]] == ["status: pending", "status: cancelled"]
        changed = [one for one in long["lines"] if one["mark"] != "same"]
        assert [(one["mark"], one["text"]) for one in changed] == [
            ("del", "line 7"), ("add", "line seven"), ("del", "line 40"), ("add", "line forty"),
        ]  # fmt: skip
        assert len(long["lines"]) == 62
        rows = diff(client, card, "side").json()["side"][0]["rows"]
        assert len(rows) == 60
        moved = [row for row in rows if row["left"] != row["right"]]
        assert [(row["left"]["text"], row["right"]["text"]) for row in moved] == [
            ("line 7", "line seven"),
            ("line 40", "line forty"),
        ]
        raw = diff(client, card, "raw").json()["raw"]
        assert raw["args"] == '{"order_id":"#W1","reason":"ordered by mistake"}'

    def test_counts_as_shown_but_not_for_what_stands_around_it(self, cast: Cast) -> None:
        card, client = opened(cast), cast.api("ruth")
        assert diff(client, card).status_code == 200
        assert served(cast) == [("fields", ["1"])]
        body = {"revision": 1, "digest": card.digest, "choice": "approve"}
        early = client.post(f"{BASE}/{card.id}/votes", body, format="json")
        assert (early.status_code, early.json()["code"]) == (409, "vote.not_fully_shown")
        assert client.get(f"{BASE}/{card.id}").status_code == 200
        assert client.post(f"{BASE}/{card.id}/votes", body, format="json").status_code == 201

    def test_serves_programs_and_keeps_nothing_of_them(self, cast: Cast) -> None:
        card = opened(cast)
        assert diff(cast.key_client("approvals.view"), card).status_code == 200
        assert served(cast) == []

    def test_tells_nothing_of_votes(self, cast: Cast) -> None:
        card, client = opened(cast, tier=2), cast.api("ruth")
        first = diff(client, card)
        approve(card, cast.ines)
        assert diff(client, card)["ETag"] == first["ETag"]


class TestInterdiff:
    def test_says_what_an_edit_changed(self, cast: Cast) -> None:
        card, client = letters.opened(cast), cast.api("ruth")
        letters.edit(card, cast.ines)
        found = client.get(f"{BASE}/{card.id}/interdiff?from=1").json()
        assert (found["seen_no"], found["revision_no"]) == (1, 2)
        (moved,) = [one for one in found["changes"] if one["path"] == "arguments.stamps"]
        assert (moved["before"]["text"], moved["after"]["text"]) == ("2", "3")
        assert client.get(f"{BASE}/{card.id}/interdiff").json() == found
        assert client.get(f"{BASE}/{card.id}/interdiff?from=2").json()["changes"] == []

    def test_refuses_a_revision_that_is_none(self, cast: Cast) -> None:
        card, client = letters.opened(cast), cast.api("ruth")
        codes = [
            client.get(f"{BASE}/{card.id}/interdiff{query}").status_code
            for query in ("?from=2", "?from=x", "?from=0", "")
        ]
        assert codes == [404, 400, 400, 200]


class TestThreeWay:
    def test_marks_what_drifted_and_what_conflicts(self, cast: Cast) -> None:
        card, client = letters.opened(cast, tier=2), cast.api("ruth")
        calm = client.get(f"{BASE}/{card.id}/threeway").json()
        DRAWER[card.subject.id]["state"] = "weighed"
        assert commands.probe(actor=cast.system, proposal_id=card.id, every_s=0)
        found = client.get(f"{BASE}/{card.id}/threeway").json()
        assert (calm["state"], calm["lines"]) == ("open", [])
        assert (found["state"], found["digest"]) == ("stale", card.digest)
        (drifted,) = [one for one in found["lines"] if one["mark"] != "same"]
        assert drifted == {
            "path": "letters L1 state",
            "then": "draft",
            "proposed": "draft",
            "now": "weighed",
            "mark": "drifted",
        }


class TestEach:
    @pytest.mark.parametrize("path", ["diff", "interdiff?from=1", "threeway"])
    def test_is_for_who_sees_the_proposal(self, cast: Cast, path: str) -> None:
        card = opened(cast)
        cast.add("nils", roles=())
        asked = {name: cast.api(name) for name in ("ruth", "mallory", "nils")}
        codes = {who: one.get(f"{BASE}/{card.id}/{path}").status_code for who, one in asked.items()}
        assert codes == {"ruth": 200, "mallory": 404, "nils": 403}
        join = "&" if "?" in path else "?"
        assert asked["ruth"].get(f"{BASE}/{card.id}/{path}{join}view=x").status_code == 400
