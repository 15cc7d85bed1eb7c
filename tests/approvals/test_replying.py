"""Whoever proposed something answers what is asked about it; where nobody does, that is said."""

from datetime import timedelta
from typing import Any

import pytest

from approvals import commands, duties, queries, streams
from approvals.cards import CommentCard, ProposalCard, ThreadLine
from approvals.commands.asking import MOST_OPEN
from approvals.errors import AlreadyDecided, NotYours, ProposalExpired, TooManyQuestions
from approvals.errors.asking import AnsweredAlready
from approvals.states import CommentKind, NoticeReason, ProposalState
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.errors import NotFound
from console.kernel.ids import uuid7
from tests.approvals import outsider as them
from tests.approvals.desk import now, opened, reject
from tests.approvals.outsider import BASE, Outsider, named
from tests.approvals.test_commands_asking import causes
from tests.approvals.test_notices import only
from tests.cast import Cast, make_cast


def ask(
    card: Any, actor: Actor, text: str = "Why?", *, pause: bool = False, **other: Any
) -> CommentCard:
    values = {"kind": CommentKind.QUESTION, **other}
    return commands.ask(actor=actor, proposal_id=card.id, text=text, pause=pause, **values)


def asked_of_noor(cast: Cast) -> tuple[ProposalCard, CommentCard]:
    """Have Noor propose a change of the gate, and Ruth ask about it."""
    name = f"crm.{uuid7().hex[-12:]}"
    made = commands.add_external_tool(actor=cast.noor, name=name, tier=1, summary="Phones.")
    assert made.waiting is not None
    return made.waiting, ask(made.waiting, cast.ruth, pause=True)


def line(cast: Cast, card: Any) -> ThreadLine:
    (found,) = queries.thread(actor=cast.ruth, proposal_id=card.id)
    return found


def reply(actor: Actor, card: Any, asked: CommentCard, text: str = "A pilot.") -> CommentCard:
    return commands.reply(actor=actor, proposal_id=card.id, comment_id=asked.id, text=text)


class TestReplyOfAPerson:
    def test_is_for_who_proposed_the_change(self, cast: Cast) -> None:
        card, asked = asked_of_noor(cast)
        assert causes(cast, card) == [("question", True)]
        assert only(cast, NoticeReason.ASKED) == {"noor"}

        for other in (cast.ruth, cast.ines, cast.omar):
            with pytest.raises(NotYours):
                reply(other, card, asked)
        answer = reply(cast.noor, card, asked)

        assert (answer.text, answer.author) == ("A pilot.", cast.noor.label)
        assert line(cast, card).answer == answer
        assert causes(cast, card) == [("question", False)]
        assert only(cast, NoticeReason.ANSWERED) == {"ruth"}

    def test_is_given_once(self, cast: Cast) -> None:
        card, asked = asked_of_noor(cast)
        first = reply(cast.noor, card, asked)
        assert reply(cast.noor, card, asked) == first
        with pytest.raises(AnsweredAlready):
            reply(cast.noor, card, asked, "Something else.")

    def test_is_given_while_it_waits(self, cast: Cast) -> None:
        card, asked = asked_of_noor(cast)
        with clock.frozen(card.decide_by + timedelta(hours=1)), pytest.raises(ProposalExpired):
            reply(cast.noor, card, asked)
        assert now(cast, card).card.state is ProposalState.EXPIRED
        card, asked = asked_of_noor(cast)
        reject(card, cast.ines)
        with pytest.raises(AlreadyDecided):
            reply(cast.noor, card, asked)

    def test_is_for_its_agent_where_one_asked(self, cast: Cast) -> None:
        card = opened(cast)  # Omar started its run
        asked = ask(card, cast.ruth)
        with pytest.raises(NotYours):
            reply(cast.omar, card, asked)
        other, _ = asked_of_noor(cast)
        with pytest.raises(NotFound):
            reply(cast.noor, other, asked)

    def test_is_a_form_in_the_thread(self, cast: Cast) -> None:
        card, asked = asked_of_noor(cast)
        page = f"/reviews/{card.id}/"
        noor = cast.client("noor")
        assert f"Ask {cast.noor.label}" in cast.client("ruth").get(page).content.decode()
        assert "Your answer" not in cast.client("ruth").get(page).content.decode()
        assert "Your answer" in noor.get(page).content.decode()

        empty = noor.post(f"{page}ask/{asked.id}/", {"text": " "})
        sent = noor.post(f"{page}ask/{asked.id}/", {"text": "A pilot."})
        late = noor.post(f"{page}ask/{asked.id}/", {"text": "Another word."})

        assert (empty.status_code, sent.status_code, late.status_code) == (400, 302, 409)
        assert b"Write something." in empty.content
        assert line(cast, card).answer is not None
        assert "Your answer" not in noor.get(page).content.decode()


class TestReplyOfAKey:
    @pytest.fixture
    def cast(self) -> Cast:
        return them.with_tool()

    @pytest.fixture
    def outsider(self, cast: Cast) -> Outsider:
        return them.outsider(cast)

    def test_answers_what_its_waiting_shows(self, cast: Cast, outsider: Outsider) -> None:
        found = outsider.opened()
        card = them.proposal(found)
        before = queries.progress(actor=cast.noor, proposal_id=card.id)
        asked = ask(card, cast.ruth, "Whose number?", pause=True)

        told = outsider.wait(found, seconds=0, questions=0).json()
        assert told["changed"]
        (question,) = told["proposal"]["questions"]
        assert (question["id"], question["text"]) == (str(asked.id), "Whose number?")
        assert "Ruth" not in str(told)
        assert not outsider.wait(found, seconds=0, questions=1).json()["changed"]
        assert not streams.has_moved(before, "", 0)

        path = f"proposals/{found['id']}/comments/{asked.id}/answer"
        first = outsider.post(path, {"text": "Ada's."})
        again = outsider.post(path, {"text": "Ada's."})
        other = outsider.post(path, {"text": "Bob's."})

        assert (first.status_code, again.json()) == (201, first.json())
        assert (other.status_code, other.json()["code"]) == (409, "comment.answered")
        said = line(cast, card)
        assert said.answer is not None
        assert (said.answer.text, said.answer.author_kind) == ("Ada's.", "key")
        assert causes(cast, card) == [("question", False)]
        assert outsider.wait(found, seconds=0).json()["proposal"]["questions"] == []

    def test_is_for_the_key_that_asked(self, cast: Cast, outsider: Outsider) -> None:
        found = outsider.opened()
        asked = ask(them.proposal(found), cast.ruth)
        path = f"{BASE}/proposals/{found['id']}/comments/{asked.id}/answer"
        body = {"text": "Mine."}

        other = them.outsider(cast).client.post(path, body, format="json")
        reader = cast.key_client("approvals.view").post(path, body, format="json")
        person = cast.api("noor").post(path, body, format="json")

        assert [one.status_code for one in (other, reader, person)] == [404, 403, 403]
        assert line(cast, them.proposal(found)).waits


class TestGiveUp:
    def questions(self) -> tuple[Cast, list[Any]]:
        """Return five open questions on a change of the gate, and one on an outside agent's."""
        cast = them.with_tool()
        card = named(them.proposal(them.outsider(cast).opened()).id)
        ask(card, cast.ruth)
        version = commands.add_version(
            actor=cast.noor, body={"policy": "p", "rules": [{"id": "a", "effect": "deny"}]}
        )
        governed = commands.propose_activation(actor=cast.noor, version_id=version.id)
        for number in range(MOST_OPEN):
            ask(governed, cast.ruth, f"Why {number}?", pause=True)
        with pytest.raises(TooManyQuestions):
            ask(governed, cast.ruth)
        return cast, [card, governed]

    def test_frees_what_nobody_answered(self) -> None:
        cast, cards = self.questions()
        with clock.frozen(clock.now() + timedelta(minutes=29)):
            assert commands.give_up(actor=cast.system) == 0
        with clock.frozen(clock.now() + timedelta(minutes=30, seconds=1)):
            assert duties.give_up() >= 1 + MOST_OPEN
            assert commands.give_up(actor=cast.system) == 0
            said = queries.thread(actor=cast.ruth, proposal_id=cards[1].id)
            assert {one.answer and one.answer.text for one in said} == {
                "No answer came. Decide without it, or ask again."
            }
            ask(cards[1], cast.ruth)
            with pytest.raises(AnsweredAlready):
                reply(cast.noor, cards[1], said[0].comment)

    def test_leaves_other_tenants_alone(self) -> None:
        cast, other = make_cast(), make_cast()
        card, _ = asked_of_noor(cast)
        with clock.frozen(clock.now() + timedelta(hours=1)):
            assert commands.give_up(actor=other.system) == 0
            assert line(cast, card).waits
