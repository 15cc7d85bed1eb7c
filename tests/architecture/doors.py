"""Every door of the product, and what belongs through it; `bad_requests.py` has what does not.

The doors come from the URL resolver and from `console/openapi.yaml`; only what belongs through each
of them is written down here, so a new door without an entry fails.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import yaml
from django import forms

from agents.controls.forms import EngageForm, HistoryForm, ReleaseForm
from agents.forms import GiveBackForm, ReconcileForm, ReplyForm, RunFilterForm
from approvals.forms import (
    AnswerForm,
    AskForm,
    AttentionForm,
    BatchForm,
    CheckForm,
    DefaultViewForm,
    DeliveriesForm,
    DetailForm,
    EditForm,
    ExtendForm,
    FoundForm,
    MetricsForm,
    NextForm,
    NoticesForm,
    PolicyDraftForm,
    PolicyFromForm,
    PolicyProposeForm,
    PolicyShadowForm,
    QueueForm,
    RenameViewForm,
    ReplayForm,
    ReplayPageForm,
    SaveViewForm,
    SeenForm,
    SelectForm,
    SimulateForm,
    SnoozeForm,
    SwitchForm,
    ThreadForm,
    ToolForm,
    VoteForm,
)
from approvals.models import MESSAGE_LENGTH, NOTE_LENGTH, REASON_LENGTH
from audit.forms import BundleForm, ExecutedForm, SearchForm
from console.accounts import forms as accounts
from console.kernel.ids import uuid7
from console.shell.forms import FindForm, ThemeForm
from console.widget import forms as widget
from costs.forms import SpendForm
from tests.architecture import glass_doors
from tests.architecture.bodies import DIGEST, PLAN, POLICY, SEEN, VOTE
from tests.architecture.routes import ROUTES, Route
from tests.architecture.test_openapi import FILE, OPERATIONS
from tests.architecture.watch import TYPED

MARK: Final = TYPED
JSON: Final = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """One way in: an address, a method, and what belongs through it."""

    route: Route
    method: str
    form: type[forms.Form] = accounts.NothingForm
    schema: Mapping[str, Any] = field(default_factory=dict)  # of the body, in the API
    asks: tuple[Mapping[str, Any], ...] = ()  # the query's parameters, in the API
    good: Mapping[str, Any] = field(default_factory=dict)
    longest: Mapping[str, int] = field(default_factory=dict)  # where the command counts, not a form
    lenient: str = ""  # why unknown fields do no harm here

    @property
    def name(self) -> str:
        return f"{self.method} {self.route.key}"

    @property
    def is_api(self) -> bool:
        return self.route.path.startswith("api/v1/")


def _form(form: type[forms.Form], *, lenient: str = "", longest: Any = None, **good: Any) -> Any:
    return {"form": form, "good": good, "lenient": lenient, "longest": longest or {}}


NOTHING: Final = _form(accounts.NothingForm)
# What belongs into the forms, by the name of their address.
POSTS: Final[dict[str, Any]] = {
    "shell:theme": _form(ThemeForm, theme="dark"),
    "accounts:sign-in": _form(accounts.SignInForm, email="a@b.example", password="x"),
    "accounts:choose-tenant": _form(accounts.TenantForm, tenant=str(uuid7())),
    "accounts:demo-sign-in": _form(accounts.DemoForm, person=str(uuid7())),
    "accounts:sign-out": _form(accounts.NothingForm, lenient="whoever leaves is never held back"),
    "accounts:end-all-sessions": NOTHING,
    "accounts:end-session": NOTHING,
    "accounts:password": _form(accounts.PasswordForm, current="x", new=MARK * 3),
    "accounts:step-up": _form(accounts.StepUpForm, password=MARK * 3),
    "accounts:remove-passkey": NOTHING,
    "accounts:people": _form(accounts.PersonForm, email=f"{MARK}@b.example", name="New"),
    "accounts:add-group": _form(accounts.GroupForm, slug="new", title="New"),
    "accounts:person": _form(accounts.MembershipForm, roles=["reviewer"], active="1"),
    "accounts:grant": _form(accounts.GrantForm, kind="agent", object_id=str(uuid7()), give="1"),
    "accounts:reset-password": NOTHING,
    "accounts:end-sessions-of": NOTHING,
    "accounts:keys": _form(accounts.KeyForm, name="ci", scopes=["runs.view"], days="1"),
    "accounts:revoke-key": NOTHING,
    "approvals:vote": _form(
        VoteForm, longest={"note": NOTE_LENGTH, "agent_message": MESSAGE_LENGTH}, **VOTE, record="1"
    ),
    "approvals:withdraw-vote": NOTHING,
    "approvals:extend": _form(
        ExtendForm, longest={"extend_reason": REASON_LENGTH}, extend_reason="More.", clock_no="1"
    ),
    **glass_doors.POSTS,
    "approvals:edit": _form(
        EditForm, longest={"note": NOTE_LENGTH}, **SEEN, mode="raw", step="preview", raw="{}"
    ),
    "approvals:rebase": _form(SeenForm, **SEEN),
    "approvals:hand-back": _form(SeenForm, **SEEN),
    "approvals:take-back": NOTHING,
    "approvals:ask": _form(
        AskForm, longest={"text": NOTE_LENGTH}, kind="question", text="Why?", revision_no="1"
    ),
    "approvals:reply": _form(AnswerForm, longest={"text": NOTE_LENGTH}, text="So."),
    "approvals:switch-checks": _form(CheckForm, checks="on"),
    "approvals:switch-channel": _form(SwitchForm, active="1"),
    "approvals:switch-mail": _form(SwitchForm, active="1"),
    "approvals:try-channel": NOTHING,
    "approvals:notices": _form(NoticesForm, email="1", digest="instant", zone="UTC"),
    "approvals:try-mail": NOTHING,
    "approvals:tools": _form(ToolForm, name=f"{MARK}.x", tier="2", summary="For the test."),
    "approvals:retire-tool": NOTHING,
    "approvals:reconcile": _form(FoundForm, happened="yes", evidence="I looked."),
    "approvals:batch": _form(
        BatchForm, item=[f"{uuid7()}:1:{DIGEST}"], choice="approve", record="1"
    ),
    "approvals:draft-policy": _form(PolicyDraftForm, body=json.dumps(POLICY), note="For the test."),
    "approvals:shadow-policy": _form(PolicyShadowForm, on="1"),
    "approvals:discard-policy": NOTHING,
    "approvals:propose-policy": _form(PolicyProposeForm, what="activate"),
    "approvals:simulate-policy": _form(SimulateForm, call='{"tool": "x", "tier": 1}'),
    "approvals:replay-policy": _form(ReplayForm, days="7"),
    "approvals:cancel-replay": NOTHING,
    "approvals:claim": NOTHING,
    "approvals:release-claim": NOTHING,
    "approvals:take-over": NOTHING,
    "approvals:snooze": _form(SnoozeForm, for_how_long="hour"),
    "approvals:wake": NOTHING,
    "approvals:save-view": _form(SaveViewForm, name="Mine", view="mine"),
    "approvals:rename-view": _form(RenameViewForm, name="Other"),
    "approvals:default-view": _form(DefaultViewForm, on="1"),
    "approvals:delete-view": NOTHING,
    "runs:cancel": NOTHING,
    "runs:reconcile": _form(ReconcileForm, happened="yes"),
    "runs:close-handoff": _form(GiveBackForm, give_back="no"),
    "runs:reply": _form(ReplyForm, text="I am here.", client_id=str(uuid7())),
    "controls:engage": _form(EngageForm, scope="agent:nobody", reason="For the test."),
    "controls:release": _form(ReleaseForm, reason="It is over."),
    "widget:create-key": _form(
        widget.KeyForm, title="Shop", agent="support", origins="https://shop.example"
    ),
    "widget:revoke-key": _form(widget.RevokeForm, reason="Not used."),
}
# The pages that read their address, and how.
GETS: Final[dict[str, type[forms.Form]]] = {
    "shell:find": FindForm,
    "approvals:queue": QueueForm,
    "approvals:channels": DeliveriesForm,
    "approvals:batch": SelectForm,
    "approvals:next": NextForm,
    "approvals:detail": DetailForm,
    **glass_doors.GETS,
    "approvals:thread": ThreadForm,
    "approvals:attention": AttentionForm,
    "approvals:attention-figure": AttentionForm,
    "approvals:metrics": MetricsForm,
    "approvals:metrics-figure": MetricsForm,
    "approvals:draft-policy": PolicyFromForm,
    "approvals:policy-replay": ReplayPageForm,
    "runs:list": RunFilterForm,
    "controls:history": HistoryForm,
    "costs:spend": SpendForm,
    "costs:figure": SpendForm,
    "costs:export": SpendForm,
    "audit:explorer": SearchForm,
    "audit:executed": ExecutedForm,
    "audit:bundle": BundleForm,
}
# The widget's calls: JSON, read by a form.
CALLS: Final[dict[str, dict[str, Any]]] = {
    "widget:session": _form(widget.SessionForm, key="wk_x"),
    "widget:receive": _form(widget.MessageForm, client_id="abcdefgh", text="Hello"),
    "widget:confirm": _form(widget.ConfirmForm, call_id=str(uuid7()), digest=DIGEST, agree="yes"),
    "widget:stream": _form(widget.StreamForm, after=0),
}
# What belongs into the bodies of the API, by operation.
BODIES: Final[dict[str, dict[str, Any]]] = {
    "batches_cast": {
        "items": [
            {"proposal": "00000000-0000-4000-8000-000000000000", "revision": 1, "digest": DIGEST}
        ],
        "choice": "approve",
    },
    "claims_take": {"by_itself": True}, "checks_switch": {"is_on": True},
    **glass_doors.BODIES,
    "proposals_extend": {"reason": "More time.", "clock_no": 1},
    "proposals_open": {
        "subject": "00000000-0000-4000-8000-000000000000", "tool": "crm.update", "tier": 1,
        "title": "Change it", "args": {}, "before": {}, "after": {}, "contract": "It does.",
    },
    "plans_open": PLAN,
    "proposals_dispatch": {
        "call_key": "00000000-0000-4000-8000-000000000000", "args": {}, "before": {},
        "contract": "It does.",
    },
    "dispatches_report": {"outcome": "failed"}, "comments_add": {"kind": "question", "text": "?"},
    "comments_answer": {"text": "So."},
    "dispatches_reconcile": {"outcome": "failed", "evidence": "I looked."},
    "votes_cast": {"revision": 1, "digest": DIGEST, "choice": "approve"},
    "revisions_create": {"revision": 1, "digest": DIGEST, "args": {}},
    "proposals_refresh": {"revision": 1, "digest": DIGEST},
    "proposals_hand_back": {"revision": 1, "digest": DIGEST},
    "votes_challenge": {"revision": 1, "digest": DIGEST, "choice": "approve"},
    "policies_add": {"body": POLICY},
    "replays_start": {"days": 7}, "policies_simulate": {"call": {"tool": "x", "tier": 1}},
    "step_up": {"password": MARK * 3},
    "passkeys_add": {
        "name": "ring", "credential_id": "AAAA", "client_data": "AAAA", "attestation": "AAAA"
    },
    "controls_switches_engage": {"scope": "agent:nobody", "reason": "For the test."},
    "controls_switches_release": {"reason": "It is over."},
    "messages_send": {
        "agent": "support", "text": "Hello", "client_id": "abcdefgh", "end_user": "visitor-1"
    },
    "replies_send": {"text": "Hello", "client_id": "abcdefgh"},
    "keys_create": {"name": "ci", "scopes": ["runs.view"], "days": 1},
    "people_add": {"email": f"{MARK}@b.example", "name": "New", "roles": ["reviewer"]},
    "people_change": {"roles": ["reviewer"], "groups": [], "active": True},
}  # fmt: skip


def _of_pages() -> Iterator[Door]:
    for route in ROUTES:
        if route.key in POSTS:
            yield Door(route=route, method="POST", **POSTS[route.key])
        if route.key in GETS:
            yield Door(route=route, method="GET", form=GETS[route.key])


def _of_the_api() -> Iterator[Door]:
    routes = {plain(route): route for route in ROUTES if route.api is not None}
    for path, method, operation in OPERATIONS:
        asks = [one for one in operation.get("parameters", ()) if one["in"] == "query"]
        yield Door(
            route=routes[path],
            method=method.upper(),
            schema=_body_schema(operation),
            asks=tuple(asks),
            good=BODIES.get(operation["operationId"], {}),
        )


def plain(route: Route) -> str:
    """Return a route as the API file writes it: `/api/v1/runs/{run_id}`."""
    parts = route.path.split("<")
    rest = [part.partition(">") for part in parts[1:]]
    return "/" + parts[0] + "".join(f"{{{name.partition(':')[2]}}}{tail}" for name, _, tail in rest)


def _body_schema(operation: Mapping[str, Any]) -> Mapping[str, Any]:
    content = operation.get("requestBody", {}).get("content", {})
    reference = content.get(JSON, {}).get("schema", {}).get("$ref", "")
    found: Mapping[str, Any] = SCHEMAS.get(reference.rpartition("/")[2], {})
    return found


API_FILE: Final = yaml.safe_load(FILE.read_text(encoding="utf-8"))
SCHEMAS: Final[dict[str, Any]] = API_FILE["components"]["schemas"]
DOORS: Final = [*_of_pages(), *_of_the_api()]
