"""What a reader may not do stands disabled, beside the sentence with which it would be refused."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from html.parser import HTMLParser
from typing import Any

import pytest
from typing_extensions import override

from approvals import commands
from approvals.cards import May
from console.kernel.errors import NotAllowed
from tests.approvals import lent, letters
from tests.approvals.advance import made
from tests.approvals.desk import opened
from tests.approvals.policies.rules import body, rule, silenced, spoken
from tests.cast import Cast

POLICIES = "/reviews/policies/"
# Sentences that a page holds as text: of a row's box, and of the time to decide.
SENTENCES = frozenset({"unselected", "extend_refusal"})
VOID = frozenset({"input", "br", "img", "meta", "link", "hr", "use", "path", "source", "wbr"})


class Page(HTMLParser):
    """Which elements have which text, and which of them disabled controls point to."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: dict[str, str] = {}
        self.named: set[str] = set()
        self._open: list[tuple[str, str]] = []
        self.feed(html)

    @property
    def said(self) -> set[str]:
        """Return the sentences that disabled controls point to."""
        return {" ".join(self.texts.get(name, "").split()) for name in self.named}

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if "disabled" in found:
            self.named |= set((found.get("aria-describedby") or "").split())
        if tag not in VOID:
            self._open.append((tag, found.get("id") or ""))

    @override
    def handle_endtag(self, tag: str) -> None:
        if any(tag == one for one, _ in self._open):
            while self._open.pop()[0] != tag:
                pass

    @override
    def handle_data(self, data: str) -> None:
        for _, name in self._open:
            if name:
                self.texts[name] = self.texts.get(name, "") + data


def refusals(value: object, name: str = "", depth: int = 7) -> Iterator[str]:
    """Yield the sentence of everything in a page's context that the reader may not do."""
    if isinstance(value, May):
        yield value.refusal
    elif name in SENTENCES and isinstance(value, str):
        yield value
    elif depth:
        for key, inner in parts(value, name):
            yield from refusals(inner, key, depth - 1)


def parts(value: object, name: str) -> list[tuple[str, object]]:
    if isinstance(value, Mapping):
        return [(str(key), inner) for key, inner in value.items()]
    if isinstance(value, list | tuple):
        return [(name, inner) for inner in value]
    if is_dataclass(value):
        return [(one.name, getattr(value, one.name)) for one in fields(value)]
    return []


def drafted(cast: Cast, name: str = "a") -> str:
    made = commands.add_version(actor=cast.noor, body=body(rule(name, "deny")))
    return f"{POLICIES}{made.id}/"


def beside_a_shadow(cast: Cast) -> str:
    first = commands.add_version(actor=cast.noor, body=body(rule("a", "deny")))
    commands.shadow_version(actor=cast.noor, version_id=first.id, on=True)
    return drafted(cast, "b")


def retired(cast: Cast) -> str:
    version = silenced(cast, spoken(cast, rule("c", "deny", match={"tool": "none.*"})))
    return f"{POLICIES}{version.id}/"


def active(cast: Cast) -> str:
    return f"{POLICIES}{spoken(cast, rule('c', 'deny', match={'tool': 'none.*'})).id}/"


def replayed(cast: Cast) -> str:
    opened(cast)
    version = commands.add_version(actor=cast.noor, body=body(rule("a", "deny")))
    replay = commands.start_replay(actor=cast.noor, version_id=version.id, days=7)
    return f"/reviews/policies/replays/{replay.id}/"


def held(cast: Cast) -> str:
    card = opened(cast)
    commands.claim(actor=cast.ines, proposal_id=card.id)
    return f"/reviews/{card.id}/"


def stale(cast: Cast) -> str:
    card = letters.opened(cast, tier=2)
    letters.DRAWER[card.subject.id]["state"] = "weighed"
    commands.probe(actor=cast.system, proposal_id=card.id, every_s=0)
    return f"/reviews/{card.id}/"


def listed(cast: Cast) -> str:
    opened(cast, tier=2)
    return "/reviews/"


def in_advance(cast: Cast) -> str:
    made(cast)
    return "/reviews/standing/"


def delegated(cast: Cast) -> str:
    cast.add("ada", roles=("auditor",))
    lent.lend(cast.ruth, cast.ines)
    return "/reviews/delegations/"


# Who looks at which page, and how many things they may not do there.
LOOKS: dict[str, tuple[str, Callable[[Cast], str], int]] = {
    "no policies": ("ruth", lambda _cast: POLICIES, 1),
    "a draft": ("ruth", drafted, 5),
    "a draft beside a shadow": ("noor", beside_a_shadow, 1),
    "what speaks": ("ruth", active, 3),
    "what is over": ("noor", retired, 1),
    "a replay": ("ruth", replayed, 1),
    "what somebody holds": ("ruth", held, 2),
    "what one started": ("omar", lambda cast: f"/reviews/{opened(cast).id}/", 2),
    "what moved on": ("omar", stale, 1),
    "a list": ("ruth", listed, 1),
    "approvals in advance": ("ines", in_advance, 1),
    "delegations": ("ada", delegated, 1),
}


class TestEveryRefusedControl:
    @pytest.mark.parametrize("name", LOOKS)
    def test_stands_disabled_beside_its_sentence(self, cast: Cast, name: str) -> None:
        who, prepare, least = LOOKS[name]
        address = prepare(cast)
        answer = cast.client(who).get(address)
        context: Any = answer.context
        pages = [one.flatten() for one in context]
        wanted = {" ".join(one.split()) for page in pages for one in refusals(page) if one}
        found = [one for page in pages[:1] for one in refusals(page) if one]
        assert answer.status_code == 200
        assert len(found) >= least, found
        assert wanted <= Page(answer.content.decode()).said


class TestMay:
    def test_says_what_the_first_check_says(self) -> None:
        def no() -> None:
            raise NotAllowed("Not you.")

        assert May.after() == May()
        assert May.after(lambda: None, no, lambda: 1 / 0) == May("Not you.")
        assert bool(May()) is not bool(May("Not you."))
