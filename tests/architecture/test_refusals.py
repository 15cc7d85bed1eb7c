"""What a refusal leaves behind, votes that come too late, and text that would mislead a reader."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import pytest
from django import forms
from django.db import connection
from django.test import Client

from approvals.models import Vote
from console.kernel import clock
from console.kernel.ids import uuid7
from console.kernel.transactions import in_tenant
from tests.approvals.desk import opened
from tests.architecture.bad_requests import BIDI, TEN_MB, good_of
from tests.architecture.bodies import DIGEST
from tests.architecture.doors import DOORS, JSON
from tests.architecture.filled import Filled, filled
from tests.architecture.watch import Watch, code_of, sentence_of
from tests.cast import HOST, Cast

__all__ = ["filled"]  # a fixture of its own for this file

ESCAPED: Final = "⟨U+202E⟩"
# Where text is a name, marks that reorder it are refused: it would pass for another name.
NAMES: Final = {
    ("accounts:people", "name"),
    ("accounts:add-group", "slug"),
    ("accounts:add-group", "title"),
    ("accounts:keys", "name"),
    ("approvals:channels", "title"),
    ("approvals:channels", "address"),
    ("approvals:notices", "zone"),
    ("approvals:save-view", "name"),
    ("approvals:save-view", "q"),
    ("approvals:rename-view", "name"),
    ("api/v1/passkeys", "name"),
    ("widget:create-key", "title"),
    ("api/v1/people", "name"),
    ("api/v1/keys", "name"),
    ("approvals:tools", "summary"),
    ("api/v1/approvals/proposals", "title"),
    ("api/v1/conversations/messages", "client_id"),
    ("api/v1/conversations/<uuid:conversation_id>/replies", "client_id"),
}
# Where somebody speaks freely, it is taken as it is, and shown with every mark visible.
SPEECH: Final = {
    ("approvals:vote", "note"),
    ("approvals:vote", "agent_message"),
    ("approvals:extend", "extend_reason"),
    ("approvals:erase-sealed", "erase_reason"),
    ("api/v1/approvals/proposals/<uuid:proposal_id>/sealed/erase", "reason"),
    ("approvals:use-break-glass", "reason"),
    ("approvals:use-break-glass", "ticket"),
    ("approvals:break-glass", "reason"),
    ("approvals:delegations", "reason"),
    ("approvals:close-duty", "note"),
    ("api/v1/approvals/break-glass-grants", "reason"),
    ("api/v1/approvals/delegations", "reason"),
    ("api/v1/approvals/proposals/<uuid:proposal_id>/break-glass", "reason"),
    ("api/v1/approvals/proposals/<uuid:proposal_id>/break-glass", "ticket"),
    ("api/v1/approvals/review-tasks/<uuid:task_id>/close", "note"),
    ("approvals:edit", "raw"),
    ("approvals:edit", "note"),
    ("approvals:ask", "text"),
    ("approvals:reply", "text"),
    ("api/v1/approvals/proposals/<uuid:proposal_id>/comments/<uuid:comment_id>/answer", "text"),
    ("api/v1/approvals/proposals/<uuid:proposal_id>/revisions", "note"),
    ("api/v1/approvals/proposals/<uuid:proposal_id>/comments", "text"),
    ("api/v1/approvals/proposals/<uuid:proposal_id>/extend", "reason"),
    ("approvals:batch", "note"),
    ("approvals:batch", "agent_message"),
    ("api/v1/approvals/batches", "note"),
    ("api/v1/approvals/batches", "agent_message"),
    ("api/v1/approvals/policies", "note"),
    ("approvals:draft-policy", "note"),
    ("approvals:draft-policy", "body"),
    ("approvals:make-standing", "reason"),
    ("approvals:revoke-standing", "reason"),
    ("api/v1/approvals/standing-approvals", "reason"),
    ("api/v1/approvals/standing-approvals/<uuid:standing_id>/revoke", "reason"),
    ("controls:engage", "reason"),
    ("controls:release", "reason"),
    ("approvals:reconcile", "evidence"),
    ("api/v1/approvals/dispatches/<uuid:dispatch_id>/reconcile", "evidence"),
    ("api/v1/approvals/proposals", "why"),
    ("api/v1/approvals/proposals", "undo"),
    ("runs:reconcile", "reason"),
    ("widget:revoke-key", "reason"),
    ("api/v1/approvals/proposals/<uuid:proposal_id>/votes", "note"),
    ("api/v1/approvals/proposals/<uuid:proposal_id>/votes", "agent_message"),
    ("api/v1/controls/switches", "reason"),
    ("api/v1/controls/switches/<uuid:switch_id>/release", "reason"),
    ("api/v1/conversations/messages", "text"),
    ("api/v1/conversations/<uuid:conversation_id>/replies", "text"),
    ("runs:reply", "text"),
    ("api/v1/conversations/messages", "end_user"),
}
# Compared or parsed, and never shown.
COMPARED: Final = {
    ("shell:theme", "next"),
    ("accounts:sign-in", "email"),
    ("accounts:sign-in", "password"),
    ("accounts:password", "current"),
    ("accounts:password", "new"),
    ("accounts:step-up", "password"),
    ("api/v1/step-up", "password"),
    ("approvals:vote", "record"),
    ("approvals:vote", "guard"),
    ("approvals:use-break-glass", "sure"),
    ("approvals:use-break-glass", "guard"),
    ("approvals:close-duty", "guard"),
    ("approvals:batch", "record"),
    ("approvals:batch", "guard"),
    ("approvals:simulate-policy", "call"),
    ("controls:engage", "scope"),
    ("controls:engage", "run"),
    ("widget:create-key", "origins"),
    ("api/v1/controls/switches", "scope"),
    ("api/v1/approvals/proposals", "contract"),
    ("api/v1/approvals/proposals/<uuid:proposal_id>/dispatch", "contract"),
    ("api/v1/approvals/proposals/<uuid:proposal_id>/revisions", "tool"),
}


def texts() -> Iterator[tuple[str, str]]:
    """Yield every field that takes any text."""
    for door in DOORS:
        if door.method == "GET":
            continue
        for name, one in door.form.base_fields.items():
            if type(one) is forms.CharField:
                yield door.route.key, name
        for name, schema in door.schema.get("properties", {}).items():
            if schema.get("type") == "string" and not {"pattern", "enum", "format"} & set(schema):
                yield door.route.key, name


class TestBidirectionalMarks:
    def test_are_thought_of_for_every_text(self) -> None:
        assert set(texts()) == NAMES | SPEECH | COMPARED

    @pytest.mark.parametrize(("key", "name"), sorted(NAMES))
    def test_are_refused_in_names(self, filled: Filled, key: str, name: str) -> None:
        door = next(one for one in DOORS if one.route.key == key and one.method == "POST")
        dana = filled.cast.api("dana") if door.is_api else filled.cast.client("dana")
        good = good_of(replace(door, good={**door.good, name: f"ab-{BIDI}-{BIDI}"}))
        watch = Watch(filled.cast)
        before = watch.rows()

        address = door.route.filled(filled.ids_for(door.route))
        answer = dana.generic("POST", address, good.body, good.content_type)

        assert answer.status_code == 400, answer.content[:400]
        sentence_of(answer)
        assert watch.rows() == before

    def test_are_shown_in_reasons_of_stops(self, cast: Cast) -> None:
        omar = cast.client("omar")
        omar.post("/operations/switches/engage/", {"scope": "agent:x", "reason": f"Why {BIDI}"})
        stopped = self.shown(omar, "/operations/switches/", "/operations/switches/history/", "/")
        with in_tenant(cast.tenant_id, read_only=True), connection.cursor() as cursor:
            cursor.execute("SELECT id FROM controls_switch")
            (switch_id,) = cursor.fetchone()
        omar.post(f"/operations/switches/{switch_id}/release/", {"reason": f"Over {BIDI}"})
        released = self.shown(omar, f"/operations/switches/{switch_id}/")

        assert (stopped, released) == ([2, 2, 2], [2])

    def test_are_shown_in_the_notes_of_votes(self, cast: Cast) -> None:
        card = opened(cast)
        ruth = cast.client("ruth")
        said = {"reason_code": "other", "note": f"No {BIDI}", "agent_message": f"Ask {BIDI}"}
        sent = {"choice": "reject", "revision_no": 1, "seen_digest": card.digest, "record": "1"}

        answer = ruth.post(f"/reviews/{card.id}/vote/", {**sent, **said})

        assert answer.status_code == 302, answer.content.decode()[:2000]
        assert self.shown(ruth, f"/reviews/{card.id}/") == [2]

    def test_are_shown_in_what_end_users_write(self, filled: Filled) -> None:
        body = {"agent": "support", "text": f"Pay {BIDI}", "client_id": str(uuid7())}
        sent = {**body, "end_user": f"me {BIDI}"}
        made = filled.cast.api("dana").post("/api/v1/conversations/messages", sent, format="json")

        assert made.status_code == 202, made.content
        (count,) = self.shown(filled.cast.client("dana"), f"/runs/{made.json()['run_id']}/")
        assert count >= 1

    def shown(self, client: Any, *addresses: str) -> list[int]:
        """Return how often each page shows the mark as an escape; none may hold it as it is."""
        pages = [client.get(address) for address in addresses]
        texts = [page.content.decode() for page in pages if page.status_code == 200]
        assert not [text for text in texts if "\u202e" in text]
        assert len(texts) == len(addresses)
        return [min(2, text.count(ESCAPED)) for text in texts]


class TestVotes:
    """On the page and in the API: too old is 409, too late is 410, and nothing is counted."""

    @pytest.mark.parametrize("is_api", [False, True])
    def test_on_what_is_not_there_any_more_is_refused(self, cast: Cast, *, is_api: bool) -> None:
        card = opened(cast)
        before = Watch(cast).rows()

        answer = self.vote(cast, card.id, DIGEST, is_api=is_api)

        assert (answer.status_code, code_of(answer)) == (409, "proposal.stale")
        assert "reload the page and vote on what it shows" in sentence_of(answer)
        assert Watch(cast).rows() == before

    @pytest.mark.parametrize("is_api", [False, True])
    def test_after_the_deadline_is_refused(self, cast: Cast, *, is_api: bool) -> None:
        card = opened(cast)

        with clock.frozen(card.decide_by):
            answer = self.vote(cast, card.id, card.digest, is_api=is_api)

        assert (answer.status_code, code_of(answer)) == (410, "proposal.expired")
        sentence_of(answer)
        with in_tenant(cast.tenant_id, read_only=True):
            assert not Vote.objects.exists()

    def test_of_whoever_may_not_vote_learn_nothing(self, cast: Cast) -> None:
        """Whatever digest they send: the refusals about the content are not for them."""
        card = opened(cast)
        cast.add("nobody", roles=())

        answer = cast.api("nobody").post(
            f"/api/v1/approvals/proposals/{card.id}/votes",
            {"revision": 7, "digest": DIGEST, "choice": "approve"},
            format="json",
        )

        assert (answer.status_code, code_of(answer)) == (403, "vote.not_eligible")
        assert card.digest not in answer.content.decode()

    def vote(self, cast: Cast, proposal_id: Any, digest: str, *, is_api: bool) -> Any:
        if is_api:
            return cast.api("ruth").post(
                f"/api/v1/approvals/proposals/{proposal_id}/votes",
                {"revision": 1, "digest": digest, "choice": "approve"},
                format="json",
            )
        sent = {"choice": "approve", "revision_no": "1", "seen_digest": digest, "record": "1"}
        return cast.client("ruth").post(f"/reviews/{proposal_id}/vote/", sent)


class TestRecorded:
    def test_a_repeat_is_counted_and_not_recorded_again(self, cast: Cast) -> None:
        ruth, watch = cast.client("ruth"), Watch(cast)
        for _ in range(3):
            assert ruth.get("/people/?after=secret").status_code == 403

        assert watch.refusals_of(cast.ruth.id) == [("forbidden", "GET", "/people/")]
        assert watch.repeats_of(cast.ruth.id) == 2

        with in_tenant(cast.tenant_id), connection.cursor() as cursor:
            cursor.execute("UPDATE audit_repeat SET recorded_us = recorded_us - 61000000")
        ruth.get("/people/")
        assert watch.refusals_of(cast.ruth.id) == [("forbidden", "GET", "/people/")] * 2

    @pytest.mark.parametrize(
        ("method", "address", "code", "status"),
        [
            ("GET", "/no/such/page/", "missing", 404),
            ("POST", "/reviews/not-an-id/vote/", "missing", 404),
            ("GET", "/api/v1/nothing", "missing", 404),
            ("GET", "/operations/switches/engage/", "method.not_allowed", 405),
            ("PUT", "/api/v1/me", "method.not_allowed", 405),
            ("POST", "/people/", "too_large", 413),
        ],
    )
    def test_what_no_view_was_asked_about(
        self, cast: Cast, method: str, address: str, code: str, status: int
    ) -> None:
        body = TEN_MB if status == 413 else b""

        answer = cast.client("ruth").generic(method, address, body)

        assert (answer.status_code, code_of(answer)) == (status, code)
        sentence_of(answer)
        assert Watch(cast).refusals_of(cast.ruth.id) == [(code, method, address)]

    @pytest.mark.parametrize("address", ["/account/sessions/end/", "/api/v1/sessions"])
    def test_a_session_used_without_the_form_s_token(self, cast: Cast, address: str) -> None:
        """Somebody else's page may have sent it; whose session it used is what an auditor asks."""
        browser = cast.client("ruth")
        browser.handler.enforce_csrf_checks = True
        method = "DELETE" if address.startswith("/api/") else "POST"
        before = Watch(cast).rows()

        answer = browser.generic(method, address, b"", JSON if method == "DELETE" else "")

        assert (answer.status_code, code_of(answer)) == (403, "csrf.refused")
        sentence_of(answer)
        assert Watch(cast).rows() == before
        assert Watch(cast).refusals_of(cast.ruth.id) == [("csrf.refused", method, address)]

    def test_nothing_of_somebody_unknown(self) -> None:
        """Without an actor there is no tenant, and so no trail in which it could stand."""
        stranger = Client(SERVER_NAME=HOST)

        answers = [stranger.get("/no/such/page/"), stranger.post("/theme/", {"theme": "pink"})]

        assert [answer.status_code for answer in answers] == [404, 400]
        assert [bool(sentence_of(answer)) for answer in answers] == [True, True]

    def test_a_host_that_is_not_ours_gets_a_sentence_too(self) -> None:
        answer = Client(SERVER_NAME="evil.example").get("/")

        assert answer.status_code == 400
        sentence_of(answer)

    def test_a_body_of_unknown_length_is_not_taken(self, cast: Cast) -> None:
        ruth = cast.client("ruth")

        answer = ruth.post("/theme/", {"theme": "dark"}, CONTENT_LENGTH="",
                           HTTP_TRANSFER_ENCODING="chunked")  # fmt: skip

        assert (answer.status_code, code_of(answer)) == (400, "unreadable")
        sentence_of(answer)
