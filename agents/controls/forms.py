"""Shapes of what is typed on the switch board."""

from typing import Any, Final

from django import forms
from typing_extensions import override

from agents.controls.cards import Scope
from agents.controls.errors import BadScope
from agents.controls.policies import require_scope
from agents.controls.states import REASON_LENGTH, VALUE_LENGTH, ScopeKind

RUN: Final = "run"
KEY_FORMAT: Final = "%Y-%m-%dT%H:%M:%S.%f%z"


def scope_of(text: str) -> Scope:
    """Read a scope from its text form: `tenant`, `agent:slug`, `tool:name` or `run:id`.

    Raises:
        BadScope: the text names no scope.
    """
    kind, _colon, value = text.partition(":")
    try:
        scope = Scope(kind=ScopeKind(kind), value=value)
    except ValueError as error:
        raise BadScope(
            "Nothing was stopped: a scope is tenant, agent:slug, tool:name or run:id; choose one."
        ) from error
    require_scope(scope)
    return scope


class EngageForm(forms.Form):
    """What to stop and why; an id typed beside "one run" stops that run."""

    scope = forms.CharField(label="stop", max_length=VALUE_LENGTH + 20)
    run = forms.CharField(label="run", max_length=60, required=False)
    reason = forms.CharField(label="reason", max_length=REASON_LENGTH)

    @override
    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        text = values.get("scope", "")
        run = values.pop("run", "").strip().lower()
        if "scope" not in values:
            return values
        try:
            values["scope"] = scope_of(f"{RUN}:{run}" if text == RUN else text)
        except BadScope as error:
            self.add_error("run" if text == RUN else "scope", error.message)
        return values


class ReleaseForm(forms.Form):
    reason = forms.CharField(label="reason", max_length=REASON_LENGTH)


class HistoryForm(forms.Form):
    """The key of the last switch that was seen."""

    at = forms.DateTimeField(required=False, input_formats=[KEY_FORMAT])
    id = forms.UUIDField(required=False)
