"""What happens in the meter room. Usage lines are no events: they are append-only themselves."""

from dataclasses import dataclass

from audit.events import Event, Kind


@dataclass(frozen=True, kw_only=True)
class PricesImported(Event):
    """A list of prices was taken in; amounts that were booked before do not change."""

    name = "prices.imported"
    subject = "checksum"

    checksum: str  # SHA-256 of the list, 64 hex characters
    provider: str
    rates: int
    factors: int
    source: str


@dataclass(frozen=True, kw_only=True)
class SpendExported(Event):
    """A person took a table of spend out of the console as a file."""

    name = "spend.exported"
    subject = "group_by"
    kind = Kind.READ

    group_by: str
    first: str  # days in UTC, as 2026-11-20
    last: str
    rows: int
