"""Shapes of what the pages of runs can be asked."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms

from agents.conversations.commands import MOST_CHARACTERS
from agents.states import RunState
from console.kernel.errors import BadInput


class RunFilterForm(forms.Form):
    """The list's filters; its state is in the URL."""

    state = forms.ChoiceField(
        choices=[("", "Every state"), *((s.value, s.value.replace("_", " ")) for s in RunState)],
        required=False,
    )
    agent = forms.SlugField(max_length=60, required=False)
    after = forms.CharField(max_length=120, required=False)
    part = forms.SlugField(max_length=20, required=False)


class ReconcileForm(forms.Form):
    """What a person found out about a call."""

    happened = forms.ChoiceField(choices=[("yes", "It happened"), ("no", "It did not")])
    reason = forms.CharField(max_length=500, required=False)


class ReplyForm(forms.Form):
    """What a person writes to an end user; the page's own id makes sending it twice once."""

    text = forms.CharField(max_length=MOST_CHARACTERS, strip=False, label="Your answer")
    client_id = forms.UUIDField()


class NothingForm(forms.Form):
    """A button: nothing comes with it."""


class GiveBackForm(forms.Form):
    """How a hand-off ends."""

    give_back = forms.ChoiceField(choices=[("yes", "Return to the agent"), ("no", "Close")])


def cursor(created_at: datetime, run_id: UUID) -> str:
    return f"{created_at.isoformat()}~{run_id}"


def read_cursor(text: str) -> tuple[datetime, UUID] | None:
    """Return the place that a cursor names.

    Raises:
        BadInput: it was not made here.
    """
    if not text:
        return None
    at, _, run_id = text.partition("~")
    try:
        when: Any = datetime.fromisoformat(at)
        return when, UUID(run_id)
    except ValueError as error:
        sentence = "This cursor was not made here; start at the first page."
        raise BadInput(f"After: {sentence}", fields={"after": [sentence]}) from error
