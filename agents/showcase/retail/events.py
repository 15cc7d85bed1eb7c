"""What happened to the shop's own tables, without values: those stand in proposals and calls."""

from dataclasses import dataclass
from uuid import UUID

from audit.events import Event


@dataclass(frozen=True, kw_only=True)
class ShopSeeded(Event):
    """The shop of a tenant was filled with the data set that comes with the product."""

    name = "shop.seeded"
    subject = "digest"

    digest: str  # state_sha256, 64 hex characters
    products: int
    customers: int
    orders: int


@dataclass(frozen=True, kw_only=True)
class ShopChanged(Event):
    """An approved change was written to records of the shop."""

    name = "shop.changed"
    subject = "change_id"

    change_id: UUID  # the tool call
    records: tuple[str, ...]  # kind and id, as in "orders #W1234567"
    fields: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ShopRestored(Event):
    """Records of a rehearsal shop were put back to what the data set says."""

    name = "shop.restored"
    subject = "count"

    count: int
    records: tuple[str, ...]
