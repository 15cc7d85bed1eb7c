"""The demo's policy for its shop, agreed to by the demo's own people through the real commands.

It leaves what the tier asks for everywhere else: a cancellation waits for two reviewers still.
"""

import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from approvals import commands, queries
from approvals.cards import DispatchCard
from approvals.states import Choice
from console.accounts import commands as accounts
from console.accounts import queries as people
from console.accounts.cards import PersonCard
from console.kernel import clock
from console.kernel.actors import Actor, system
from console.kernel.errors import Unavailable

_PAID: Final = "/before/orders/*/payment_history/0/amount"
_BACK: Final = ("return_delivered_order_items", "exchange_delivered_order_items")
READING: Final = timedelta(minutes=2)  # what a person takes for such a change
NOTE: Final = "The first rules of the shop: money that comes back, addresses, small returns."


def _back(no: int, tool: str) -> dict[str, Any]:
    return {
        "id": f"back-large-{no}",
        "note": "Goods of an expensive order come back: who pays and who talks to the customer.",
        "priority": 80,
        "match": {"tool": tool},
        "when": {"path": _PAID, "op": "gt", "value": "500.00"},
        "effect": "hold",
        "require": {
            "all": [{"slots": [{"groups": ["finance"], "n": 1}, {"groups": ["care"], "n": 1}]}],
            "blind": True,
        },
    }


BODY: Final[dict[str, Any]] = {
    "policy": "shop-writes",
    "rules": [
        *(_back(no, tool) for no, tool in enumerate(_BACK, start=1)),
        {
            "id": "address",
            "note": "Customer care knows the customer; nobody else has to look.",
            "priority": 40,
            "match": {"tool": "modify_*_address"},
            "effect": "hold",
            "require": {"all": [{"slots": [{"groups": ["care"], "n": 1}]}]},
        },
        {
            "id": "return-small",
            "note": "Nothing is paid back before the goods are here.",
            "priority": 20,
            "match": {"tool": "return_delivered_order_items"},
            "when": {"path": _PAID, "op": "le", "value": "50.00"},
            "effect": "allow",
            "sample": "0.05",
        },
    ],
}


def write_rules(tenant_id: UUID, named: Mapping[str, PersonCard]) -> None:
    """Have Dana write the policy and ask, and Ruth and Ines agree; in the caller's transaction.

    Raises:
        Unavailable: it could not be carried out.
    """
    keeper = system("cli.seed_demo", tenant_id)
    dana, ruth, ines = (_signed_in(keeper, named[name]) for name in ("Dana", "Ruth", "Ines"))
    at = clock.now()
    with clock.frozen(at - READING):
        version = commands.add_version(actor=dana, body=BODY, note=NOTE)
        card = commands.propose_activation(actor=dana, version_id=version.id)
        for voter in (ruth, ines):
            _look(voter, card.id)
    with clock.frozen(at):
        for voter in (ruth, ines):
            commands.cast_vote(
                actor=voter,
                proposal_id=card.id,
                revision_no=card.revision_no,
                seen_digest=card.digest,
                choice=Choice.APPROVE,
            )
        done = commands.carry_out(actor=keeper, proposal_id=card.id)
    if not isinstance(done, DispatchCard):
        raise Unavailable("The demo's policy could not be put into effect; look at the log.")
    for person in (dana, ruth, ines):
        accounts.end_sessions_of(actor=keeper, person_id=UUID(person.id))


def _look(voter: Actor, proposal_id: UUID) -> None:
    """Have somebody open the page of a proposal."""
    card = queries.proposal(actor=voter, proposal_id=proposal_id).card
    parts = queries.parts_needed(actor=voter, proposal_id=proposal_id, revision_no=card.revision_no)
    commands.serve_parts(
        actor=voter, proposal_id=proposal_id, revision_no=card.revision_no, parts=parts
    )


def _signed_in(keeper: Actor, person: PersonCard) -> Actor:
    key = secrets.token_urlsafe(32)
    accounts.open_session(
        actor=keeper,
        person_id=person.id,
        session_key=key,
        address="",
        user_agent="The demo's beginning",
    )
    found = people.presence(tenant_id=keeper.tenant_id, session_key=key)
    if found is None:
        raise Unavailable("The demo's people could not sign in; look at the log.")
    return found.actor
