"""Pages and operations that change what a proposal asks for, or say something about it."""

import re
from typing import Any

import pytest

from approvals import commands, queries
from approvals.cards import ProposalCard
from approvals.states import CommentKind, ProposalState
from tests.approvals.desk import agent, approve, now
from tests.approvals.letters import ARGS, DRAWER, TOOL, edit, opened
from tests.cast import Cast

BIDI = "\u202eevil"


def text(answer: Any) -> str:
    return str(answer.content.decode())


def form(card: ProposalCard, **other: Any) -> dict[str, Any]:
    """Return what the edit page sends: all fields as the page has them."""
    values = {
        "revision_no": card.revision_no,
        "seen_digest": card.digest,
        "mode": "fields",
        "step": "preview",
        "note": "",
        "arg/to": "Mia",
        "arg/stamps": "2",
        "arg/class": "",
        "arg/signed": "",
        "arg/lines": "",
        "arg/address/city": "",
        "arg/address/zip": "",
    }
    return {**values, **other}


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None, name
    return found[1]


class TestEditPage:
    def test_has_a_typed_field_for_each_argument_and_says_what_an_edit_does(
        self, cast: Cast
    ) -> None:
        card = opened(cast, args={**ARGS, "lines": ["a", "b"]})
        page = text(cast.client("ruth").get(f"/reviews/{card.id}/edit/"))
        assert "An edit makes revision 2." in page
        assert "you do not vote on this proposal any more" in page
        for name in ("to", "stamps", "class", "signed", "lines", "address/city"):
            assert f'name="arg/{name}"' in page
        assert '<option value="first"' in page
        assert ">a\nb</textarea>" in page
        assert 'name="raw"' in page

    def test_shows_what_changes_before_it_is_made(self, cast: Cast) -> None:
        card = opened(cast)
        ruth = cast.client("ruth")
        sent = form(card, **{"arg/stamps": "3", "arg/lines": "one\r\n\r\ntwo", "note": "More."})

        page = text(ruth.post(f"/reviews/{card.id}/edit/", sent))

        assert "What revision 2 would be" in page
        assert now(cast, card).card.revision_no == 1
        sent |= {"step": "send", "previewed": hidden(page, "previewed")}
        answer = ruth.post(f"/reviews/{card.id}/edit/", sent)
        assert (answer.status_code, answer["Location"]) == (302, f"/reviews/{card.id}/")
        detail = now(cast, card)
        assert detail.content.args == {"to": "Mia", "stamps": 3, "lines": ["one", "two"]}
        assert "edited the proposal" in text(ruth.get(f"/reviews/{card.id}/"))

    def test_sends_nothing_that_was_not_previewed(self, cast: Cast) -> None:
        card = opened(cast)
        ruth = cast.client("ruth")
        page = text(ruth.post(f"/reviews/{card.id}/edit/", form(card, **{"arg/stamps": "3"})))
        other = form(card, step="send", previewed=hidden(page, "previewed"), **{"arg/stamps": "9"})
        again = text(ruth.post(f"/reviews/{card.id}/edit/", other))
        assert "not what the preview showed" in again
        assert now(cast, card).card.revision_no == 1

    def test_takes_records_and_raw_json(self, cast: Cast) -> None:
        card = opened(cast)
        ruth = cast.client("ruth")
        sent = form(card, **{"arg/address/city": "Oslo", "arg/signed": "true"})
        page = text(ruth.post(f"/reviews/{card.id}/edit/", sent))
        raw = {
            "revision_no": 1,
            "seen_digest": card.digest,
            "mode": "raw",
            "raw": '{"to": "Mia", "stamps": 2, "signed": true, "address": {"city": "Oslo"}}',
            "note": "",
        }
        same = text(ruth.post(f"/reviews/{card.id}/edit/", {**raw, "step": "preview"}))
        assert hidden(page, "previewed") == hidden(same, "previewed")
        done = {**raw, "step": "send", "previewed": hidden(same, "previewed")}
        assert ruth.post(f"/reviews/{card.id}/edit/", done).status_code == 302
        assert now(cast, card).content.args["address"] == {"city": "Oslo"}

    @pytest.mark.parametrize(
        ("changed", "status", "said"),
        [
            ({"arg/stamps": "many"}, 400, "Type a whole number."),
            ({"arg/stamps": ""}, 400, "this value is missing."),
            ({"arg/to": "x" * 20_001}, 400, "At most 20000 characters."),
            ({"arg/to": "a\x00"}, 400, "type it again"),
            ({"mode": "raw", "raw": "{"}, 400, "Nothing was changed."),
            ({"mode": "raw", "raw": "[]"}, 400, "Send one JSON object."),
            ({"mode": "raw", "raw": '{"to": 1.5}'}, 400, "Nothing was changed."),
            ({"mode": "raw", "raw": '{"to": "M", "stamps": 1, "x": 1}'}, 400, "not known"),
            ({}, 409, "the arguments that it has already"),
            ({"arg/other": "1"}, 400, "unknown here"),
            ({"seen_digest": "z"}, 400, "Digest"),
            ({"note": "x" * 2001, "arg/stamps": "3", "step": "send"}, 400, "2000"),
        ],
    )
    def test_keeps_what_was_typed_on_every_refusal(
        self, cast: Cast, changed: dict[str, str], status: int, said: str
    ) -> None:
        card = opened(cast)
        ruth = cast.client("ruth")
        sent = form(card, **{"note": "Because of this.", "arg/lines": "kept line", **changed})
        if "arg/lines" in sent and not changed:
            sent["arg/lines"] = ""
        if sent["step"] == "send":
            first = ruth.post(f"/reviews/{card.id}/edit/", {**sent, "step": "preview", "note": ""})
            sent["previewed"] = hidden(text(first), "previewed")

        answer = ruth.post(f"/reviews/{card.id}/edit/", sent)

        page = text(answer)
        assert (answer.status_code, said in page) == (status, True), page[:3000]
        assert page.count('role="alert"') == 1
        assert sent["note"] in page
        assert sent["mode"] == "raw" or sent["arg/lines"] in page
        assert now(cast, card).card.revision_no == 1

    def test_keeps_the_form_and_names_the_new_revision_after_a_conflict(self, cast: Cast) -> None:
        card = opened(cast)
        ruth = cast.client("ruth")
        sent = form(card, **{"arg/stamps": "5", "note": "Mine."})
        preview = text(ruth.post(f"/reviews/{card.id}/edit/", sent))
        edit(card, cast.ines)
        sent |= {"step": "send", "previewed": hidden(preview, "previewed")}

        answer = ruth.post(f"/reviews/{card.id}/edit/", sent)

        page = text(answer)
        assert answer.status_code == 409
        assert ('value="5"' in page, "Mine." in page) == (True, True)
        assert hidden(page, "revision_no") == "2"
        assert "An edit makes revision 3." in page

    def test_is_closed_to_who_may_not_edit(self, cast: Cast) -> None:
        card = opened(cast)
        cast.add("ada", roles=("auditor",))
        for who, status in (("omar", 403), ("ada", 403), ("mallory", 404)):
            assert cast.client(who).get(f"/reviews/{card.id}/edit/").status_code == status

    def test_is_linked_where_it_is_possible(self, cast: Cast) -> None:
        card = opened(cast)
        link = f'href="/reviews/{card.id}/edit/"'
        assert link in text(cast.client("ruth").get(f"/reviews/{card.id}/"))
        assert link not in text(cast.client("omar").get(f"/reviews/{card.id}/"))


class TestThread:
    def say(self, cast: Cast, card: ProposalCard, who: str = "ruth", **other: str) -> Any:
        sent = {"kind": "question", "text": "Why?", "revision_no": "1", **other}
        return cast.client(who).post(f"/reviews/{card.id}/ask/", sent)

    def test_shows_questions_with_their_answers(self, cast: Cast) -> None:
        card = opened(cast)
        assert self.say(cast, card).url == f"/reviews/{card.id}/#thread"
        page = text(cast.client("ines").get(f"/reviews/{card.id}/"))
        assert "asked the agent" in page
        assert "Waits for an answer" in page
        (line,) = queries.thread(actor=cast.ruth, proposal_id=card.id)
        commands.answer(actor=agent(cast), comment_id=line.comment.id, text=f"So. {BIDI}")
        page = text(cast.client("ines").get(f"/reviews/{card.id}/thread/?part=list"))
        assert page.lstrip().startswith("<sb-live")
        assert "Written by agent refunds, not verified" in page
        assert ("⟨U+202E⟩" in page, "\u202e" in page) == (True, False)

    def test_shows_marks_that_reorder_in_what_people_write(self, cast: Cast) -> None:
        card = opened(cast)
        self.say(cast, card, kind="note", text=f"Look {BIDI} <b>x</b>")
        page = text(cast.client("ines").get(f"/reviews/{card.id}/thread/"))
        assert ("⟨U+202E⟩" in page, "<b>x" in page) == (True, False)

    def test_keeps_what_was_typed(self, cast: Cast) -> None:
        card = opened(cast)
        answer = self.say(cast, card, text="long " * 500, kind="request_changes")
        page = text(answer)
        assert answer.status_code == 400
        assert page.count('role="alert"') == 1
        assert "long long" in page
        assert queries.thread(actor=cast.ruth, proposal_id=card.id) == ()

    def test_is_for_those_who_see_the_proposal(self, cast: Cast) -> None:
        card = opened(cast)
        assert self.say(cast, card, "mallory").status_code == 404
        cast.add("nils", roles=())
        assert self.say(cast, card, "nils").status_code == 403


class TestDrift:
    def stale(self, cast: Cast) -> ProposalCard:
        card = opened(cast, tier=2, target={"stamps": 1})
        DRAWER[card.subject.id]["stamps"] = 5
        return card

    def test_is_found_by_opening_the_page(self, cast: Cast) -> None:
        card = self.stale(cast)
        page = text(cast.client("ruth").get(f"/reviews/{card.id}/"))
        assert "What changed meanwhile" in page
        assert "conflict" in page
        assert "Put it on the new base" in page
        assert now(cast, card).card.state is ProposalState.STALE

    def test_is_put_on_the_new_base_from_the_page(self, cast: Cast) -> None:
        card = self.stale(cast)
        ruth = cast.client("ruth")
        ruth.get(f"/reviews/{card.id}/")
        sent = {"revision_no": 1, "seen_digest": card.digest}
        assert ruth.post(f"/reviews/{card.id}/rebase/", sent).status_code == 302
        assert now(cast, card).card.revision_no == 2
        again = ruth.post(f"/reviews/{card.id}/rebase/", sent)
        assert again.status_code == 409

    def test_is_handed_back_from_the_page(self, cast: Cast) -> None:
        card = self.stale(cast)
        ruth = cast.client("ruth")
        ruth.get(f"/reviews/{card.id}/")
        sent = {"revision_no": 1, "seen_digest": card.digest}
        assert ruth.post(f"/reviews/{card.id}/hand-back/", sent).status_code == 302
        assert now(cast, card).card.state is ProposalState.WITHDRAWN


class TestTakeBack:
    def test_is_offered_to_the_starter(self, cast: Cast) -> None:
        card = opened(cast)
        omar = cast.client("omar")
        assert "Withdraw the request" in text(omar.get(f"/reviews/{card.id}/"))
        assert omar.post(f"/reviews/{card.id}/withdraw/").status_code == 302
        assert now(cast, card).card.state is ProposalState.WITHDRAWN

    def test_is_refused_to_a_reviewer(self, cast: Cast) -> None:
        card = opened(cast)
        ruth = cast.client("ruth")
        assert f"/{card.id}/withdraw/" not in text(ruth.get(f"/reviews/{card.id}/"))
        assert ruth.post(f"/reviews/{card.id}/withdraw/").status_code == 403


class TestApi:
    def address(self, card: ProposalCard, what: str) -> str:
        return f"/api/v1/approvals/proposals/{card.id}/{what}"

    def body(self, card: ProposalCard, **other: Any) -> dict[str, Any]:
        args = {"to": "Mia", "stamps": 4}
        return {"revision": card.revision_no, "digest": card.digest, "args": args, **other}

    def test_edits(self, cast: Cast) -> None:
        card = opened(cast)
        approve(card, cast.ines)
        answer = cast.api("ruth").post(
            self.address(card, "revisions"), self.body(card, tool=TOOL), format="json"
        )
        assert (answer.status_code, answer.data["revision_no"]) == (201, 2)
        assert answer.data["state"] == "open"

    @pytest.mark.parametrize(
        ("other", "status", "code"),
        [
            ({"tool": "burn_letter"}, 409, "edit.tool_changed"),
            ({"args": {"to": "Mia"}}, 400, "edit.schema"),
            ({"args": ARGS}, 409, "edit.unchanged"),
            ({"digest": "0" * 64}, 409, "proposal.stale"),
            ({"args": []}, 400, "invalid"),
        ],
    )
    def test_refuses(self, cast: Cast, other: dict[str, Any], status: int, code: str) -> None:
        card = opened(cast)
        answer = cast.api("ruth").post(
            self.address(card, "revisions"), self.body(card, **other), format="json"
        )
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        if code == "edit.schema":
            assert set(answer.json()["details"]["fields"]) == {"/stamps"}

    def test_takes_no_machine(self, cast: Cast) -> None:
        card = opened(cast)
        key = cast.key_client("approvals.view")
        for what in ("revisions", "comments", "refresh", "hand-back", "withdraw"):
            answer = key.post(self.address(card, what), {}, format="json")
            assert (answer.status_code, answer.json()["code"]) == (403, "edit.machine"), what

    def test_says_and_lists(self, cast: Cast) -> None:
        card = opened(cast)
        ruth = cast.api("ruth")
        sent = {"kind": "request_changes", "text": "Three stamps.", "pause": True}
        said = ruth.post(self.address(card, "comments"), sent, format="json")
        assert (said.status_code, said.data["kind"]) == (201, CommentKind.REQUEST_CHANGES.value)
        listed = ruth.get(self.address(card, "comments")).json()["thread"]
        assert [(one["comment"]["text"], one["waits"]) for one in listed] == [
            ("Three stamps.", True)
        ]

    def test_refreshes_and_withdraws(self, cast: Cast) -> None:
        card = opened(cast)
        DRAWER[card.subject.id]["state"] = "weighed"
        commands.probe(actor=cast.system, proposal_id=card.id, every_s=0)
        seen = {"revision": 1, "digest": card.digest}
        answer = cast.api("ruth").post(self.address(card, "refresh"), seen, format="json")
        assert (answer.status_code, answer.json()["revision_no"]) == (200, 2)
        taken = cast.api("noor").post(self.address(card, "withdraw"), format="json")
        assert taken.status_code == 204
        assert now(cast, card).card.state is ProposalState.WITHDRAWN
