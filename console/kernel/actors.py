"""Who acts: a frozen snapshot of a person, a key, an agent or a part of the system."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID


class ActorKind(StrEnum):
    PERSON = "person"
    KEY = "key"
    AGENT = "agent"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One link of a delegation chain: on whose behalf the next link acted."""

    kind: str
    id: str
    label: str
    version: str = ""
    run: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who does something, as it is written into the trail; later renaming alters nothing."""

    tenant_id: UUID
    kind: ActorKind
    id: str
    label: str
    session: str = ""  # hex digest of the session; people only
    strength: str = ""  # how they proved who they are: "password", "key", or ""
    permissions: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()  # slugs of the review groups a person is in
    via: tuple[Link, ...] = ()  # who acted for whom, outermost first
    request: str = ""  # correlation id of the request that set this off
    address: str = ""  # network address of the request, where there is one

    @property
    def is_person(self) -> bool:
        return self.kind is ActorKind.PERSON

    def has(self, permission: str) -> bool:
        return permission in self.permissions

    def as_dict(self) -> dict[str, Any]:
        """Return the actor as JSON values, for an outbox row; rights are left out on purpose."""
        values = asdict(self)
        values["tenant_id"] = str(self.tenant_id)
        values["kind"] = self.kind.value
        values["via"] = [asdict(link) for link in self.via]
        del values["permissions"]
        values["groups"] = sorted(self.groups)
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Actor":
        """Rebuild an actor from `as_dict`; it has no permissions: rights are looked up anew."""
        return cls(
            tenant_id=UUID(values["tenant_id"]),
            kind=ActorKind(values["kind"]),
            id=values["id"],
            label=values["label"],
            session=values.get("session", ""),
            strength=values.get("strength", ""),
            groups=frozenset(values.get("groups", ())),
            via=tuple(Link(**link) for link in values.get("via", ())),
            request=values.get("request", ""),
            address=values.get("address", ""),
        )


def system(part: str, tenant_id: UUID) -> Actor:
    """Return the actor for a part of the product itself, for instance `pulse.reaper`."""
    return Actor(tenant_id=tenant_id, kind=ActorKind.SYSTEM, id=part, label=part)
