"""Lists of the trail: every field, pinned, page by page, and where an index serves them."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from audit import queries
from audit.cards import SearchPage
from audit.models import AuditSearch
from audit.search import Place, Search
from console.kernel.actors import Actor, ActorKind, Link
from console.kernel.transactions import in_tenant
from tests.audit.facts import note, person, project, seal, settle
from tests.audit.test_queries import nodes

Login = Callable[[str], "psycopg.Connection[Any]"]
OTHERS = """
    SELECT indexrelid::regclass::text FROM pg_index
     WHERE indrelid = 'audit_search'::regclass AND NOT indisprimary
       AND indexrelid::regclass::text <> %s"""


def found(actor: Actor, text: str, **page: Any) -> SearchPage:
    search = Search.of(text)
    return queries.entries(actor=actor, search=Search(query=search.query, **page))


def indexes(actor: Actor, text: str, **page: Any) -> list[int | None]:
    return [card.index for card in found(actor, text, **page).entries]


@pytest.fixture
def filled(actor: Actor) -> str:
    """Five entries: three about one thing, one of an agent, one with a text."""
    thing = uuid4()
    note(actor=actor, n=3, thing_id=thing)
    agent = Actor(
        tenant_id=actor.tenant_id, kind=ActorKind.AGENT, id="refunds", label="Refund desk",
        via=(Link(kind="person", id="p-1", label="Omar Said"),
             Link(kind="agent", id="triage", label="Triage", version="7", run="run-9")),
        request="req-77",
    )  # fmt: skip
    note(actor=agent)
    note(actor=actor, text="Charged twice for order W-2231, see mail@example.com")
    settle(actor)
    return str(thing)


class TestEntries:
    def test_finds_by_every_field(self, actor: Actor, filled: str) -> None:
        for text, wanted in {
            "": [4, 3, 2, 1, 0],
            f"target:{filled}": [2, 1, 0],
            f"target:test:{filled}": [2, 1, 0],
            f"target:{filled[:9]}*": [2, 1, 0],
            "target:test": [4, 3, 2, 1, 0],
            "target:test:other": [],
            f"id:{filled} actor:{actor.id} action:test.*": [2, 1, 0],
            f"id:{filled} actor:NOOR action:vote.cast,test.noted": [2, 1, 0],
            f"-id:{filled}": [4, 3],
            "actor:Ruth": [],
            "action:tes": [],
            "action:vote.*": [],
            "agent:refunds": [3],
            'agent:"refund DESK"': [3],
            "agent:*": [3],
            "-agent:*": [4, 2, 1, 0],
            "via:p-1": [3],
            'via:"omar said",nobody': [3],
            "via:triage": [3],
            "version:7 run:run-*": [3],
            "trace:req-77": [3],
            "has:chain": [3],
            "-has:chain": [4, 2, 1, 0],
            "kind:read": [],
            "-kind:read kind:fact": [4, 3, 2, 1, 0],
            "index:1..3": [3, 2, 1],
            "index:>3,0": [4, 0],
            "created:>=2020-01": [4, 3, 2, 1, 0],
            "created:2020-01": [],
            "charged": [4],
            '"charged twice"': [4],
            '"twice charged"': [],
            "charg*": [4],
            '"order w"*': [4],
            "-charged": [3, 2, 1, 0],
            "W-2231": [4],
            "example": [],
            "tool:x": [], "outcome:x": [], "proposal:x": [], "digest:x": [], "approver:x": [],
            "policy:x": [], "subject:x": [], "claimed:2020-01": [],
        }.items():  # fmt: skip
            assert indexes(actor, text) == wanted, text

    def test_shows_another_tenant_nothing(self, filled: str) -> None:
        for text in ("", f"target:{filled}", f"id:{filled}", "charged", "via:p-1"):
            assert indexes(person(), text) == []

    def test_counts_up_to_a_bound(self, actor: Actor, filled: str) -> None:
        page = found(actor, "")
        assert (page.total, page.total_is_cut) == (5, False)

    def test_pages_without_skipping_or_repeating_while_events_arrive(self, actor: Actor) -> None:
        note(actor=actor, n=124)
        settle(actor)
        seen: list[int | None] = []
        page = found(actor, "")
        while True:
            seen += [card.index for card in page.entries]
            if not page.has_older:
                break
            note(actor=actor)
            settle(actor)
            last = page.entries[-1]
            behind = place_of(actor, last.index)
            page = found(actor, "", at=page.pin.size, root=page.pin.root, before=behind)
            assert page.pin.warning == ""

        assert seen == list(range(123, -1, -1))
        back = found(actor, "", at=124, after=place_of(actor, seen[60]))
        assert [card.index for card in back.entries] == seen[10:60]
        assert back.has_newer

    def test_says_how_complete_it_is(self, actor: Actor) -> None:
        note(actor=actor, n=2)
        settle(actor)
        note(actor=actor, n=3)
        known = queries.completeness(actor=actor)
        assert (known.searched, known.sealed, known.unsealed) == (2, 2, 3)
        seal()
        known = queries.completeness(actor=actor)
        assert (known.searched, known.sealed, known.unsealed) == (2, 5, 0)


def place_of(actor: Actor, index: int | None) -> Place:
    with in_tenant(actor.tenant_id, read_only=True):
        row = AuditSearch.objects.get(tenant_id=actor.tenant_id, index=index or 0)
    return Place(row.received_us, row.index)


class TestPinned:
    def test_gives_the_same_rows_from_the_same_link(self, actor: Actor, filled: str) -> None:
        first = found(actor, "")
        note(actor=actor, n=600)
        settle(actor)
        again = found(actor, "", at=first.pin.size, root=first.pin.root[:16])
        assert again.entries == first.entries
        assert again.pin.warning == ""

    def test_warns_when_the_root_is_another_one(self, actor: Actor, filled: str) -> None:
        page = found(actor, "", at=5, root="0" * 16)
        assert "not the one of this link" in page.pin.warning
        assert "of another trail" in found(actor, "", at=99).pin.warning

    def test_says_when_not_all_of_it_can_be_searched(self, actor: Actor, filled: str) -> None:
        note(actor=actor)
        seal()
        assert "Only 5 of the 6" in found(actor, "", at=6).pin.warning
        project()
        assert found(actor, "", at=6).pin.warning == ""


class TestIndexes:
    @pytest.mark.parametrize(
        ("text", "index", "said"),
        [
            ("", "newest", "tenant_id"),
            ("action:vote.*", "action", "action >="),
            ("actor:p", "actor", "actor_id ="),
            ("target:x", "target", "target_id ="),
            ("target:test", "type", "target_type ="),
            ("agent:a", "agent", "agent ="),
            ("run:r*", "run", "run >="),
            ("tool:t", "tool", "tool ="),
            ("trace:t", "trace", "trace ="),
            ("proposal:p", "proposal", "proposal ="),
            ("digest:9f*", "digest", "digest >="),
            ("outcome:ok", "outcome", "outcome ="),
            ("kind:intent", "kind", "kind ="),
            ("id:x", "found", "ids @>"),
            ("via:x", "found", "tokens @>"),
            ("refund", "found", "words @@"),
        ],
    )
    def test_serve_every_field_as_the_bound_role(
        self, actor: Actor, login: Login, text: str, index: str, said: str
    ) -> None:
        """All other indexes are gone for a moment, so the planner has no choice to guess at."""
        with in_tenant(actor.tenant_id, read_only=True):
            rows = queries.matching(actor=actor, query=Search.of(text).query)
            sql, params = rows.order_by("-received_us", "-index")[:50].query.sql_with_params()
        owner = login("owner")
        with owner.transaction(force_rollback=True):
            for (other,) in owner.execute(OTHERS, [f"audit_search_{index}"]).fetchall():
                owner.execute(f"DROP INDEX {other}")
            owner.execute("SET LOCAL enable_seqscan = off; SET LOCAL ROLE signalbox_app")
            owner.execute(f"SET LOCAL signalbox.tenant_id = '{actor.tenant_id}'")
            plan = owner.execute(f"EXPLAIN (FORMAT JSON) {sql}", params).fetchone()
        assert plan is not None
        scans = [node for node in nodes(plan[0][0]["Plan"]) if "Index Name" in node]
        assert [node["Index Name"] for node in scans] == [f"audit_search_{index}"] * len(scans)
        assert any(said in node["Index Cond"] for node in scans), scans


class TestFacets:
    def test_come_from_daily_counts_and_live_counts_agree(self, actor: Actor, filled: str) -> None:
        def counts(text: str) -> dict[tuple[str, str], int]:
            page = queries.entries(actor=actor, search=Search.of(text), with_facets=True)
            assert page.facets is not None
            return {
                (facet.field, one.value): one.count
                for facet in page.facets.facets for one in facet.values
            }  # fmt: skip

        daily, live = counts("-kind:read"), counts("-kind:read target:test")
        assert daily == live
        assert daily["action", "test.noted"] == 5
        assert daily["actor", actor.id] == 4
        assert counts("created:2020-01") == counts("created:2020-01 target:test") == {}
