"""The catalogue of events."""

from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from audit import envelope
from audit.events import Event, RequestRefused, catalogue
from tests.audit.facts import ThingNoted


class TestEvent:
    def test_knows_its_subject_and_topics(self) -> None:
        event = ThingNoted(thing_id=UUID(int=9), n=4)

        assert event.subject_id == str(UUID(int=9))
        assert event.touched_topics() == ("test.things", f"test.thing:{UUID(int=9)}")
        assert event.own_fields() == {"thing_id": UUID(int=9), "n": 4, "note": ""}

    def test_takes_its_subjects_type_from_its_name(self) -> None:
        assert RequestRefused.target_type == "request"

    def test_is_entered_once(self) -> None:
        with pytest.raises(TypeError, match="belongs to"):

            @dataclass(frozen=True, kw_only=True)
            class Another(Event):
                name = "test.noted"
                subject = "thing_id"
                thing_id: UUID

    def test_must_name_its_subject(self) -> None:
        with pytest.raises(TypeError, match="must name one of its fields"):

            @dataclass(frozen=True, kw_only=True)
            class Subjectless(Event):
                name = "test.subjectless"
                subject = "nothing"
                thing_id: UUID

    def test_may_not_hide_a_field_of_the_base(self) -> None:
        with pytest.raises(TypeError, match="redeclares"):

            @dataclass(frozen=True, kw_only=True)
            class Hiding(Event):
                name = "test.hiding"
                subject = "thing_id"
                thing_id: UUID
                reason: str

    def test_cannot_be_changed(self) -> None:
        with pytest.raises(AttributeError):
            ThingNoted(thing_id=uuid4()).n = 2  # type: ignore[misc]


class TestCatalogue:
    def test_says_what_every_event_means(self) -> None:
        silent = [event.name for event in catalogue() if not event.__doc__]
        assert silent == []

    def test_has_dotted_names_in_small_letters(self) -> None:
        odd = [
            event.name
            for event in catalogue()
            if "." not in event.name or event.name != event.name.lower()
        ]
        assert odd == []


class TestPlain:
    def test_writes_ids_times_and_decimals_as_text(self) -> None:
        event = replace(ThingNoted(thing_id=UUID(int=1)), note={"usd": Decimal("1.50"), "id": (1,)})

        assert envelope.plain(event.own_fields()) == {
            "thing_id": str(UUID(int=1)),
            "n": 0,
            "note": {"usd": "1.50", "id": [1]},
        }
