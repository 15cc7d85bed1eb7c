"""The explorer, an entry's page, the API, and the refusals that they record."""

from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.urls import reverse

from audit import queries
from audit.events import Change
from audit.search import Search
from console.kernel.actors import Actor
from tests.audit.facts import note, settle
from tests.cast import Cast

HOSTILE = "<script>alert(1)</script>\u202egnp.exe"


def filled(cast: Cast) -> Actor:
    change = Change(path="/status", before="pending", after=HOSTILE)
    note(actor=cast.omar, n=60, text=HOSTILE, changes=(change,))
    settle(cast.noor)
    return cast.noor


def refusals(actor: Actor) -> list[Any]:
    settle(actor)
    page = queries.entries(actor=actor, search=Search.of("action:request.refused"))
    return [queries.entry(actor=actor, index=card.index or 0) for card in page.entries]


class TestExplorer:
    def test_lists_newest_first_and_says_how_complete_it_is(self, cast: Cast) -> None:
        filled(cast)
        answer = cast.client("noor").get(reverse("audit:explorer"), {"q": "action:test.*"})

        html = answer.content.decode()
        assert answer.status_code == 200
        assert "Complete to" in html
        assert "60 entries match" in html
        assert html.count("<tr id=") == 50
        assert 'rel="next"' in html

    def test_pages_by_its_links(self, cast: Cast) -> None:
        filled(cast)
        client = cast.client("noor")
        first = client.get(reverse("audit:explorer"), {"q": "action:test.*"})
        second = client.get(first.context["older_url"])

        seen = [card.index for answer in (first, second)
                for card in answer.context["page"].entries]  # fmt: skip
        assert seen == sorted(seen, reverse=True)
        assert len(set(seen)) == 60
        assert second.context["newer_url"]
        assert second.context["older_url"] is None

    @pytest.mark.parametrize(
        ("asked", "code"),
        [
            ({"colour": "red"}, "audit.query.unknown_field"),
            ({"q": "kept colour:red"}, "audit.query.unknown_field"),
            ({"q": "kept created:yesterday"}, "audit.query.bad_value"),
            ({"q": 'kept "open'}, "audit.query.malformed"),
            ({"from": "yesterday", "to": "today"}, "invalid"),
            ({"kind": "nonsense"}, "invalid"),
            ({"before": "-3"}, "invalid"),
            ({"at": "1" * 40}, "invalid"),
            ({"actor": "x" * 201}, "invalid"),
            ({"id": "a\x00b"}, "invalid"),
        ],
    )
    def test_refuses_a_bad_question_and_keeps_what_was_typed(
        self, cast: Cast, asked: dict[str, str], code: str
    ) -> None:
        answer = cast.client("noor").get(reverse("audit:explorer"), {"q": "kept", **asked})
        html = answer.content.decode()
        assert answer.status_code == 400
        assert answer.context["refusal"].code == code
        assert 'value="kept' in html
        assert ("<mark>" in html) == code.startswith("audit.query.") * ("q" in asked)
        assert refusals(cast.noor)[0].bind

    def test_marks_the_word_that_is_wrong(self, cast: Cast) -> None:
        answer = cast.client("noor").get(
            reverse("audit:explorer"), {"q": "agent:refunds colour:red <b>"}
        )
        assert "agent:refunds <mark>colour</mark>:red &lt;b&gt;" in answer.content.decode()

    def test_shows_the_query_as_words_that_can_be_taken_out(self, cast: Cast) -> None:
        filled(cast)
        client = cast.client("noor")
        answer = client.get(reverse("audit:explorer"), {"q": 'action:test.*  actor:"Omar"'})
        assert [chip["text"] for chip in answer.context["chips"]] == ["action:test.*", "actor:Omar"]
        without = client.get(answer.context["chips"][1]["without"])
        assert without.context["typed"] == "action:test.*"

    def test_hides_nothing_that_it_does_not_say(self, cast: Cast) -> None:
        answer = cast.client("noor").get(reverse("audit:explorer"))
        assert [chip["text"] for chip in answer.context["chips"]] == ["-kind:read"]

    def test_writes_a_link_and_a_range_of_days_out_as_a_query(self, cast: Cast) -> None:
        client = cast.client("noor")
        address = reverse("audit:explorer")
        for asked, query in (
            ({"target": "a b", "kind": "all"}, 'target:"a b"'),
            ({"run": "r1"}, "-kind:read run:r1"),
            (
                {"q": "refund created:>=2026-01", "from": "2026-11-01", "to": "2026-11-02"},
                "refund created:2026-11-01..2026-11-02",
            ),
        ):
            answer = client.get(address, asked)
            assert answer["Location"] == f"{address}?{urlencode({'q': query})}"

    def test_is_live_until_it_is_pinned(self, cast: Cast) -> None:
        filled(cast)
        client = cast.client("noor")
        page = client.get(reverse("audit:explorer"))
        assert 'topics="audit.sealed"' in page.content.decode()
        part = client.get(page.context["newest_url"] + "&part=list").content.decode()
        assert part.strip().startswith("<sb-live")
        assert part.count("<tr id=") == 50
        pinned = client.get(page.context["pinned_url"])
        assert 'topics=""' in pinned.content.decode()
        assert pinned.context["page"].entries == page.context["page"].entries

    def test_answers_every_usual_question(self, cast: Cast) -> None:
        client = cast.client("noor")
        page = client.get(reverse("audit:explorer"))
        for one in page.context["presets"]:
            assert client.get(reverse("audit:explorer") + one["url"]).status_code == 200, one

    def test_counts_facets_that_narrow_the_query(self, cast: Cast) -> None:
        filled(cast)
        client = cast.client("noor")
        page = client.get(reverse("audit:explorer"), {"q": "action:test.*"})
        (actor,) = next(f for f in page.context["facets"] if f["title"] == "actor")["values"]
        assert (actor["text"], actor["count"]) == ("Omar", 60)
        narrowed = client.get(actor["url"])
        assert narrowed.context["page"].total == 60
        assert f"actor:{cast.omar.id}" in narrowed.context["typed"]

    def test_needs_the_permission(self, cast: Cast) -> None:
        answer = cast.client("ruth").get(reverse("audit:explorer"))
        assert answer.status_code == 403
        (refused,) = refusals(cast.noor)
        assert dict(refused.bind) | {"code": "forbidden", "status": "403"} == dict(refused.bind)
        assert refused.card.actor_label == "Ruth"

    def test_shows_mallory_nothing(self, cast: Cast) -> None:
        filled(cast)
        answer = cast.client("mallory").get(reverse("audit:explorer"), {"q": "action:test.*"})
        assert answer.context["page"].total == 0

    def test_is_not_for_strangers(self, client: Any) -> None:
        answer = client.get(reverse("audit:explorer"), SERVER_NAME="localhost")
        assert answer.status_code == 302

    def test_takes_no_posts(self, cast: Cast) -> None:
        assert cast.client("noor").post(reverse("audit:explorer")).status_code == 405


class TestEntryPage:
    def test_shows_change_times_chain_and_a_proof_that_holds(self, cast: Cast) -> None:
        noor = filled(cast)
        page = queries.entries(actor=noor, search=Search.of("action:test.noted"))
        answer = cast.client("noor").get(reverse("audit:entry", args=[page.entries[0].index]))

        html = answer.content.decode()
        assert answer.status_code == 200
        assert "verified now" in html
        assert "self-attested" in html
        assert "pending" in html
        assert "<script>alert" not in html
        assert "\u202e" not in html
        assert "U+202E" in html

    def test_is_missing_elsewhere(self, cast: Cast) -> None:
        noor = filled(cast)
        index = queries.completeness(actor=noor).sealed - 1
        for name, status in (("mallory", 404), ("ruth", 403)):
            answer = cast.client(name).get(reverse("audit:entry", args=[index]))
            assert answer.status_code == status


class TestApi:
    def test_pages_entries_by_cursor(self, cast: Cast) -> None:
        filled(cast)
        client = cast.key_client("audit.view")
        seen: list[int] = []
        after = ""
        while True:
            asked = {"q": "action:test.*", "limit": "25", **({"after": after} if after else {})}
            answer = client.get("/api/v1/audit/entries", asked)
            assert answer.status_code == 200, answer.content
            seen += [row["index"] for row in answer.json()["items"]]
            after = answer.json()["next"]
            if not after:
                break
        assert seen == sorted(set(seen), reverse=True)
        assert len(seen) == 60

    def test_gives_an_entry_and_its_proof(self, cast: Cast) -> None:
        filled(cast)
        client = cast.key_client("audit.view")
        entry = client.get("/api/v1/audit/entries/3").json()
        proof = client.get("/api/v1/audit/entries/3/proof").json()

        assert entry["index"] == proof["index"] == 3
        assert all(check["passed"] for check in proof["checks"])
        assert entry["proof"]["leaf_hash"] == proof["leaf_hash"]

    @pytest.mark.parametrize(
        ("path", "status"),
        [
            ("entries?colour=red", 400),
            ("entries?q=created:never", 400),
            ("facets?q=colour:red", 400),
            ("entries?limit=0", 400),
            ("entries?after=nonsense", 400),
            ("entries/99999999", 404),
            ("entries/99999999/proof", 404),
        ],
    )
    def test_refuses_in_one_shape(self, cast: Cast, path: str, status: int) -> None:
        answer = cast.key_client("audit.view").get(f"/api/v1/audit/{path}")
        assert answer.status_code == status
        assert set(answer.json()) == {"code", "message", "details"}

    def test_says_how_it_understood_the_query_and_where_it_is_wrong(self, cast: Cast) -> None:
        filled(cast)
        client = cast.key_client("audit.view")
        answer = client.get("/api/v1/audit/entries", {"q": '-kind:read   "a b"'}).json()
        assert answer["asked"]["query"] == '-kind:read "a b"'
        assert [term["negated"] for term in answer["asked"]["terms"]] == [True, False]
        assert answer["pinned"]["size"] == answer["complete"]["sealed"]
        wrong = client.get("/api/v1/audit/entries", {"q": "a index:1..x"}).json()
        assert (wrong["details"]["start"], wrong["details"]["end"]) == (8, 12)

    def test_counts_facets(self, cast: Cast) -> None:
        filled(cast)
        answer = cast.key_client("audit.view").get("/api/v1/audit/facets", {"q": "action:test.*"})
        (kind,) = [one for one in answer.json()["facets"] if one["field"] == "kind"]
        assert kind["values"] == [{"value": "fact", "label": "", "count": 60}]

    def test_needs_the_scope(self, cast: Cast) -> None:
        answer = cast.key_client("runs.view").get("/api/v1/audit/entries")
        assert answer.status_code == 403
        assert refusals(cast.noor)[0].card.actor_kind == "key"


class TestRecordRefusals:
    def test_takes_neither_form_nor_query(self, cast: Cast) -> None:
        secret = f"hunter2-{uuid4()}"
        client = cast.client("noor")
        client.get(reverse("audit:explorer"), {"colour": secret})
        client.post(f"/reviews/{uuid4()}/vote/", {"note": secret, "choice": secret})

        found = refusals(cast.noor)
        assert found
        assert all(secret not in entry.envelope for entry in found)

    def test_records_what_a_key_sent_too_much_of(self, cast: Cast) -> None:
        answer = cast.key_client("audit.view").post(
            "/api/v1/anything/", b"x" * (2 * 1024 * 1024 + 1), content_type="application/json"
        )

        assert answer.status_code == 413
        (found,) = refusals(cast.noor)
        assert found.card.actor_kind == "key"
        assert dict(found.bind)["code"] == "too_large"
