"""Nothing that a vote is bound to can differ by a single leaf: not for a vote, not for a dispatch.

Bound are the tool, the hash of its contract, the arguments and the before-image, both at any depth
(algorithm A2). Each single change of random content is tried; the same content in another order of
keys passes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from approvals import commands
from approvals.cards import Claimed, Content, NotClaimed, ProposalCard
from approvals.errors import StaleRevision
from approvals.models import Decision, Dispatch, Vote
from approvals.states import ProposalState
from console.kernel.ids import uuid7
from console.kernel.transactions import in_tenant
from tests.approvals.desk import agent, approve, content, opened, reject
from tests.cast import Cast, make_cast

LARGEST: Final = 2**53 - 1
KEYS: Final = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=6)
TEXTS: Final = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
LEAVES: Final = st.none() | st.booleans() | st.integers(-LARGEST, LARGEST) | TEXTS
VALUES: Final = st.recursive(
    LEAVES,
    lambda deeper: st.lists(deeper, max_size=3) | st.dictionaries(KEYS, deeper, max_size=3),
    max_leaves=8,
)
ARGS: Final = st.dictionaries(KEYS, VALUES, min_size=1, max_size=4)
RECORDS: Final = st.dictionaries(KEYS, st.dictionaries(KEYS, VALUES, max_size=3), max_size=2)
IMAGES: Final = st.dictionaries(KEYS, RECORDS, min_size=1, max_size=2)
CONTENTS: Final[SearchStrategy[Content]] = st.builds(
    lambda args, before: content(args=args, before=before, after=before), ARGS, IMAGES
)
STORED: Final = settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # each example commits; a smaller one says no more
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def others(value: Any) -> Iterator[Any]:
    """Yield every value that differs from this one in a single leaf, name or place."""
    if isinstance(value, Mapping):
        yield from _other_objects(dict(value))
    elif isinstance(value, list):
        yield from _other_lists(value)
    else:
        yield from _other_leaves(value)


def _other_objects(value: dict[str, Any]) -> Iterator[Any]:
    for name, one in value.items():
        rest = {key: kept for key, kept in value.items() if key != name}
        yield rest
        yield from ({**value, name: other} for other in others(one))
        yield {**rest, _new(value, name): one}
    yield {**value, _new(value, ""): None}  # an absent value is not a null


def _new(value: Mapping[str, Any], name: str) -> str:
    while name in value:
        name += "\u200b"  # looks the same
    return name


def _other_lists(value: list[Any]) -> Iterator[Any]:
    for place, one in enumerate(value):
        yield value[:place] + value[place + 1 :]
        yield from ([*value[:place], other, *value[place + 1 :]] for other in others(one))
    yield [*value, None]
    if value != value[::-1] or [type(one) for one in value] != [type(one) for one in value[::-1]]:
        yield value[::-1]


def _other_leaves(value: Any) -> Iterator[Any]:
    match value:
        case bool():
            yield from (not value, int(value), str(value).lower())
        case int():
            yield from (value - 1 if value > 0 else value + 1, str(value))
        case str():
            yield from (f"{value} ", f"{value}\u200b", [value])
            yield from ([value.swapcase()] if value.swapcase() != value else [])
        case _:
            yield from ("", 0, False, [], {})  # for a null


def same(value: Any) -> Any:
    """Return an equal value, made anew and with its keys the other way round."""
    if isinstance(value, Mapping):
        return {key: same(value[key]) for key in reversed(list(value))}
    return [same(one) for one in value] if isinstance(value, list) else value


def equal_to(wanted: Content) -> Content:
    return replace(wanted, args=same(wanted.args), before=same(wanted.before))


def other_calls(wanted: Content) -> Iterator[Content]:
    """Yield what is another call: another tool, or other arguments."""
    yield from (replace(wanted, tool=tool) for tool in (f"{wanted.tool}s", "delete_user"))
    yield from (replace(wanted, args=args) for args in others(wanted.args))


def other_worlds(wanted: Content) -> Iterator[Content]:
    """Yield the same call elsewhere: under another contract, or on another target."""
    first = "0" if wanted.contract_hash[0] != "0" else "1"
    for changed in (first + wanted.contract_hash[1:], wanted.contract_hash[:-1] + first):
        yield replace(wanted, contract_hash=changed)
    yield from (replace(wanted, before=before) for before in others(wanted.before))


def is_image(value: Any) -> bool:
    """Tell whether something could be read from a target at all: records of fields by id."""
    return all(
        isinstance(records, Mapping) and all(isinstance(one, Mapping) for one in records.values())
        for records in value.values()
    )


def everything_else(wanted: Content) -> list[Content]:
    return [*other_calls(wanted), *other_worlds(wanted)]


def asked(cast: Cast, wanted: Content) -> ProposalCard:
    return opened(cast, args=wanted.args, before=wanted.before, after=wanted.after)


def some(data: st.DataObject, found: list[Content], most: int) -> list[Content]:
    """Draw a few of them, never the same one twice."""
    places = st.lists(st.integers(0, len(found) - 1), min_size=1, max_size=most, unique=True)
    return [found[place] for place in data.draw(places)]


@pytest.fixture(scope="module")
def cast(database: None) -> Cast:
    """Return one cast for the file: contents are random, and every example has its own call."""
    return make_cast()


class TestDigest:
    """The 32 bytes themselves, without a database, for as many contents as one likes."""

    @given(wanted=CONTENTS)
    @settings(max_examples=150, deadline=None)
    def test_differs_for_every_single_change(self, wanted: Content) -> None:
        found = {other.digest for other in everything_else(wanted)}
        assert wanted.digest not in found

    @given(wanted=CONTENTS)
    @settings(max_examples=150, deadline=None)
    def test_is_that_of_equal_content(self, wanted: Content) -> None:
        assert equal_to(wanted).digest == wanted.digest

    def test_leaves_no_field_of_the_page_bound_by_chance(self) -> None:
        """The after-image follows from the rest; it is the only field that is not bound."""
        wanted = content()
        assert replace(wanted, after={}).digest == wanted.digest
        bound = {"tool", "contract_hash", "args", "before", "children"}
        assert set(Content.__slots__) == bound | {"after"}

    def test_of_a_plan_is_its_changes_in_their_order(self) -> None:
        plan = replace(content(), children=("a" * 64, "b" * 64))
        others = [("b" * 64, "a" * 64), ("a" * 64,), ("a" * 64, "b" * 63 + "c"), ()]
        assert plan.digest not in {replace(plan, children=other).digest for other in others}

    @pytest.mark.parametrize(
        ("one", "other"),
        [(1, True), (0, False), (None, ""), ("1", 1), ("é", "e\u0301"), ([], {}), ([1, 2], [2, 1])],
    )
    def test_tells_apart_what_reads_alike(self, one: Any, other: Any) -> None:
        first, second = (content(args={"order_id": value}) for value in (one, other))
        assert first.digest != second.digest


class TestVote:
    @given(data=st.data(), wanted=CONTENTS)
    @STORED
    def test_on_content_that_differs_anywhere_is_stale(
        self, cast: Cast, data: st.DataObject, wanted: Content
    ) -> None:
        card = asked(cast, wanted)
        for other in some(data, everything_else(wanted), 6):
            with pytest.raises(StaleRevision) as refused:
                approve(card, cast.ruth, seen_digest=other.digest.hex())
            assert (refused.value.code, refused.value.status) == ("proposal.stale", 409)
        assert not self.counted(cast, card)

        receipt = approve(card, cast.ruth, seen_digest=equal_to(wanted).digest.hex())
        assert receipt.state is ProposalState.APPROVED

    @pytest.mark.parametrize("field", ["tool", "contract_hash", "args", "before"])
    def test_of_either_choice_is_stale_field_by_field(self, cast: Cast, field: str) -> None:
        card, wanted = opened(cast), content()
        changed: dict[str, Any] = {
            "tool": "cancel_pending_orders",
            "contract_hash": "d" * 64,
            "args": {**wanted.args, "reason": "ordered by mistake."},
            "before": {"orders": {"#W1": {**wanted.before["orders"]["#W1"], "total": 41801}}},
        }
        seen = replace(wanted, **{field: changed[field]}).digest.hex()
        for choose in (approve, reject):
            with pytest.raises(StaleRevision):
                choose(card, cast.ruth, seen_digest=seen)
        assert not self.counted(cast, card)

    def test_on_another_revision_of_the_same_content_is_stale(self, cast: Cast) -> None:
        card = opened(cast)
        with pytest.raises(StaleRevision):
            approve(card, cast.ruth, revision_no=card.revision_no + 1)
        assert not self.counted(cast, card)

    def counted(self, cast: Cast, card: ProposalCard) -> bool:
        with in_tenant(cast.tenant_id, read_only=True):
            votes = Vote.objects.filter(proposal_id=card.id).exists()
            return votes or Decision.objects.filter(proposal_id=card.id).exists()


class TestDispatch:
    @given(data=st.data(), wanted=CONTENTS)
    @STORED
    def test_of_another_call_is_refused(
        self, cast: Cast, data: st.DataObject, wanted: Content
    ) -> None:
        card = asked(cast, wanted)
        approve(card, cast.ruth)
        for other in some(data, list(other_calls(wanted)), 6):
            got = self.claim(cast, card, other)
            assert isinstance(got, NotClaimed)
            assert (got.code, got.state) == ("dispatch.other_call", ProposalState.APPROVED)
        assert not self.dispatched(cast, card)

        got = self.claim(cast, card, equal_to(wanted))
        assert isinstance(got, Claimed)
        assert content(args=got.args).args_bytes == wanted.args_bytes

    @given(data=st.data(), wanted=CONTENTS)
    @STORED
    def test_on_another_target_or_under_another_contract_is_stale(
        self, cast: Cast, data: st.DataObject, wanted: Content
    ) -> None:
        card = asked(cast, wanted)
        approve(card, cast.ruth)
        found = [other for other in other_worlds(wanted) if is_image(other.before)]
        (other,) = some(data, found, 1)

        got = self.claim(cast, card, other)

        assert isinstance(got, NotClaimed)
        assert (got.code, got.state) == ("proposal.stale", ProposalState.STALE)
        # Not even with what was approved: it is people's turn again.
        assert isinstance(self.claim(cast, card, wanted), NotClaimed)
        assert not self.dispatched(cast, card)
        commands.withdraw(actor=cast.system, proposal_id=card.id, cause="over")  # room for more

    def claim(self, cast: Cast, card: ProposalCard, other: Content) -> Claimed | NotClaimed:
        return commands.claim_dispatch(
            actor=agent(cast), proposal_id=card.id, call_key=uuid7(), content=other
        )

    def dispatched(self, cast: Cast, card: ProposalCard) -> bool:
        with in_tenant(cast.tenant_id, read_only=True):
            return Dispatch.objects.filter(proposal_id=card.id).exists()
