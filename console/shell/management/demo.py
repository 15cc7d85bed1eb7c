"""The demo's people: who they are, and the passwords that `make run` prints.

The addresses end in `.example`, which nobody real can have (RFC 2606).
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Demo:
    """One person of the demo; the password is printed, so it protects nothing but sample data."""

    name: str
    roles: tuple[str, ...]
    groups: tuple[str, ...] = ()

    def email(self, domain: str) -> str:
        return f"{self.name.lower()}@{domain}"

    @property
    def password(self) -> str:
        return f"{self.name.lower()}-in-the-signal-box"


@dataclass(frozen=True, slots=True)
class DemoTenant:
    slug: str
    name: str
    domain: str
    people: tuple[Demo, ...]
    groups: tuple[tuple[str, str], ...] = ()
    has_shop: bool = False


MERIDIAN: Final = DemoTenant(
    slug="meridian",
    name="Meridian Retail",
    domain="meridian.example",
    people=(
        Demo("Ruth", ("reviewer",), ("care",)),
        Demo("Ines", ("reviewer",), ("finance",)),
        Demo("Omar", ("operator",)),
        Demo("Noor", ("auditor", "admin")),
        Demo("Dana", ("admin",)),
    ),
    groups=(("care", "Customer care"), ("finance", "Finance")),
    has_shop=True,
)
# Somebody who must never see anything of the first tenant.
HARBOUR: Final = DemoTenant(
    slug="harbour",
    name="Harbour Books",
    domain="harbour.example",
    people=(Demo("Mallory", ("reviewer", "operator", "auditor", "admin")),),
)
TENANTS: Final = (MERIDIAN, HARBOUR)
