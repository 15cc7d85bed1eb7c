"""Lots, commitments and what is said of checks: pure, by rules of their own."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from approvals import policies
from approvals.cards import CheckTruth
from approvals.states import CheckOutcome

KEY = b"k" * 32
IDS = st.uuids()
TRUTH = CheckTruth(
    tenant_id=UUID(int=1),
    check_id=UUID(int=2),
    proposal_id=UUID(int=3),
    person_id=UUID(int=4),
    source_id=UUID(int=5),
    template="ten_times",
    digest="0" * 64,
    nonce="1" * 64,
)
CAUGHT, MISSED = CheckOutcome.CAUGHT, CheckOutcome.MISSED


class TestIsDrawn:
    def test_is_about_one_in_fifty(self) -> None:
        person = UUID(int=7)
        drawn = sum(
            policies.is_drawn(KEY, person_id=person, proposal_id=UUID(int=n)) for n in range(10_000)
        )
        assert 150 <= drawn <= 250

    @given(person=IDS, proposal=IDS)
    def test_is_the_same_every_time(self, person: UUID, proposal: UUID) -> None:
        given_ = {"person_id": person, "proposal_id": proposal}
        assert policies.is_drawn(KEY, **given_) is policies.is_drawn(KEY, **given_)

    def test_cannot_be_foreseen_without_the_key(self) -> None:
        person = UUID(int=7)
        other = b"j" * 32
        lots = [
            [policies.is_drawn(key, person_id=person, proposal_id=UUID(int=n)) for n in range(999)]
            for key in (KEY, other)
        ]
        assert lots[0] != lots[1]


class TestWindowNo:
    @given(at=st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001
    def test_is_another_one_after_four_hours_and_the_same_within(self, at: datetime) -> None:
        at = at.replace(tzinfo=UTC)
        assert policies.window_no(at + policies.APART) == policies.window_no(at) + 1
        nearly = at + policies.APART - timedelta(seconds=1)
        assert policies.window_no(nearly) - policies.window_no(at) in {0, 1}


class TestCommitment:
    def test_covers_every_field(self) -> None:
        bare = policies.commitment(TRUTH)
        for field in fields(TRUTH):
            old = getattr(TRUTH, field.name)
            new: Any = UUID(int=99) if isinstance(old, UUID) else f"{old[:-1]}x"
            assert policies.commitment(replace(TRUTH, **{field.name: new})) != bare, field.name


class TestTooFewCaught:
    @given(answers=st.lists(st.sampled_from([CAUGHT, MISSED]), max_size=40))
    def test_is_fewer_than_eighty_of_a_hundred_of_the_last_twenty(
        self, answers: list[CheckOutcome]
    ) -> None:
        last = answers[:20]
        few = len(answers) >= 20 and last.count(CAUGHT) / 20 < 0.8
        assert policies.too_few_caught(answers) is few
