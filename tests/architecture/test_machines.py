"""Machines decide nothing: every way to a decision, asked by a key, an agent and the system."""

from collections.abc import Callable
from typing import Any, Final

import pytest

from approvals import commands as approvals
from approvals.models import Decision, Vote
from approvals.states import Choice
from console.accounts import commands as accounts
from console.accounts.states import SCOPES
from console.kernel.actors import Actor, ActorKind
from console.kernel.errors import ConsoleError, Refusal
from console.kernel.ids import uuid7
from console.kernel.transactions import in_tenant
from tests.approvals import lent as place
from tests.approvals.advance import make
from tests.approvals.desk import agent, now, opened, pulse
from tests.approvals.glass import close, lend, use
from tests.architecture.bodies import BODIES
from tests.architecture.filled import Filled, filled
from tests.architecture.routes import ROUTES, Route, ask
from tests.architecture.watch import Watch
from tests.authenticator import SITE
from tests.cast import Cast

__all__ = ["filled"]  # a fixture of its own for this file

# Wherever people decide, and where they prove that they are people.
PEOPLE_S: Final = (
    "reviews/",
    "account/",
    "api/v1/approvals/",
    "api/v1/step-up",
    "api/v1/passkeys",
    "api/v1/sessions",
)
ROOMS: Final = ("approvals_", "accounts_", "people")
WRITES: Final = ("POST", "PUT", "PATCH", "DELETE")
# What programs may send there; each with the reason. Nothing of it decides.
MACHINES_MAY: Final[dict[str, str]] = {
    "api/v1/approvals/proposals": "asking for a decision is what programs are for",
    "api/v1/approvals/plans": "asking for several decisions as one",
    "api/v1/approvals/proposals/<uuid:proposal_id>/revisions": "revising what one asked for",
    "api/v1/approvals/proposals/<uuid:proposal_id>/comments/<uuid:comment_id>/answer": (
        "answering what people ask about what one asked for"
    ),
    "api/v1/approvals/proposals/<uuid:proposal_id>/withdraw": "taking back what one asked for",
    "api/v1/approvals/proposals/<uuid:proposal_id>/dispatch": "running what people agreed to",
    "api/v1/approvals/dispatches/<uuid:dispatch_id>/outcome": "saying how it went",
    "api/v1/approvals/policies/versions/<uuid:version_id>/simulate": "asks; nothing is written",
}
# What a key with every scope may send to other rooms, likewise.
ELSEWHERE_MAY: Final[dict[str, str]] = {}
ROUTES_OF_PEOPLE: Final = [
    route for route in ROUTES if route.path.startswith(PEOPLE_S) and route.key not in MACHINES_MAY
]


def machines(cast: Cast) -> list[Actor]:
    """Return every kind of actor that is no person, with every permission that there is."""
    every = frozenset(SCOPES) | {"approvals.vote", "approvals.extend"}
    key = Actor(
        tenant_id=cast.tenant_id,
        kind=ActorKind.KEY,
        id=str(uuid7()),
        label="ci",
        session="ab" * 32,
        strength="key",
        permissions=frozenset(str(each) for each in every),
    )
    return [key, agent(cast), pulse(cast)]


def decided_and_entrusted(filled: Filled) -> dict[str, tuple[int, str]]:
    """Return what stands in the tables of proposals, votes, rules, people, rights and keys."""
    rows = Watch(filled.cast).rows()
    return {name: found for name, found in rows.items() if name.startswith(ROOMS)}


def address(filled: Filled, route: Route) -> str:
    anything = {name: uuid7() for name in route.parameters}
    return route.filled({**anything, **filled.ids_for(route)})


def sent(program: Any, filled: Filled, route: Route) -> dict[str, Any]:
    """Send each kind of write to an address, well formed; returns the answers by method."""
    where, body = address(filled, route), BODIES.get(route.key, {})
    return {method: ask(program, method, where, body) for method in WRITES}


class TestAddresses:
    def test_are_found(self) -> None:
        keys = {route.key for route in ROUTES_OF_PEOPLE}
        assert {"approvals:vote", "approvals:withdraw-vote", "accounts:step-up"} <= keys
        assert "api/v1/approvals/proposals/<uuid:proposal_id>/votes" in keys
        assert len(keys) > 10

    def test_take_nothing_from_a_key_with_every_scope(self, filled: Filled) -> None:
        program = filled.cast.key_client(*SCOPES)
        watch = Watch(filled.cast)
        before = watch.rows()
        for route in ROUTES_OF_PEOPLE:
            for method, answer in sent(program, filled, route).items():
                assert answer.status_code in {401, 403, 405}, (method, route.key, answer.content)
        assert watch.rows() == before

    def test_say_why_where_votes_are_cast(self, filled: Filled) -> None:
        program = filled.cast.key_client(*SCOPES)
        for route in ROUTES_OF_PEOPLE:
            if route.api is None or "/votes" not in route.path:
                continue
            method = "DELETE" if route.path.endswith("/mine") else "POST"
            answer = ask(program, method, address(filled, route), BODIES.get(route.key, {}))
            assert (answer.status_code, answer.json()["code"]) == (403, "vote.machine"), route.key


def vote(cast: Cast, actor: Actor, choice: Choice) -> Any:
    card = opened(cast)
    return approvals.cast_vote(
        actor=actor,
        proposal_id=card.id,
        revision_no=card.revision_no,
        seen_digest=card.digest,
        choice=choice,
        reason_code="other" if choice is Choice.REJECT else "",
        note="No.",
    )


def challenge(cast: Cast, actor: Actor) -> Any:
    card = opened(cast)
    return approvals.challenge_vote(
        actor=actor,
        proposal_id=card.id,
        revision_no=card.revision_no,
        seen_digest=card.digest,
        choice=Choice.APPROVE,
    )


def lent(cast: Cast, actor: Actor) -> Any:
    return approvals.lend_break_glass(
        actor=actor, person_id=cast.members["ruth"].id, minutes=5, reason="For the test."
    )


def advance(cast: Cast, actor: Actor) -> Any:
    return make(opened(cast), actor)


ACTS: Final[dict[str, Callable[[Cast, Actor], Any]]] = {
    "approve": lambda cast, actor: vote(cast, actor, Choice.APPROVE),
    "reject": lambda cast, actor: vote(cast, actor, Choice.REJECT),
    "withdraw": lambda cast, actor: approvals.withdraw_vote(
        actor=actor, proposal_id=opened(cast).id
    ),
    "sign": challenge,
    "break glass": lambda cast, actor: use(opened(cast), actor),
    "lend break-glass": lent,
    "revoke break-glass": lambda cast, actor: approvals.revoke_break_glass(
        actor=actor, grant_id=lend(cast, cast.ruth).id
    ),
    "let somebody decide instead": lambda cast, actor: place.lend(actor, cast.ruth),
    "end that": lambda cast, actor: approvals.end_delegation(
        actor=actor, delegation_id=place.lend(cast.ines, cast.ruth).id
    ),
    "review": lambda _cast, actor: close(uuid7(), actor),
    "approve in advance": advance,
    "end an approval in advance": lambda _cast, actor: approvals.revoke_standing(
        actor=actor, standing_id=uuid7(), reason="No."
    ),
    "step up": lambda _cast, actor: accounts.step_up(actor=actor, password="x"),
    "step up by passkey": lambda _cast, actor: accounts.challenge_step_up(actor=actor, site=SITE),
    "add a passkey": lambda _cast, actor: accounts.challenge_passkey(actor=actor, site=SITE),
}


class TestCommands:
    @pytest.mark.parametrize("name", ACTS)
    @pytest.mark.parametrize("which", [0, 1, 2], ids=["key", "agent", "system"])
    def test_refuse_machines(self, cast: Cast, name: str, which: int) -> None:
        with pytest.raises(ConsoleError) as refusal:
            ACTS[name](cast, machines(cast)[which])
        assert refusal.value.kind in {Refusal.FORBIDDEN, Refusal.SIGNED_OUT}
        with in_tenant(cast.tenant_id, read_only=True):
            assert not Vote.objects.exists()
            assert not Decision.objects.exists()

    @pytest.mark.parametrize("which", [0, 1, 2], ids=["key", "agent", "system"])
    def test_keep_that_a_machine_tried(self, cast: Cast, which: int) -> None:
        card = opened(cast)
        actor = machines(cast)[which]
        with pytest.raises(ConsoleError) as refusal:
            approvals.cast_vote(
                actor=actor,
                proposal_id=card.id,
                revision_no=card.revision_no,
                seen_digest=card.digest,
                choice=Choice.APPROVE,
            )
        assert refusal.value.code == "vote.machine"
        last = now(cast, card).history[-1]
        assert (last.action, last.actor_id) == ("vote.refused", actor.id)

    def test_show_machines_without_keeping_it(self, cast: Cast) -> None:
        """What a machine reads was never on a person's screen."""
        card = opened(cast)
        for actor in machines(cast):
            approvals.serve_parts(
                actor=actor, proposal_id=card.id, revision_no=1, parts=["1", "page"]
            )
        assert Watch(cast).rows(all_of_it=True)["approvals_served"][0] == 0


class TestEveryOtherRoom:
    """The last in this file: what programs may do there, they do to the tenant of all of it."""

    def test_lets_a_key_decide_nothing_either(self, filled: Filled) -> None:
        """Every other address gets every kind of write; what is let through stands in a list."""
        program = filled.cast.key_client(*SCOPES)
        before = decided_and_entrusted(filled)
        others = [route for route in ROUTES if not route.path.startswith(PEOPLE_S)]
        answers = {
            f"{method} {route.key}": answer.status_code
            for route in others
            for method, answer in sent(program, filled, route).items()
        }
        assert len(others) + len(ROUTES_OF_PEOPLE) + len(MACHINES_MAY) == len(ROUTES)
        assert {key for key, status in answers.items() if status < 400} == set(ELSEWHERE_MAY)
        assert not [key for key, status in answers.items() if status >= 500]
        assert decided_and_entrusted(filled) == before
