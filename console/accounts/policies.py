"""Who may do what, as pure functions over values."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from console.accounts.cards import Gain, Standing
from console.accounts.errors import LastAdmin, ScopeRefused
from console.accounts.states import (
    DECIDING,
    NEVER_FOR_KEYS,
    OBJECT_RIGHTS,
    PERMISSIONS_OF,
    ObjectKind,
    Role,
)
from console.kernel.errors import BadInput

ATTEMPTS_PER_PAIR: Final = 5  # wrong answers for one account from one address
ATTEMPTS_PER_ADDRESS: Final = 100  # wrong answers from one address, whatever the account
LOCK_S: Final = 15 * 60
SESSION_LIFE_S: Final = 12 * 60 * 60  # a working day; after that a person signs in again
SEEN_EVERY_S: Final = 60  # how stale "last seen" may be
KEY_DAYS_MOST: Final = 366
STEPUP_S: Final = 5 * 60  # how fresh a sign-in must be for what changes one's own proofs
CHALLENGE_S: Final = 120  # how long a passkey has to sign what it is asked
PASSKEYS_MOST: Final = 10


def permissions_of(roles: Iterable[str]) -> frozenset[str]:
    """Return every permission that the roles give together."""
    return frozenset(
        permission.value for role in roles for permission in PERMISSIONS_OF[Role(role)]
    )


def may_on_object(permission: str, kind: ObjectKind, rights: Iterable[str]) -> bool:
    """Say whether one of the given rights on an object of `kind` stands for the permission."""
    codename, given = OBJECT_RIGHTS[kind]
    return permission in given and codename in rights


def require_scopes(scopes: frozenset[str], *, held: frozenset[str]) -> None:
    """Raise for a scope that no key may carry, or that its maker does not have."""
    never = sorted(scopes & NEVER_FOR_KEYS)
    if never:
        raise ScopeRefused(
            f"A service key may not carry {', '.join(never)}; machines never decide.", scopes=never
        )
    missing = sorted(scopes - held)
    if missing:
        raise ScopeRefused(
            f"You do not have {', '.join(missing)} yourself; leave it out.", scopes=missing
        )


def require_an_admin_left(admins: int) -> None:
    """Raise when a change leaves `admins` active administrators, and that is none."""
    if admins < 1:
        raise LastAdmin(
            "This is the last administrator of the tenant; make somebody else one first."
        )


def gain(before: Standing, after: Standing) -> Gain:
    """Return by what of a change somebody may decide more; whoever is inactive decides nothing."""
    if not after.active:
        return Gain()
    may_decide = bool(after.roles & DECIDING or after.groups or after.tools)
    return Gain(
        roles=tuple(sorted((after.roles - before.roles) & DECIDING)),
        groups=tuple(sorted(after.groups - before.groups)),
        tools=tuple(sorted(after.tools - before.tools)),
        active=may_decide and not before.active,
    )


def without(after: Standing, gained: Gain) -> Standing:
    """Return what of a change counts at once: all of it but the gain."""
    return replace(
        after,
        roles=after.roles - set(gained.roles),
        groups=after.groups - set(gained.groups),
        tools=after.tools - set(gained.tools),
        active=after.active and not gained.active,
    )


def browser_name(user_agent: str) -> str:
    """Return what a browser's claim sounds like, for instance "Firefox on Windows"."""
    # The order matters: most browsers also claim to be Safari, and Edge to be Chrome.
    names = {
        "Edg/": "Edge",
        "OPR/": "Opera",
        "Firefox/": "Firefox",
        "Chrome/": "Chrome",
        "Safari/": "Safari",
        "curl/": "curl",
        "python": "Python",
    }
    systems = {
        "Android": "Android",
        "iPhone": "iPhone",
        "iPad": "iPad",
        "Windows": "Windows",
        "Mac OS": "macOS",
        "Linux": "Linux",
    }
    name = next((name for mark, name in names.items() if mark in user_agent), "Unknown browser")
    system = next((name for mark, name in systems.items() if mark in user_agent), "")
    return f"{name} on {system}" if system else name


def require_key_days(days: int) -> None:
    if not 1 <= days <= KEY_DAYS_MOST:
        raise BadInput(
            f"A key lives 1 to {KEY_DAYS_MOST} days; choose a number in between.",
            fields={"days": [f"Choose 1 to {KEY_DAYS_MOST}."]},
        )
