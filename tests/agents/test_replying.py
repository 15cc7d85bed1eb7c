"""A person answers the end user while the conversation is handed to people."""

import threading
from uuid import UUID

import pytest
from django.db import connections

from agents.conversations import commands as conversations
from agents.conversations import queries, replying
from agents.errors import BadMessage, NotHandedOff
from agents.llm.scripted import Use
from agents.runtime.engine import Progress
from audit.queries import events_of
from console.kernel.actors import Actor
from console.kernel.errors import NotAllowed
from console.kernel.ids import uuid7
from tests.agents.world import SOFIA, Said, World, calls
from tests.cast import with_permissions

HERE = "I am here, Sofia. <b>One moment.</b>"


def handed_off(world: World) -> Said:
    said = world.say("A person please", customer=SOFIA)
    use = Use(name="transfer_to_human_agents", args={"summary": "Wants a person."})
    with world.answering(calls(use)):
        assert world.advance(said.run_id) is Progress.ENDED
    return said


def omar(world: World) -> Actor:
    return with_permissions(world.cast.omar, "runs.start")


def reply(world: World, said: Said, text: str = HERE, client_id: str = "") -> int:
    made = replying.reply(
        actor=omar(world),
        conversation_id=said.conversation_id,
        client_id=client_id or str(uuid7()),
        text=text,
    )
    return made.seq


class TestReply:
    def test_is_told_to_the_end_user_under_the_persons_name(self, world: World) -> None:
        said = handed_off(world)
        seq = reply(world, said)
        (frame,) = queries.transcript(
            actor=world.visitor, conversation_id=said.conversation_id, after_seq=seq - 1
        )
        assert (frame.role, frame.kind, frame.text) == ("person", "text", HERE)
        assert frame.parts["by"] == world.cast.omar.label
        assert world.run(said.run_id).state == "escalated"
        (event,) = events_of(
            actor=world.cast.system,
            target_type="conversation",
            target_id=str(said.conversation_id),
            limit=1,
        )
        assert event.action == "conversation.replied"

    def test_is_stored_once_however_often_it_is_sent(self, world: World) -> None:
        said, client_id = handed_off(world), str(uuid7())
        start = threading.Barrier(4)
        seen: list[int] = []

        def send() -> None:
            start.wait()
            try:
                seen.append(reply(world, said, client_id=client_id))
            finally:
                connections.close_all()

        threads = [threading.Thread(target=send) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(seen) == 4
        assert len(set(seen)) == 1

    def test_is_refused_while_the_agent_has_the_conversation(self, world: World) -> None:
        said = world.say("Hello", customer=SOFIA)
        with pytest.raises(NotHandedOff):
            reply(world, said)
        handed = handed_off(world)
        conversations.close_handoff(
            actor=omar(world), conversation_id=handed.conversation_id, give_back=True
        )
        with pytest.raises(NotHandedOff):
            reply(world, handed)

    def test_is_for_people_who_may_act_on_runs(self, world: World) -> None:
        said = handed_off(world)
        for actor in (
            world.cast.ruth,
            world.visitor,
            with_permissions(world.visitor, "runs.start"),
        ):
            with pytest.raises(NotAllowed):
                replying.reply(
                    actor=actor,
                    conversation_id=said.conversation_id,
                    client_id=str(uuid7()),
                    text=HERE,
                )

    @pytest.mark.parametrize("text", ["  ", "x" * 4001, "a\x00b"])
    def test_takes_what_can_be_said(self, world: World, text: str) -> None:
        with pytest.raises(BadMessage):
            reply(world, handed_off(world), text=text)


class TestPage:
    def test_has_a_box_for_whoever_may_answer(self, world: World) -> None:
        said = handed_off(world)
        page = f"/runs/{said.run_id}/"
        client = world.cast.client("omar")
        assert 'id="reply-text"' in client.get(page).content.decode()
        address = f"{page}handoff/{said.conversation_id}/reply/"
        sent = client.post(address, {"text": HERE, "client_id": str(uuid7())})
        assert sent.status_code == 302
        text = client.get(page).content.decode()
        assert "&lt;b&gt;One moment.&lt;/b&gt;" in text
        assert 'id="reply-text"' not in world.cast.client("ruth").get(page).content.decode()

    def test_keeps_what_was_typed_when_it_is_too_late(self, world: World) -> None:
        said = handed_off(world)
        conversations.close_handoff(
            actor=omar(world), conversation_id=said.conversation_id, give_back=False
        )
        answer = world.cast.client("omar").post(
            f"/runs/{said.run_id}/handoff/{said.conversation_id}/reply/",
            {"text": "Still here", "client_id": str(uuid7())},
        )
        assert answer.status_code == 409
        assert "Still here" in answer.content.decode()

    def test_the_api_takes_people_only(self, world: World) -> None:
        said = handed_off(world)
        url = f"/api/v1/conversations/{said.conversation_id}/replies"
        body = {"text": HERE, "client_id": str(uuid7())}
        assert world.cast.api("omar").post(url, body, format="json").status_code == 201
        elsewhere = url.replace(str(said.conversation_id), str(UUID(int=1)))
        assert world.cast.api("omar").post(elsewhere, body, format="json").status_code == 404
