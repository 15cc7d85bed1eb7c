"""The search table: filled in index order, disposable, and never stopped by odd bytes."""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import queries
from audit.commands import search_trail
from audit.events import Change
from audit.projection import Projector, columns_of, ids_of
from audit.search import Search
from console.kernel.actors import Actor
from tests.audit.facts import note, project, seal, settle
from tests.audit.test_sealing import insert

Login = Callable[[str], "psycopg.Connection[Any]"]
ALL = Search()
ODD = b'{"action":%s,"kind":"","actor":{"kind":"","id":""},"target":{"type":""},"uid":""}'


class TestCatchUp:
    def test_makes_sealed_entries_searchable(self, actor: Actor) -> None:
        note(actor=actor, n=3)
        assert queries.entries(actor=actor, search=ALL).entries == ()
        settle(actor)

        page = queries.entries(actor=actor, search=ALL)
        assert [card.index for card in page.entries] == [2, 1, 0]

    def test_lists_bytes_that_it_cannot_read(self, actor: Actor, login: Login) -> None:
        app = login("default")
        with app.transaction():
            insert(app, actor)  # "{}", no envelope of ours
        note(actor=actor)
        settle(actor)

        page = queries.entries(actor=actor, search=ALL)
        assert [card.action for card in page.entries] == ["test.noted", "unreadable"]


class TestNews:
    def test_leave_reads_out_so_that_a_live_list_does_not_feed_itself(self, actor: Actor) -> None:
        projector = Projector()
        try:
            note(actor=actor)
            seal()
            while projector.catch_up():
                pass
            assert actor.tenant_id in projector.news()
            search_trail(actor=actor, search=ALL)
            seal()
            while projector.catch_up():
                pass
            assert actor.tenant_id not in projector.news()
        finally:
            projector.close()


class TestColumnsOf:
    @given(raw=st.binary(max_size=300))
    def test_never_raises(self, raw: bytes) -> None:
        assert columns_of(raw, 0).action

    @pytest.mark.parametrize(
        "raw",
        [b"[" * 100_000, ODD % b'"\\u0000"', ODD % b'"\\ud800"', b"null", b"3"],
    )
    def test_gives_up_on_what_cannot_be_stored(self, raw: bytes) -> None:
        assert columns_of(raw, 0).action == "unreadable"

    def test_cuts_what_an_index_cannot_hold(self) -> None:
        body = {
            "action": "x" * 9000, "kind": "fact", "actor": {"kind": "person", "id": "i" * 9000},
            "target": {"type": "t", "id": "y" * 9000}, "uid": "u",
        }  # fmt: skip
        columns = columns_of(json.dumps(body).encode(), 0)
        assert {len(columns.action), len(columns.actor_id), len(columns.target_id)} == {500}

    def test_takes_the_slug_of_an_agent_and_its_title_for_reading(self) -> None:
        agent = {"kind": "agent", "id": "refund-desk", "label": "Refund desk"}
        body = {
            "action": "a.b", "kind": "fact", "actor": {"kind": "person", "id": "p"},
            "target": {"type": "t"}, "uid": "u",
        }  # fmt: skip
        for said in ({"actor": agent}, {"via": [agent]}, {"bind": {"agent_slug": "refund-desk"}}):
            columns = columns_of(json.dumps({**body, **said}).encode(), 0)
            assert columns.agent == "refund-desk"
            assert columns.agent_label in {"Refund desk", "refund-desk"}


class TestIdsOf:
    def test_finds_ids_and_digests_and_no_addresses_or_prose(self) -> None:
        uid = str(uuid4())
        value = [{"a": uid}, ["#W2378156", "ab" * 32, "someone@example.com", "free text", "x"]]
        assert ids_of(value) == [uid, "#W2378156", "ab" * 32]


class TestEventsOf:
    def test_shows_the_newest_first_sealed_or_not(self, actor: Actor) -> None:
        thing = uuid4()

        def history() -> list[int | None]:
            cards = queries.events_of(actor=actor, target_type="test", target_id=str(thing))
            assert all(card.uid in uids for card in cards)
            return [card.index for card in cards]

        uids = {receipt.uid for receipt in note(actor=actor, thing_id=thing)}
        settle(actor)
        uids |= {receipt.uid for receipt in note(actor=actor, thing_id=thing)}
        seal()
        uids |= {receipt.uid for receipt in note(actor=actor, thing_id=thing)}
        note(actor=actor)

        assert history() == [None, 1, 0]
        project()
        assert history() == [None, 1, 0]
        settle(actor)
        assert history() == [2, 1, 0]


class TestEntry:
    def test_gives_before_and_after(self, actor: Actor) -> None:
        changes = (
            Change(path="/status", before="pending", after="cancelled"),
            Change(path="/refund", before=None, after={"usd": "1.00"}),
            Change(path="/note", before="x", after=None),
        )
        note(actor=actor, changes=changes)
        settle(actor)
        shown = queries.entry(actor=actor, index=0)
        assert [(one.path, one.change) for one in shown.changes] == [
            ("/status", "changed"), ("/refund", "added"), ("/note", "removed"),
        ]  # fmt: skip
