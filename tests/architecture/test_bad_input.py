"""Whatever is sent: one clear sentence, nothing changes, and the trail says who tried."""

from dataclasses import dataclass
from typing import Any, Final

import pytest

from console.kernel.http import PUBLIC
from console.kernel.ids import uuid7
from console.widget import commands as widget
from tests.architecture.bad_requests import Case, calls_of, cases_of, good_of
from tests.architecture.doors import BODIES, CALLS, DOORS, POSTS, Door
from tests.architecture.filled import Filled, filled
from tests.architecture.routes import ROUTES, Route
from tests.architecture.test_openapi import OPERATIONS
from tests.architecture.test_urls import SIGNED_IN_ONLY
from tests.architecture.watch import Watch, code_of, sentence_of
from tests.cast import Cast
from tests.widget.conftest import Visitor

__all__ = ["filled"]  # a fixture of its own for this file

EVERY_ROLE: Final = ("reviewer", "operator", "auditor", "admin")
# Signed in is not enough here: the command, or the query, asks for more.
ASKED_INSIDE: Final = {
    key for key, why in SIGNED_IN_ONLY.items() if "decides" in why or "counts too" in why
} - {"api/v1/approvals/proposals/<uuid:proposal_id>/votes/mine", "approvals:withdraw-vote"}
JUNK: Final = "part=%00%FF&after=%FF&before=x&at=x&id=x&scope=%00&key=%00&next=%FF&q=%E2%80%AE"


@dataclass(frozen=True, slots=True)
class Visit:
    """One person of the tenant, at the doors one after the other."""

    watch: Watch
    client: Any
    actor_id: str

    def send(self, method: str, address: str, case: Case) -> Any:
        asked = f"{address}?{case.query}" if case.query else address
        return self.client.generic(method, asked, case.body, case.content_type)


def visit(cast: Cast, *, is_api: bool = False, roles: tuple[str, ...] = EVERY_ROLE) -> Visit:
    """Bring somebody new, so that what they cause is theirs alone."""
    name = f"p{uuid7().hex[-12:]}"
    actor = cast.add(name, roles=roles, groups=("care",) if roles else ())
    return Visit(Watch(cast), cast.api(name) if is_api else cast.client(name), actor.id)


@pytest.fixture(autouse=True)
def demo(settings: Any) -> None:
    """Open the one-click sign-in too; it is a door like the others."""
    settings.DEMO = True


def address_of(filled: Filled, route: Route) -> str:
    ids = filled.ids_for(route) | {"slug": "words", "digest": "x"}
    return route.filled(ids) if "<" in route.path else f"/{route.path}"


class TestTheList:
    def test_has_every_form(self, filled: Filled) -> None:
        client = visit(filled.cast).client
        rest = {r for r in ROUTES if r.api is None and r.key not in {*POSTS, *CALLS}}

        taken = {r.key for r in rest if client.post(address_of(filled, r)).status_code != 405}

        # On the console's origin the widget's addresses are none.
        assert {key for key in taken if not key.startswith("widget:")} == set()

    def test_has_every_body_of_the_api(self) -> None:
        assert {one["operationId"] for *_, one in OPERATIONS if "requestBody" in one} == set(BODIES)

    @pytest.mark.parametrize("door", [d for d in DOORS if d.is_api], ids=lambda door: door.name)
    def test_takes_the_parameters_that_the_api_file_names(self, door: Door) -> None:
        assert door.route.api is not None
        named = {one["name"] for one in door.asks}
        assert named == (door.route.api.asks if door.method == "GET" else set())


class TestBadInput:
    @pytest.mark.parametrize("door", DOORS, ids=lambda door: door.name)
    def test_is_refused_changes_nothing_and_is_recorded(self, filled: Filled, door: Door) -> None:
        person = visit(filled.cast, is_api=door.is_api)
        address = address_of(filled, door.route)
        before = person.watch.rows()
        refused = []
        for case in cases_of(door):
            answer = person.send(door.method, address, case)
            assert answer.status_code == case.status, (case.name, answer.content[:400])
            sentence_of(answer)
            refused.append((code_of(answer), door.method, address))

        assert person.watch.rows() == before
        assert person.watch.refusals_of(person.actor_id) == sorted(set(refused))
        assert person.watch.repeats_of(person.actor_id) == len(refused) - len(set(refused))

    @pytest.mark.parametrize("key", CALLS)
    def test_is_refused_by_the_widget(self, filled: Filled, key: str) -> None:
        visitor, address = arrive(filled.cast), address_of(filled, named(key))
        watch = Watch(filled.cast)
        before = watch.rows()
        for case in calls_of(key):
            answer = visitor.client.post(
                address,
                case.body,
                content_type=case.content_type,
                headers={"Authorization": f"Bearer {visitor.token}"},
            )
            assert answer.status_code == case.status, (case.name, answer.content[:400])
            sentence_of(answer)

        assert watch.rows() == before

    @pytest.mark.parametrize("is_api", [False, True])
    def test_in_an_address_breaks_no_page(self, filled: Filled, *, is_api: bool) -> None:
        client = visit(filled.cast, is_api=is_api).client
        for route in ROUTES:
            if (route.api is None) is is_api:
                continue
            answer = client.get(f"{address_of(filled, route)}?{JUNK}")

            assert answer.status_code < 500, route.key
            # On this origin the widget's addresses are none, in plain text.
            if answer.status_code >= 400 and not route.path.startswith("widget/"):
                sentence_of(answer)

    @pytest.mark.parametrize(
        "route", [r for r in ROUTES if "index" in r.parameters], ids=lambda route: route.key
    )
    def test_numbers_beyond_the_database_s_are_missing(self, filled: Filled, route: Route) -> None:
        client = visit(filled.cast, is_api=route.api is not None).client

        answer = client.get(route.filled({"index": 10**40}))

        assert answer.status_code == 404
        sentence_of(answer)


class TestWithoutPermission:
    @pytest.mark.parametrize(
        "route",
        [r for r in ROUTES if (r.permissions or set()) - {"", PUBLIC} or r.key in ASKED_INSIDE],
        ids=lambda route: route.key,
    )
    def test_names_it_changes_nothing_and_is_recorded(self, filled: Filled, route: Route) -> None:
        is_api = route.api is not None
        person = visit(filled.cast, is_api=is_api, roles=())
        address = address_of(filled, route)
        before = person.watch.rows()
        refused = []
        for method, good in ways_into(route):
            answer = person.send(method, address, good)
            assert answer.status_code in {403, 405}, (method, answer.content[:400])
            sentence_of(answer)
            assert answer.status_code == 405 or answer.refusal.details["permission"]
            refused.append((code_of(answer), method, address))

        assert refused
        assert person.watch.rows() == before
        assert person.watch.refusals_of(person.actor_id) == sorted(set(refused))


def ways_into(route: Route) -> list[tuple[str, Case]]:
    """Return methods with what belongs through; a 405 among them is no way."""
    doors = [door for door in DOORS if door.route == route]
    if route.api is not None:
        return [(door.method, good_of(door)) for door in doors]
    posts = [("POST", good_of(door)) for door in doors if door.method == "POST"]
    return [("GET", Case(name="a page")), *posts]


def arrive(cast: Cast) -> Visitor:
    key = widget.create_key(
        actor=cast.noor, title="Shop", agent="support", origins="https://shop.example"
    )
    return Visitor(key).arrive()


def named(key: str) -> Route:
    return next(route for route in ROUTES if route.key == key)
