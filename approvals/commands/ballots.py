"""A vote as it was handed in, before anybody asks whether it counts."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from approvals.cards import Reading, Signed
from approvals.models import Revision, Vote
from approvals.states import Choice, RejectCode
from console.kernel.errors import BadInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Ballot:
    """A vote as it was handed in."""

    revision_no: int
    digest: str
    choice: Choice
    reason_code: str
    note: str
    agent_message: str
    signed: Signed | None
    in_place_of: UUID | None
    seen: Revision | None  # None: there is no revision of that number
    reading: Reading
    among: int  # votes of one act, which share the time that it took

    @property
    def needed(self) -> Collection[str]:
        """Return the parts that have to have been shown."""
        return self.reading.parts if self.choice is Choice.APPROVE else ()

    def taken_ms(self, served_at: datetime | None, *, at: datetime) -> int | None:
        """Return the time since all of it was shown, or None if that never was."""
        if served_at is None:
            return None
        return max(0, int((at - served_at).total_seconds() * 1000)) // self.among

    def says_the_same(self, vote: Vote) -> bool:
        giver = vote.delegation.from_person_id if vote.delegation else None
        return giver == self.in_place_of and (
            self.choice.value,
            self.reason_code,
            self.note,
            self.agent_message,
        ) == (
            vote.choice,
            vote.reason_code,
            vote.note,
            vote.agent_message,
        )


def known_code(code: str) -> str:
    """Return the code of a reason, or refuse one that is not listed."""
    if code and code not in {known.value for known in RejectCode}:
        raise BadInput(
            "Reason code: choose one of the listed reasons.",
            fields={"reason_code": "Choose one of the listed reasons."},
        )
    return code


def short_text(text: str, name: str, most: int) -> str:
    # A browser counts a line break as one character and sends two.
    text = text.replace("\r\n", "\n").strip()
    if "\x00" in text:
        raise BadInput("A text holds a NUL character; remove it.", fields={name: "No NUL."})
    if len(text) > most:
        said = f"At most {most} characters."
        raise BadInput(f"{name.replace('_', ' ').capitalize()}: {said}", fields={name: said})
    return text
