"""Recording: in the caller's transaction, once, with the bytes that are hashed."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from django.db import connection

from audit import commands, envelope
from audit.commands import record, record_refusal
from audit.errors import EventTooLarge
from audit.events import Change
from audit.search import Search
from audit.verifier import tree
from console.kernel.actors import Actor, Link, system
from console.kernel.canonical import NotCanonical
from console.kernel.errors import ConsoleError, NotFound, Refusal
from console.kernel.models import OutboxRow
from console.kernel.transactions import command, in_tenant, query
from tests.audit.facts import ThingNoted, note, person, seal, settle

Login = Callable[[str], "psycopg.Connection[Any]"]


def stored(login: Login, uid: UUID) -> dict[str, Any]:
    sql = "SELECT * FROM audit_event WHERE event_uid = %s"
    cursor = login("owner").cursor(row_factory=psycopg.rows.dict_row)
    row = cursor.execute(sql, [uid]).fetchone()
    assert row is not None
    return row


def bodies_of(login: Login, actor: Actor) -> list[dict[str, Any]]:
    sql = "SELECT envelope FROM audit_event WHERE tenant_id = %s ORDER BY id"
    rows = login("owner").execute(sql, [actor.tenant_id]).fetchall()
    return [json.loads(row[0]) for row in rows]


def actions_of(login: Login, actor: Actor) -> list[str]:
    return [body["action"] for body in bodies_of(login, actor)]


class Undone(Exception):
    pass


class TestRecord:
    def test_writes_the_envelope_and_gives_its_hash(self, actor: Actor, login: Login) -> None:
        (receipt,) = note(actor=actor, text="héllo \u202e")

        row = stored(login, receipt.uid)
        body = json.loads(row["envelope"])
        assert body["uid"] == str(receipt.uid)
        assert body["tenant"] == str(actor.tenant_id)
        assert body["actor"] == {
            "kind": "person", "id": actor.id, "label": "Noor", "strength": "password",
        }  # fmt: skip
        assert body["bind"]["note"] == "héllo \u202e"
        rebuilt = tree.rebuilt_leaf(receipt.uid.bytes, receipt.received_us, row["envelope"])
        assert row["received_at"] == envelope.moment_of(receipt.received_us)
        seal()
        query = "SELECT leaf_hash FROM audit_entry WHERE event_id = %s"
        assert login("owner").execute(query, [row["id"]]).fetchone() == (rebuilt,)
        assert receipt.leaf_hash == rebuilt

    def test_is_planned_once_in_a_session(self, actor: Actor) -> None:
        note(actor=actor, n=3)

        with in_tenant(actor.tenant_id), connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE %s",
                ["%INSERT INTO audit_event %"],
            )
            assert cursor.fetchone() == (1,)

    def test_joins_the_fate_of_the_command(self, actor: Actor, login: Login) -> None:
        @command
        def fail(*, actor: Actor) -> None:
            record(ThingNoted(thing_id=uuid4()), actor=actor)
            raise Undone

        with pytest.raises(Undone):
            fail(actor=actor)
        assert actions_of(login, actor) == []

    def test_needs_an_open_command_of_the_same_tenant(self, actor: Actor) -> None:
        event = ThingNoted(thing_id=uuid4())
        with pytest.raises(RuntimeError, match="inside a command"):
            record(event, actor=actor)
        with in_tenant(uuid4()), pytest.raises(RuntimeError, match="inside a command"):
            record(event, actor=actor)

    def test_cannot_be_done_by_a_query(self, actor: Actor) -> None:
        @query
        def look(*, actor: Actor) -> None:
            record(ThingNoted(thing_id=uuid4()), actor=actor)

        with pytest.raises(Exception, match="read-only transaction"):
            look(actor=actor)

    def test_tells_the_pages_that_follow_its_topics(self, actor: Actor) -> None:
        thing = uuid4()
        note(actor=actor, thing_id=thing)

        hints = OutboxRow.objects.filter(tenant_id=actor.tenant_id, kind="hint")
        assert set(hints.values_list("target", flat=True)) == {
            "test.things", f"test.thing:{thing}",
        }  # fmt: skip

    def test_keeps_the_delegation_chain_in_order(self, login: Login) -> None:
        chain = (Link(kind="person", id="p", label="Omar"), Link(kind="agent", id="a", label="r"))
        one = person()
        actor = Actor(tenant_id=one.tenant_id, kind=one.kind, id="x", label="x", via=chain)
        (receipt,) = note(actor=actor)

        body = json.loads(stored(login, receipt.uid)["envelope"])
        assert [link["kind"] for link in body["via"]] == ["person", "agent"]

    def test_moves_a_large_change_beside_the_leaf(self, actor: Actor, login: Login) -> None:
        change = Change(path="/text", before="a" * 5000, after="b" * 5000)
        (receipt,) = note(actor=actor, changes=(change,))

        body = json.loads(stored(login, receipt.uid)["envelope"])
        assert "change" not in body
        assert body["blobs"][0]["name"] == "change"
        settle(actor)
        shown = commands.open_entry(actor=actor, index=0)
        assert shown.changes[0].after == "b" * 5000

    def test_moves_large_facts_beside_the_leaf_too(self, actor: Actor, login: Login) -> None:
        (receipt,) = note(actor=actor, text={"long": "x" * 40_000})

        body = json.loads(stored(login, receipt.uid)["envelope"])
        assert body["bind"]["n"] == 0
        assert "note" not in body["bind"]

    def test_refuses_what_fits_nowhere(self, actor: Actor, login: Login) -> None:
        @command
        def ramble(*, actor: Actor) -> None:
            record(ThingNoted(thing_id=uuid4(), reason="x" * 20_000), actor=actor)

        with pytest.raises(EventTooLarge):
            ramble(actor=actor)
        assert actions_of(login, actor) == []

    @pytest.mark.parametrize("bad", [1.5, float("nan"), 2**60, "a\x00b", "\ud800", object(), {1.0}])
    def test_refuses_what_has_no_canonical_form(
        self, actor: Actor, login: Login, bad: object
    ) -> None:
        with pytest.raises(NotCanonical) as caught:
            note(actor=actor, text=bad)
        assert caught.value.code == "canonical.refused"
        assert actions_of(login, actor) == []

    def test_refuses_too_deep_a_value(self, actor: Actor) -> None:
        deep: Any = "bottom"
        for _ in range(20):
            deep = [deep]
        with pytest.raises(NotCanonical, match="nested"):
            note(actor=actor, text=deep)


class TestRecordRefusal:
    def test_records_code_and_path_and_collapses_repeats(self, actor: Actor, login: Login) -> None:
        for _ in range(3):
            record_refusal(actor=actor, code="x.y", kind=Refusal.CONFLICT, path="/p", method="POST")
        record_refusal(actor=actor, code="other", kind=Refusal.MISSING, path="/p", method="POST")

        assert actions_of(login, actor) == ["request.refused", "request.refused"]

    def test_counts_what_it_collapsed(self, actor: Actor, login: Login) -> None:
        values: dict[str, Any] = {
            "actor": actor, "code": "x", "kind": Refusal.CONFLICT, "path": "/p",
        }  # fmt: skip
        for _ in range(3):
            record_refusal(**values)
        login("owner").execute(
            "UPDATE audit_repeat SET recorded_us = recorded_us - 61000000 WHERE tenant_id = %s",
            [actor.tenant_id],
        )
        record_refusal(**values)

        assert [body["bind"]["repeats"] for body in bodies_of(login, actor)] == [0, 2]


class TestFlushRepeats:
    def test_records_what_was_only_counted_in_the_name_of_who_did_it(
        self, actor: Actor, login: Login
    ) -> None:
        for _ in range(3):
            commands.search_trail(actor=actor, search=Search.of("action:vote.*"))
        record_refusal(actor=actor, code="x", kind=Refusal.CONFLICT, path="/p")
        by = system("audit.repeats", actor.tenant_id)
        assert commands.flush_repeats(actor=by) == 0

        sql = "UPDATE audit_repeat SET recorded_us = recorded_us - 61000000 WHERE tenant_id = %s"
        login("owner").execute(sql, [actor.tenant_id])
        assert commands.flush_repeats(actor=by) == 1
        assert commands.flush_repeats(actor=by) == 0

        last = bodies_of(login, actor)[-1]
        assert (last["action"], last["actor"]["id"]) == ("audit.searched", actor.id)
        assert (last["bind"]["repeats"], last["bind"]["only_repeats"]) == (2, True)
        assert last["bind"]["query"] == "action:vote.*"
        commands.search_trail(actor=actor, search=Search.of("action:vote.*"))
        assert bodies_of(login, actor)[-1]["bind"]["repeats"] == 0


class TestSearchTrail:
    def test_records_the_read_once_a_minute(self, actor: Actor, login: Login) -> None:
        for _ in range(3):
            commands.search_trail(actor=actor, search=Search.of("action:vote.*"))
        commands.search_trail(actor=actor, search=Search.of("action:vote.cast"))

        assert actions_of(login, actor) == ["audit.searched", "audit.searched"]

    def test_does_not_feed_itself(self, actor: Actor, login: Login) -> None:
        """Paging through the same question is one read, also while its own event appears."""
        for _ in range(3):
            commands.search_trail(actor=actor, search=Search())
            settle(actor)
        assert actions_of(login, actor) == ["audit.searched"]


class TestOpenEntry:
    def test_shows_an_entry_with_a_proof_that_holds(self, actor: Actor) -> None:
        note(actor=actor, n=300)
        settle(actor)

        for index in (0, 255, 256, 299):
            shown = commands.open_entry(actor=actor, index=index)
            assert shown.proof.verified
            assert shown.proof.size == 300
            assert json.loads(shown.envelope)["bind"]["n"] == index

    def test_says_that_a_fresh_entry_is_not_signed_yet(self, actor: Actor) -> None:
        note(actor=actor)
        seal()
        proof = commands.open_proof(actor=actor, index=0)
        assert [check.passed for check in proof.checks] == [True, True, None]
        assert not proof.verified
        assert not proof.failed

    def test_finds_nothing_of_another_tenant(self, actor: Actor) -> None:
        note(actor=actor)
        settle(actor)
        for index in (0, 1, 2**62, 2**70):
            with pytest.raises(NotFound):
                commands.open_entry(actor=person(), index=index)
        with pytest.raises(NotFound):
            commands.open_entry(actor=actor, index=2**70)

    def test_notices_a_flipped_byte_at_once(self, actor: Actor, login: Login) -> None:
        note(actor=actor, n=3)
        settle(actor)
        good = commands.open_entry(actor=actor, index=1)
        where = "event_uid = %s"
        owner = login("owner")
        flip = f"UPDATE audit_event SET keep = keep, envelope = %s WHERE {where}"
        raw = good.envelope.encode()
        with owner.transaction():
            owner.execute("ALTER TABLE audit_event DISABLE TRIGGER append_only")
            owner.execute(flip, [raw.replace(b'"n":1', b'"n":7'), good.uid])
            owner.execute("ALTER TABLE audit_event ENABLE ALWAYS TRIGGER append_only")
        try:
            bad = commands.open_entry(actor=actor, index=1)
        finally:
            with owner.transaction():
                owner.execute("ALTER TABLE audit_event DISABLE TRIGGER append_only")
                owner.execute(flip, [raw, good.uid])
                owner.execute("ALTER TABLE audit_event ENABLE ALWAYS TRIGGER append_only")
        assert bad.proof.failed
        assert [check.passed for check in bad.proof.checks] == [False, False, True]
        assert commands.open_entry(actor=actor, index=1).proof.verified


class TestBuild:
    def test_leaves_blank_fields_out_and_keeps_times_with_microseconds(self) -> None:
        built = envelope.build(
            ThingNoted(thing_id=UUID(int=5)), actor=person(), uid=UUID(int=7), claimed_us=0
        )
        body = json.loads(built.envelope)
        assert body["claimed_at"] == "1970-01-01T00:00:00.000000Z"
        assert set(body) == {
            "v", "uid", "tenant", "action", "kind", "keep", "claimed_at", "actor", "target", "bind",
        }  # fmt: skip

    def test_is_refused_as_an_error_with_a_sentence(self) -> None:
        @dataclass
        class Odd:
            pass

        with pytest.raises(ConsoleError):
            envelope.build(
                ThingNoted(thing_id=uuid4(), note=Odd), actor=person(), uid=uuid4(), claimed_us=0
            )
