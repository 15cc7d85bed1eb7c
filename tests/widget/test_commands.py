"""Keys and visitors, as commands: one message per client id, one conversation per visitor."""

import threading

import pytest
from django.db import connection

from agents.conversations import queries as conversations
from audit.queries import events_of
from console.kernel.errors import NotFound
from console.kernel.ids import uuid7
from console.widget import commands, queries
from console.widget.cards import VisitorCard, WidgetKeyCard
from console.widget.errors import SessionOver, UnknownKey
from tests.cast import Cast


def open_visitor(cast: Cast, key: WidgetKeyCard) -> VisitorCard:
    visitor_id = commands.open_session(actor=queries.guest(cast.tenant_id), public=key.public)
    return queries.visitor(actor=queries.guest(cast.tenant_id), visitor_id=visitor_id)


class TestCreateKey:
    def test_is_found_by_its_public_text_and_recorded(self, cast: Cast, key: WidgetKeyCard) -> None:
        assert queries.key_named(key.public) == key
        events = events_of(actor=cast.noor, target_type="widget_key", target_id=str(key.id))
        assert [event.action for event in events] == ["widget_key.created"]


class TestRevokeKey:
    def test_ends_the_key_and_its_sessions(self, cast: Cast, key: WidgetKeyCard) -> None:
        visitor = open_visitor(cast, key)

        commands.revoke_key(actor=cast.noor, key_id=key.id, reason="moved")

        with pytest.raises(UnknownKey):
            queries.key_named(key.public)
        with pytest.raises(SessionOver):
            queries.visitor(actor=queries.guest(cast.tenant_id), visitor_id=visitor.id)

    def test_refuses_a_second_time(self, cast: Cast, key: WidgetKeyCard) -> None:
        commands.revoke_key(actor=cast.noor, key_id=key.id, reason="moved")
        with pytest.raises(NotFound):
            commands.revoke_key(actor=cast.noor, key_id=key.id, reason="again")

    def test_refuses_another_tenant(self, cast: Cast, key: WidgetKeyCard) -> None:
        with pytest.raises(NotFound):
            commands.revoke_key(actor=cast.mallory, key_id=key.id, reason="mine now")
        assert queries.key_named(key.public).active


class TestSendMessage:
    def test_gives_the_first_receipt_for_the_same_client_id(
        self, cast: Cast, key: WidgetKeyCard
    ) -> None:
        visitor = open_visitor(cast, key)
        actor = queries.actor_for(visitor)
        once = str(uuid7())

        first = commands.send_message(actor=actor, visitor=visitor, client_id=once, text="hello")
        again = commands.send_message(actor=actor, visitor=visitor, client_id=once, text="hello")

        assert (again.conversation_id, again.seq) == (first.conversation_id, first.seq)
        frames = conversations.transcript(actor=actor, conversation_id=first.conversation_id)
        assert [frame.text for frame in frames if frame.role == "customer"] == ["hello"]

    def test_begins_one_conversation_with_eight_first_messages_at_once(
        self, cast: Cast, key: WidgetKeyCard
    ) -> None:
        visitor = open_visitor(cast, key)
        actor = queries.actor_for(visitor)
        barrier = threading.Barrier(8)
        conversations_begun = []

        def send() -> None:
            barrier.wait()
            receipt = commands.send_message(
                actor=actor, visitor=visitor, client_id=str(uuid7()), text="hello"
            )
            conversations_begun.append(receipt.conversation_id)
            connection.close()

        threads = [threading.Thread(target=send) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(conversations_begun) == 8
        assert len(set(conversations_begun)) == 1
