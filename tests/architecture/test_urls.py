"""Every address has a declared permission, hides other tenants' rows, and lets people decide."""

from typing import Final

import pytest
from django.test import Client
from rest_framework.test import APIClient

from console.accounts.states import SCOPES
from console.kernel.http import PUBLIC
from console.kernel.ids import uuid7
from tests.agents.world import PENDING
from tests.architecture.bodies import BODIES
from tests.architecture.filled import Filled, filled
from tests.architecture.routes import ROUTES, Route, ask
from tests.cast import HOST

__all__ = ["filled"]  # a fixture of its own for this file

# Who is signed in may open these whatever their role; each with the reason.
SIGNED_IN_ONLY: Final = {
    "shell:home": "shows each reader what their own permissions allow",
    "shell:frame": "the frame's own parts: banner and counts of what the reader may see",
    "shell:find": "names and finds only what the reader may open",
    "shell:keyboard": "keys are kept in the browser; the page says nothing of anybody",
    "shell:manual": "the manual is for everybody",
    "shell:words": "the manual is for everybody",
    "shell:manual-page": "the manual is for everybody",
    "accounts:sign-out": "one's own session",
    "accounts:sessions": "one's own sessions",
    "accounts:end-all-sessions": "one's own sessions",
    "accounts:end-session": "one's own sessions",
    "accounts:password": "one's own password",
    "accounts:step-up": "one's own password",
    "accounts:passkeys": "one's own passkeys",
    "accounts:remove-passkey": "one's own passkeys",
    "accounts:api-manual": "the manual is for everybody",
    "accounts:api-file": "the manual is for everybody",
    "approvals:queue": "a right on a single tool counts too; the query decides",
    "approvals:next": "a right on a single tool counts too; the query decides",
    "approvals:batch": "a right on a single tool counts too; the command decides",
    "approvals:detail": "a right on a single tool counts too; the query decides",
    "approvals:vote": "a right on a single tool counts too; the command decides",
    "approvals:withdraw-vote": "one's own vote; the command decides",
    "approvals:extend": "a right on a single tool counts too; the command decides",
    "approvals:use-break-glass": "a right that is lent; the command decides",
    "approvals:duties": "a right on a single tool counts too; the query decides",
    "approvals:duty": "a right on a single tool counts too; the query decides",
    "approvals:close-duty": "a right on a single tool counts too; the command decides",
    "approvals:claim": "a right on a single tool counts too; the command decides",
    "approvals:release-claim": "one's own claim",
    "approvals:snooze": "one's own list; the command decides",
    "approvals:wake": "one's own list",
    "approvals:save-view": "one's own views",
    "approvals:rename-view": "one's own views",
    "approvals:default-view": "one's own views",
    "approvals:delete-view": "one's own views",
    "approvals:edit": "a right on a single tool counts too; the command decides",
    "approvals:rebase": "a right on a single tool counts too; the command decides",
    "approvals:hand-back": "a right on a single tool counts too; the command decides",
    "approvals:standing": "a right on a single tool counts too; the query decides",
    "approvals:make-standing": "a right on a single tool counts too; the command decides",
    "approvals:revoke-standing": "its maker may, without any right; the command decides",
    "approvals:take-back": "one's own request; the command decides",
    "approvals:explain": "a right on a single tool counts too; the query decides",
    "approvals:thread": "a right on a single tool counts too; the query decides",
    "approvals:ask": "a right on a single tool counts too; the command decides",
    "approvals:reply": "whoever proposed it; the command decides",
    "approvals:notices": "one's own notices",
    "approvals:try-mail": "one's own notices",
    "controls:engage": "a right on a single agent counts too; the command decides",
    "api/v1/me": "says who asks",
    "api/v1/sessions": "one's own sessions",
    "api/v1/step-up": "one's own password",
    "api/v1/step-up/challenges": "one's own passkeys",
    "api/v1/step-up/passkey": "one's own passkeys",
    "api/v1/passkeys": "one's own passkeys",
    "api/v1/passkeys/challenges": "one's own passkeys",
    "api/v1/passkeys/<uuid:passkey_id>": "one's own passkeys",
    "api/v1/sessions/<uuid:session_id>": "one's own sessions",
    "api/v1/approvals/batches": "the command decides",
    "approvals:attention": "one's own figures; who leads sees others', the query decides",
    "approvals:attention-figure": "one's own figures; the query decides",
    "api/v1/approvals/attention": "one's own figures; the query decides",
    "api/v1/approvals/metrics": "a right on a single tool counts too; the query decides",
    "api/v1/approvals/proposals": "a right on a single tool counts too; the query decides",
    "api/v1/approvals/proposals/<uuid:proposal_id>": "a right on a single tool counts too",
    "api/v1/approvals/proposals/<uuid:proposal_id>/explain": "a right on a single tool counts too",
    "api/v1/approvals/proposals/<uuid:proposal_id>/diff": "a right on a single tool counts too",
    "api/v1/approvals/proposals/<uuid:proposal_id>/interdiff": (
        "a right on a single tool counts too"
    ),
    "api/v1/approvals/proposals/<uuid:proposal_id>/threeway": "a right on a single tool counts too",
    "api/v1/approvals/proposals/<uuid:proposal_id>/clock": "a right on a single tool counts too",
    "api/v1/approvals/proposals/<uuid:proposal_id>/sealed": "a right on a single tool counts too",
    "api/v1/approvals/proposals/<uuid:proposal_id>/extend": "the command decides",
    "api/v1/approvals/proposals/<uuid:proposal_id>/break-glass": "lent; the command decides",
    "api/v1/approvals/review-tasks": "a right on a single tool counts too; the query decides",
    "api/v1/approvals/review-tasks/<uuid:task_id>": "a right on a single tool counts too",
    "api/v1/approvals/review-tasks/<uuid:task_id>/close": "the command decides",
    "api/v1/approvals/proposals/<uuid:proposal_id>/claim": "the command decides",
    "api/v1/approvals/proposals/<uuid:proposal_id>/votes": "the command decides",
    "api/v1/approvals/proposals/<uuid:proposal_id>/votes/challenges": "the command decides",
    "api/v1/approvals/proposals/<uuid:proposal_id>/revisions": "the command decides",
    "api/v1/approvals/proposals/<uuid:proposal_id>/comments": "the command decides",
    "api/v1/approvals/proposals/<uuid:proposal_id>/comments/<uuid:comment_id>/answer": (
        "the command decides"
    ),
    "api/v1/approvals/proposals/<uuid:proposal_id>/refresh": "the command decides",
    "api/v1/approvals/proposals/<uuid:proposal_id>/hand-back": "the command decides",
    "api/v1/approvals/proposals/<uuid:proposal_id>/withdraw": "the command decides",
    "api/v1/approvals/proposals/<uuid:proposal_id>/votes/mine": "the command decides",
    "api/v1/approvals/standing-approvals": "a right on a single tool counts too",
    "api/v1/approvals/standing-approvals/<uuid:standing_id>/revoke": "the command decides",
    "api/v1/controls/switches": "stopping: a right on a single agent counts too",
}
PUBLIC_ROUTES: Final = {
    "shell:theme",
    "shell:stylesheet",
    "shell:healthz",
    "shell:readyz",
    "accounts:sign-in",
    "accounts:choose-tenant",
    "accounts:demo-sign-in",
    "widget:loader",
    "widget:frame",
    "widget:session",
    "widget:receive",
    "widget:confirm",
    "widget:stream",
    "widget:demo-shop",
    "^api/",
}
# What one person alone may see, their colleagues may not either.
OWN: Final = {
    "accounts:end-session",
    "accounts:remove-passkey",
    "api/v1/sessions/<uuid:session_id>",
    "api/v1/passkeys/<uuid:passkey_id>",
}
DECIDING: Final = frozenset(
    {
        "approvals.vote",
        "approvals.extend",
        "controls.engage",
        "controls.release",
        "accounts.manage",
        "keys.manage",
    }
)


WITH_IDS: Final = [
    route
    for route in ROUTES
    if route.parameters
    and not route.path.startswith("widget/")
    and route.parameters not in (["slug"], ["digest"])
]


class TestPermissions:
    @pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.key)
    def test_are_declared_for_every_address(self, route: Route) -> None:
        assert route.permissions is not None, f"{route.path} asks for nothing; use @requires."

    def test_what_is_public_is_listed_with_its_reason(self) -> None:
        public = {route.key: route.reason for route in ROUTES if route.permissions == {PUBLIC}}

        assert set(public) == PUBLIC_ROUTES
        assert all(public.values()), public

    def test_what_asks_only_for_a_sign_in_is_listed_with_its_reason(self) -> None:
        open_to_all = {route.key for route in ROUTES if "" in (route.permissions or set())}

        assert open_to_all == set(SIGNED_IN_ONLY)

    @pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.key)
    def test_a_stranger_gets_nothing_but_the_way_to_the_sign_in(self, route: Route) -> None:
        if route.permissions == {PUBLIC}:
            return
        anybody = {name: "1" if name == "index" else uuid7() for name in route.parameters}
        anybody.update({"slug": "words"} if "slug" in route.parameters else {})
        address = route.filled(anybody)

        for client in (Client(SERVER_NAME=HOST), APIClient(SERVER_NAME=HOST)):
            for method in ("GET", "POST"):
                answer = ask(client, method, address, {})
                assert answer.status_code in {302, 401, 405}, (method, address)
                if answer.status_code == 302:
                    assert answer["Location"].startswith("/sign-in/")


class TestMallory:
    @pytest.mark.parametrize("route", WITH_IDS, ids=lambda route: route.key)
    def test_finds_nothing_anywhere(self, filled: Filled, route: Route) -> None:
        address = route.filled(filled.ids_for(route))
        is_api = address.startswith("/api/")
        mallory = filled.cast.api("mallory") if is_api else filled.cast.client("mallory")
        methods = ("GET", "POST", "PUT", "DELETE") if is_api else ("GET", "POST")
        taken = []
        for method in methods:
            answer = ask(mallory, method, address, BODIES.get(route.key, {}))
            if answer.status_code == 405:
                continue
            taken.append(method)
            assert answer.status_code == 404, (method, address, answer.content[:500])
            for secret in (filled.cast.email("ruth"), PENDING):
                assert secret.encode() not in answer.content
        assert taken, f"{route.path} takes no method that is tried here."

    @pytest.mark.parametrize("route", WITH_IDS, ids=lambda route: route.key)
    def test_would_find_it_at_home(self, filled: Filled, route: Route) -> None:
        """The ids are real: whoever belongs to the tenant gets something else than 404.

        Nobody signs here, so a receipt says that it is too early, which is 409.
        """
        if route.key in OWN:
            return
        address = route.filled(filled.ids_for(route))
        is_api = address.startswith("/api/")
        dana = filled.cast.api("dana") if is_api else filled.cast.client("dana")

        assert ask(dana, "GET", address, {}).status_code in {200, 403, 405, 409}, address

    @pytest.mark.parametrize(
        "address", ["/people/", "/keys/", "/runs/", "/reviews/?view=waiting", "/audit/", "/embed/"]
    )
    def test_lists_show_her_nothing_of_it(self, filled: Filled, address: str) -> None:
        page = filled.cast.client("mallory").get(address)
        text = page.content.decode()

        assert page.status_code == 200
        ids = {str(one) for space in filled.ids.values() for one in space.values()} - {"5"}
        assert not [one for one in ids if one in text]


class TestDecisions:
    @pytest.mark.parametrize(
        "route",
        [route for route in ROUTES if DECIDING & (route.permissions or set()) and route.api],
        ids=lambda route: route.key,
    )
    def test_are_declared_for_people_only(self, route: Route) -> None:
        assert route.api is not None
        assert route.api.people_only

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("POST", "api/v1/approvals/proposals/<uuid:proposal_id>/votes"),
            ("DELETE", "api/v1/approvals/proposals/<uuid:proposal_id>/votes/mine"),
            ("POST", "api/v1/approvals/dispatches/<uuid:dispatch_id>/reconcile"),
            ("POST", "api/v1/approvals/proposals/<uuid:proposal_id>/break-glass"),
            ("POST", "api/v1/approvals/review-tasks/<uuid:task_id>/close"),
            ("POST", "api/v1/approvals/break-glass-grants"),
            ("POST", "api/v1/approvals/delegations"),
            ("DELETE", "api/v1/approvals/delegations/<uuid:delegation_id>"),
            ("DELETE", "api/v1/approvals/break-glass-grants/<uuid:grant_id>"),
            ("POST", "api/v1/controls/switches"),
            ("POST", "api/v1/controls/switches/<uuid:switch_id>/release"),
            ("PUT", "api/v1/people/<uuid:person_id>"),
            ("DELETE", "api/v1/keys/<uuid:key_id>"),
        ],
    )
    def test_a_key_with_every_scope_gets_403(self, filled: Filled, method: str, path: str) -> None:
        route = next(route for route in ROUTES if route.path == path)
        program = filled.cast.key_client(*SCOPES)

        answer = ask(
            program, method, route.filled(filled.ids_for(route)), BODIES.get(route.key, {})
        )

        assert answer.status_code == 403, answer.content
        assert set(answer.json()) == {"code", "message", "details"}

    @pytest.mark.parametrize(
        "name",
        [
            "approvals:vote",
            "approvals:use-break-glass",
            "approvals:close-duty",
            "controls:engage",
            "controls:release",
            "accounts:person",
        ],
    )
    def test_a_key_is_nobody_on_a_page(self, filled: Filled, name: str) -> None:
        route = next(route for route in ROUTES if route.key == name)
        program = filled.cast.key_client(*SCOPES)

        answer = program.post(
            route.filled(filled.ids_for(route)), BODIES.get(name, {}), format="multipart"
        )

        assert answer.status_code == 401
