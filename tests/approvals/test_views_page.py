import re
from typing import Any

from approvals import commands
from approvals.cards import ProposalCard
from approvals.states import DispatchState, ProposalState
from tests.approvals.desk import (
    agent,
    approve,
    approved,
    claim,
    content,
    facts,
    now,
    opened,
    reject,
)
from tests.approvals.test_views import form, text
from tests.cast import Cast

LONG = "\n".join(f"line {n}" for n in range(2_000))
OTHER = "\n".join(f"line {n}, new" if 500 <= n < 813 else f"line {n}" for n in range(2_000))


def note(before: Any, after: Any) -> dict[str, Any]:
    sides = zip(("before", "after"), (before, after), strict=True)
    return {side: {"orders": {"#W1": {"note": value, "total": 41800}}} for side, value in sides}


def page_of(cast: Cast, card: ProposalCard, query: str = "", who: str = "ruth") -> str:
    answer = cast.client(who).get(f"/reviews/{card.id}/{query}")
    assert answer.status_code == 200, text(answer)
    return text(answer)


def folds(page: str) -> list[str]:
    found = re.findall(r'href="([^"]*)" data-open-fold>[\d,]+ changed', page)
    return [href.replace("&amp;", "&") for href in found]


class TestViews:
    def test_is_part_of_the_address(self, cast: Cast) -> None:
        card = opened(cast)
        marks = {
            "fields": 'class="diff"',
            "unified": 'class="sign" data-mark="del"',
            "side": "data-side",
            "raw": "<h3>Call</h3>",
        }
        for view, mark in marks.items():
            page = page_of(cast, card, f"?view={view}")
            assert mark in page
            assert re.search(rf'aria-current="page"[^>]*>\s*{view[:3]}', page, re.IGNORECASE)
            assert f"view={view}" in page or view == "fields"  # the live region asks for the same

    def test_shows_what_goes_and_what_comes(self, cast: Cast) -> None:
        card = opened(cast)
        for view in ("fields", "unified", "side"):
            page = page_of(cast, card, f"?view={view}")
            change = page[page.index('id="change"') :]
            assert "pending" in change
            assert "cancelled" in change

    def test_cycles_with_one_key(self, cast: Cast) -> None:
        card = opened(cast)
        seen = []
        query = ""
        for _ in range(4):
            page = page_of(cast, card, query)
            href = re.search(r'href="(\?[^"]*)#change"[^>]*data-key="v"', page)
            assert href is not None
            seen.append(query := href[1])
        assert seen == ["?view=unified", "?view=side", "?view=raw", "?"]

    def test_refuses_an_address_that_says_nothing(self, cast: Cast) -> None:
        card = opened(cast)
        client = cast.client("ruth")
        for query in ("view=both", "open=%00", "open=../x", "since=x", "since=0", "list=all"):
            assert client.get(f"/reviews/{card.id}/?{query}").status_code == 400, query


class TestFolds:
    def test_313_changed_lines_are_folded_and_approval_waits_for_them(self, cast: Cast) -> None:
        """LionSR/TeXRA#10083."""
        card = opened(cast, **note(LONG, OTHER))
        client = cast.client("ruth")
        page = text(client.get(f"/reviews/{card.id}/"))
        assert "line 600, new" not in page
        assert "not looked at yet" in page
        assert re.search(r'value="approve"[^>]*disabled', page)
        assert "not shown to you yet" in page
        answer = client.post(f"/reviews/{card.id}/vote/", form(card))
        assert answer.status_code == 409
        assert "vote.not_fully_shown" in text(answer)
        pages = [
            text(client.get(f"/reviews/{card.id}/{href.partition('#')[0]}")) for href in folds(page)
        ]
        assert "line 812, new" in pages[-1]
        answer = client.post(f"/reviews/{card.id}/vote/", form(card))
        assert answer.status_code == 302, text(answer)

    def test_can_be_rejected_unread(self, cast: Cast) -> None:
        card = opened(cast, **note(LONG, OTHER))
        values = form(card, choice="reject", reason_code="other", note="Too long.")
        assert cast.client("ruth").post(f"/reviews/{card.id}/vote/", values).status_code == 302

    def test_counts_the_parts_that_were_viewed(self, cast: Cast) -> None:
        card = opened(cast, **note(LONG, OTHER))
        client = cast.client("ruth")
        page = text(client.get(f"/reviews/{card.id}/"))
        whole = len(folds(page))
        assert f"<strong>0 of {whole}</strong>" in page
        one = text(client.get(f"/reviews/{card.id}/{folds(page)[0].partition('#')[0]}"))
        assert f"<strong>1 of {whole}</strong>" in one
        again = text(client.get(f"/reviews/{card.id}/"))
        assert f"<strong>1 of {whole}</strong>" in again
        assert "opened before" in again

    def test_keeps_one_fold_open_when_the_next_is_opened(self, cast: Cast) -> None:
        card = opened(cast, **note(LONG, OTHER))
        first = folds(page_of(cast, card))[0].partition("#")[0]
        second = folds(page_of(cast, card, first))[0]
        assert second.startswith(f"{first},")

    def test_opens_all(self, cast: Cast) -> None:
        card = opened(cast, **note(LONG, OTHER))
        page = page_of(cast, card, "?open=all")
        assert "line 600, new" in page
        assert "line 1400" in page
        assert folds(page) == []
        assert 'value="approve" required' in page.replace("  ", " ")
        assert not re.search(r'value="approve"[^>]*disabled', page)

    def test_raw_bytes_do_not_count_as_an_opened_fold(self, cast: Cast) -> None:
        card = opened(cast, **note(LONG, OTHER))
        client = cast.client("ruth")
        client.get(f"/reviews/{card.id}/?view=raw&open=all")
        answer = client.post(f"/reviews/{card.id}/vote/", form(card))
        assert answer.status_code == 409

    def test_opens_as_much_as_one_answer_holds(self, cast: Cast) -> None:
        before = "\n".join(f"line {n}" for n in range(10_000))
        after = "\n".join(f"line {n}, new" for n in range(10_000))
        card = opened(cast, **note(before, after))
        client = cast.client("ruth")
        query, page = "?open=all", ""
        for _ in range(5):
            page = text(client.get(f"/reviews/{card.id}/{query}"))
            more = re.search(r'href="([^"#]*)[^"]*" data-open-fold>Open the next folds', page)
            if more is None:
                break
            query = more[1].replace("&amp;", "&")
        assert "line 9999, new" in page
        assert client.post(f"/reviews/{card.id}/vote/", form(card)).status_code == 302

    def test_looks_of_another_person_do_not_count(self, cast: Cast) -> None:
        card = opened(cast, **note(LONG, OTHER))
        page_of(cast, card, "?open=all", who="ines")
        assert "<strong>0 of" in page_of(cast, card)

    def test_the_live_part_keeps_folds_open(self, cast: Cast) -> None:
        card = opened(cast, **note(LONG, OTHER))
        page = page_of(cast, card, "?view=side&open=all")
        source = re.search(r'<sb-live id="proposal"[^>]*src="([^"]*)"', page)
        assert source is not None
        assert {"view=side", "open=all", "part=now"} <= set(
            source[1].partition("?")[2].replace("&amp;", "&").split("&")
        )


class TestDeception:
    def test_escapes_are_counted_in_the_field_and_in_total(self, cast: Cast) -> None:
        """langchain-ai/deepagents#1694."""
        page = page_of(cast, opened(cast, **note("pay Ito", "pay \u202eotI\u200b")))
        assert "2 invisible or reordering characters in this content" in page
        assert ">2 hidden<" in page.replace(" </", "</")
        assert "U+202E" in page
        assert "\u202e" not in page

    def test_escapes_in_every_view(self, cast: Cast) -> None:
        nasty = "\n".join(f"<b>{n}</b>\u2066" for n in range(6))
        card = opened(cast, **note("a", nasty))
        for view in ("unified", "side", "raw"):
            page = page_of(cast, card, f"?view={view}")
            assert "U+2066" in page
            assert "\u2066" not in page
            assert "<b>1</b>" not in page

    def test_points_out_letters_that_look_alike(self, cast: Cast) -> None:
        page = page_of(cast, opened(cast, **note("paypal", "p\u0430ypal")))
        assert "1 word mixes letters of scripts that look alike" in page


class TestConsequence:
    def test_says_verb_object_and_amounts_first(self, cast: Cast) -> None:
        sides: dict[str, Any] = {
            side: {"orders": {"#W1": {"refund": amount, "status": "paid"}}}
            for side, amount in (("before", "418.00"), ("after", "4180.00"))
        }
        page = page_of(cast, opened(cast, **sides))
        line = re.search(r'<p class="consequence">(.*?)</p>', page, re.DOTALL)
        assert line is not None
        said = re.sub(r"<[^>]+>", "", line[1])
        assert said.startswith("If approved: Cancel order #W1: refund 418.00")
        assert "10 times as much" in said
        assert "1 field of 1 record (orders 1); 1 other field of them stay" in page

    def test_says_whether_it_can_be_undone_and_how_old_the_look_is(self, cast: Cast) -> None:
        page = page_of(cast, opened(cast))
        assert "This cannot be undone after dispatch." in page
        assert "Target read" in page
        undone = facts(1, undo="The tool reopen reverses it.")
        assert "The tool reopen reverses it." in page_of(cast, opened(cast, facts_=undone))

    def test_folds_the_agents_own_reason(self, cast: Cast) -> None:
        page = page_of(cast, opened(cast))
        assert re.search(
            r"<details[^>]*>\s*<summary>What the agent says about this, not verified", page
        )

    def test_names_production(self, cast: Cast, settings: Any) -> None:
        settings.ENVIRONMENT = "production"
        page = page_of(cast, opened(cast))
        assert 'data-tone="solid">production' in page


class TestEvidence:
    def test_counts_how_the_agents_proposals_ended(self, cast: Cast) -> None:
        approved(cast)
        reject(opened(cast), cast.ruth)
        page = page_of(cast, opened(cast))
        assert "1 approved, 1 rejected, of 3" in page

    def test_lists_what_touched_the_same_record(self, cast: Cast) -> None:
        other = opened(cast, facts_=facts(1, title="Cancel order #W1 at once"))
        reject(other, cast.ruth)
        elsewhere: dict[str, Any] = {
            side: {"orders": {"#W12": {"status": state}}}
            for side, state in (("before", "pending"), ("after", "cancelled"))
        }
        opened(cast, facts_=facts(1, title="Cancel order #W12"), **elsewhere)
        page = page_of(cast, opened(cast))
        assert f'href="/reviews/{other.id}/">Cancel order #W1 at once' in page
        assert "Cancel order #W12" not in page

    def test_says_unknown_where_nothing_is_known(self, cast: Cast) -> None:
        page = page_of(cast, opened(cast))
        assert "unknown where the arguments come from" in page
        assert "no verdict is recorded for this call" in page


class TestSince:
    def test_shows_only_what_changed(self, cast: Cast) -> None:
        card = approved(cast)
        base = {"orders": {"#W1": {"status": "shipped"}}}
        claim(cast, card, before=base)
        commands.refresh(actor=agent(cast), proposal_id=card.id, content=content(before=base))
        page = page_of(cast, card, "?since=1")
        found = page[page.index('id="since"') : page.index('id="change"')]
        assert "shipped" in found
        assert "You now see revision 2" in found
        assert "revision 1" in page[page.index('id="past"') :]

    def test_says_when_there_is_nothing(self, cast: Cast) -> None:
        card = opened(cast)
        for seen in (1, 7):
            assert "Nothing: revision" in page_of(cast, card, f"?since={seen}")


class TestStages:
    def test_gives_each_its_own_line_and_time(self, cast: Cast) -> None:
        card = approved(cast)
        waiting = page_of(cast, card)
        assert "queued; waits for the run" in waiting
        assert "1 of 1" in waiting[waiting.index('id="stands"') : waiting.index('id="change"')]
        got = claim(cast, card)
        commands.report_outcome(
            actor=agent(cast),
            dispatch_id=got.dispatch_id,
            outcome=DispatchState.SUCCEEDED,
            after={},
            evidence={},
        )
        page = page_of(cast, card)
        labels = re.findall(r"<dt>([A-Za-z ]+)</dt>\s*<dd>(?:<span class=\"b)", page)
        assert labels == ["Your vote", "Approvals", "Decided", "Queued", "Sent", "Confirmed"]

    def test_shows_bells_only_to_those_who_may_see_votes(self, cast: Cast) -> None:
        card = opened(cast, tier=2)
        approve(card, cast.ines)
        assert "1 of 2" not in page_of(cast, card)
        approve(card, cast.ruth)
        assert "2 of 2" in page_of(cast, card)

    def test_points_to_the_trail_only_for_those_who_may_read_it(self, cast: Cast) -> None:
        card = approved(cast)
        assert 'href="/audit/' not in page_of(cast, card)


class TestPlace:
    def test_counts_and_leads_to_the_neighbours(self, cast: Cast) -> None:
        first, second = (opened(cast) for _ in range(2))
        page = page_of(cast, first)
        assert "1 of 2 in" in page
        assert re.search(rf'href="/reviews/{second.id}/"[^>]*data-key="j"', page)
        page = page_of(cast, second, "?list=team&sort=deadline")
        assert re.search(
            rf'href="/reviews/{first.id}/\?list=team&amp;sort=deadline"[^>]*data-key="k"', page
        )
        assert "/reviews/?view=team&amp;sort=deadline" in page

    def test_takes_what_was_decided_for_gone(self, cast: Cast) -> None:
        card = approved(cast)
        page = page_of(cast, card)
        assert not re.search(r"\d+ of \d+ in\b", page)
        assert now(cast, card).card.state is ProposalState.APPROVED
