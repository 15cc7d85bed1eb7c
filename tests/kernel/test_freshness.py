"""Which hints a page knows already."""

import re

from approvals.states import ProposalState
from console.kernel.relay import relay_all
from tests.approvals.desk import opened
from tests.cast import Cast


def numbers_of(html: str) -> dict[str, int]:
    found = re.search(r'data-seen="([^"]*)"', html)
    assert found is not None
    return {name: int(number) for name, number in (e.split("=") for e in found[1].split())}


class TestSeenTopics:
    def test_a_page_says_what_it_has_seen(self, cast: Cast) -> None:
        card = opened(cast)
        assert card.state is ProposalState.OPEN
        relay_all(tenant_id=cast.tenant_id)

        html = cast.client("ruth").get(f"/reviews/{card.id}/").content.decode()

        assert numbers_of(html)["reviews.queue"] > 0
        assert numbers_of(html)[f"proposal:{card.id}"] > 0
        assert str(card.id) in html.split('data-seen-ids="')[1].split('"')[0]

    def test_a_hint_that_has_not_left_is_not_seen(self, cast: Cast) -> None:
        card = opened(cast)

        html = cast.client("ruth").get(f"/reviews/{card.id}/").content.decode()

        assert f"proposal:{card.id}" not in numbers_of(html)

    def test_names_no_topic_that_the_reader_may_not_follow(self, cast: Cast) -> None:
        opened(cast)
        relay_all(tenant_id=cast.tenant_id)

        html = cast.client("omar").get("/manual/").content.decode()

        assert "accounts.people" not in numbers_of(html)

    def test_a_part_of_a_page_asks_for_none(self, cast: Cast) -> None:
        answer = cast.client("ruth").get("/reviews/?part=rows&view=mine")

        assert not hasattr(answer.wsgi_request, "seen_topics")
