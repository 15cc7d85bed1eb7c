"""The open proposals that tiles and attention speak of, asked for once."""

from datetime import datetime, timedelta
from typing import Final

from approvals import queries as approvals
from approvals.cards import ProposalCard
from approvals.queries import View
from console.kernel.actors import Actor

SOON: Final = timedelta(minutes=20)


class Waiting:
    """Open proposals that this person may see; `cut` when there are more than one page of them."""

    def __init__(self, cards: list[ProposalCard], mine: int, *, cut: bool) -> None:
        self.cards = [card for card in cards if not card.settled]
        self.mine = mine
        self.cut = cut

    def soon(self, now: datetime) -> int:
        return sum(1 for card in self.cards if not card.frozen and card.decide_by <= now + SOON)

    @property
    def stale(self) -> int:
        return sum(1 for card in self.cards if card.state.value == "stale")


def proposals(actor: Actor) -> Waiting:
    if not actor.has("approvals.view"):
        return Waiting([], 0, cut=False)
    pages = [
        approvals.awaiting_review(actor=actor, view=View.MINE),
        approvals.awaiting_review(actor=actor, view=View.TEAM, words="mine:no"),
    ]
    cards = [row.card for page in pages for row in page.rows]
    return Waiting(cards, pages[0].mine, cut=any(page.next for page in pages))
