"""Doors of break-glass, duties, delegations, standing approvals, erasures and channels."""

from typing import Any, Final

from django import forms

from approvals.forms import ChannelForm
from approvals.forms.delegating import DelegateForm
from approvals.forms.reviewing import BreakGlassForm, CloseDutyForm, DutiesForm, LendForm
from approvals.forms.sealing import EraseForm
from approvals.forms.standing import RevokeStandingForm, StandingForm, StandingsForm
from approvals.models import NOTE_LENGTH
from approvals.policies.breaking import TICKET_LENGTH
from console.accounts.forms import NothingForm
from console.kernel.ids import uuid7
from tests.architecture.bodies import AHEAD, DIGEST, SEEN, STANDING


def _form(form: type[forms.Form], *, longest: Any = None, **good: Any) -> Any:
    return {"form": form, "good": good, "lenient": "", "longest": longest or {}}


POSTS: Final[dict[str, Any]] = {
    "approvals:channels": _form(
        ChannelForm, kind="email", title="Room", address="room@b.example", asks="1"
    ),
    "approvals:use-break-glass": _form(
        BreakGlassForm,
        longest={"reason": NOTE_LENGTH, "ticket": TICKET_LENGTH},
        **SEEN,
        reason="It is down.",
        ticket="INC-7",
        sure="1",
    ),
    "approvals:break-glass": _form(LendForm, person=str(uuid7()), minutes="5", reason="For it."),
    "approvals:revoke-break-glass": _form(NothingForm),
    "approvals:delegations": _form(
        DelegateForm, person=str(uuid7()), group="finance", days="3", reason="I am away."
    ),
    "approvals:end-delegation": _form(NothingForm),
    "approvals:erase-sealed": _form(EraseForm, erase_reason="They asked for it."),
    "approvals:make-standing": _form(StandingForm, **STANDING),
    "approvals:revoke-standing": _form(RevokeStandingForm, reason="It is over."),
    "approvals:close-duty": _form(
        CloseDutyForm, longest={"note": NOTE_LENGTH}, verdict="agree", note="I looked."
    ),
}
GETS: Final[dict[str, type[forms.Form]]] = {
    "approvals:duties": DutiesForm,
    "approvals:standing": StandingsForm,
}
BODIES: Final[dict[str, dict[str, Any]]] = {
    "policies_shadow": {"on": True},
    "standing_make": AHEAD,
    "standing_revoke": {"reason": "It is over."},
    "proposals_break_glass": {
        "revision": 1, "digest": DIGEST, "reason": "It is down.", "ticket": "INC-7"
    },
    "break_glass_grants_add": {
        "person": "00000000-0000-4000-8000-000000000000", "minutes": 5, "reason": "For it."
    },
    "step_up_by_passkey": {
        "credential_id": "AAAA", "authenticator_data": "AAAA", "client_data": "AAAA",
        "signature": "AAAA"
    },
    "delegations_add": {
        "person": "00000000-0000-4000-8000-000000000000", "group": "finance",
        "until": "2026-12-01T00:00:00Z", "reason": "I am away."
    },
    "proposals_erase_sealed": {"reason": "They asked for it."},
    "review_tasks_close": {"verdict": "agree", "note": "I looked."},
}  # fmt: skip
