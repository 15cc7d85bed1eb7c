"""Shapes of what pages send."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from typing_extensions import override

from approvals.cards import Listed
from approvals.forms.attention import AttentionForm as AttentionForm
from approvals.forms.attention import CheckForm as CheckForm
from approvals.forms.external import ToolForm as ToolForm
from approvals.forms.fields import Word
from approvals.forms.replays import ReplayForm as ReplayForm
from approvals.forms.replays import ReplayPageForm as ReplayPageForm
from approvals.models import (
    CHANNEL_TITLE_LENGTH,
    MESSAGE_LENGTH,
    NOTE_LENGTH,
    VIEW_NAME_LENGTH,
)
from approvals.policies import FILTER_LENGTH
from approvals.queries import By, Sort, View
from approvals.states import ChannelKind, Choice, CommentKind, Digest, RejectCode, SnoozeFor
from console.kernel import canonical
from console.kernel.ranges import SpanForm

MOST_REVISIONS: Final = 1_000_000
MOST_ASSERTION: Final = 8_000
ASSERTION_PARTS: Final = (
    "nonce",
    "credential_id",
    "authenticator_data",
    "client_data",
    "signature",
)
BASE64URL: Final = re.compile("[A-Za-z0-9_-]{1,4000}")
_SIGN_AGAIN: Final = "This is no signature of a passkey; sign again, or vote without."
MOST_CURSOR: Final = 400
MOST_SELECTED: Final = 100  # rows of a list; a batch takes fewer
LISTED: Final = re.compile(r"([0-9a-f-]{36}):([1-9][0-9]{0,5}):([0-9a-f]{64})")
MOST_POLICY: Final = 200_000
MOST_POLICY_NOTE: Final = 2_000
DIFF_VIEWS: Final = ("fields", "unified", "side", "raw")
OPENED: Final = r"^[0-9a-z,+-]*\Z"
MOST_OPENED: Final = 4_000
MOST_FIND: Final = 200
MOST_RAW: Final = 100_000
MOST_ADDRESS: Final = 2_000
ASKED: Final = [(kind.value, kind.value) for kind in CommentKind if kind is not CommentKind.ANSWER]
CHOICES: Final = [(choice.value, choice.value) for choice in Choice]
CODES: Final = [("", ""), *((code.value, code.value) for code in RejectCode)]


class Moment(forms.CharField):
    """A time in ISO 8601 with its zone."""

    @override
    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        try:
            at = datetime.fromisoformat(text)
        except ValueError as error:
            raise ValidationError("Send a time in ISO 8601.") from error
        if at.tzinfo is None:
            raise ValidationError("Send the time with its zone.")
        return at


class AssertionField(forms.CharField):
    """What a passkey signed, as JSON of the browser's script: its five parts, or None."""

    @override
    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        try:
            sent = canonical.loads(text)
        except canonical.NotCanonical as error:
            raise ValidationError(_SIGN_AGAIN) from error
        if not isinstance(sent, dict) or set(sent) != set(ASSERTION_PARTS):
            raise ValidationError(_SIGN_AGAIN)
        if not all(isinstance(part, str) and BASE64URL.fullmatch(part) for part in sent.values()):
            raise ValidationError(_SIGN_AGAIN)
        return sent


class QueueForm(forms.Form):
    """A list as its address says it."""

    view = Word(choices=[(view.value, view.value) for view in View], required=False)
    q = forms.CharField(required=False, max_length=FILTER_LENGTH, label="Filter")
    sort = Word(choices=[(sort.value, sort.value) for sort in Sort], required=False)
    after = forms.CharField(required=False, max_length=MOST_CURSOR)
    as_of = Moment(required=False, max_length=40)
    part = Word(choices=[("rows", "rows")], required=False)


class NextForm(forms.Form):
    """A place in a list."""

    view = Word(choices=[(view.value, view.value) for view in View], required=False)
    q = forms.CharField(required=False, max_length=FILTER_LENGTH, label="Filter")
    sort = Word(choices=[(sort.value, sort.value) for sort in Sort], required=False)
    than = forms.UUIDField(required=False)
    way = Word(choices=[("next", "next"), ("prev", "prev")], required=False)


class SaveViewForm(forms.Form):
    """A name for a list."""

    name = forms.CharField(max_length=VIEW_NAME_LENGTH, label="Name")
    view = Word(choices=[(view.value, view.value) for view in View], required=False)
    q = forms.CharField(required=False, max_length=FILTER_LENGTH, label="Filter")
    sort = Word(choices=[(sort.value, sort.value) for sort in Sort], required=False)


class RenameViewForm(forms.Form):
    """Another name for a saved list."""

    name = forms.CharField(max_length=VIEW_NAME_LENGTH, label="Name")


class DefaultViewForm(forms.Form):
    """Whether the list of reviews opens with a saved one."""

    on = forms.BooleanField(required=False)


class SnoozeForm(forms.Form):
    """For how long."""

    for_how_long = Word(choices=[(one.value, one.value) for one in SnoozeFor], label="For how long")


class DetailForm(forms.Form):
    """A page of one proposal as its address says it."""

    view = Word(choices=[(name, name) for name in DIFF_VIEWS], required=False)
    part = Word(choices=[("now", "now")], required=False)
    open = forms.RegexField(OPENED, required=False, max_length=MOST_OPENED)  # names of folds
    find = forms.CharField(required=False, strip=False, max_length=MOST_FIND)  # opens what holds it
    since = forms.IntegerField(required=False, min_value=1, max_value=MOST_REVISIONS)
    # The list that the reader came from, as its own address says it.
    list = Word(choices=[(view.value, view.value) for view in View], required=False)
    q = forms.CharField(required=False, max_length=MOST_CURSOR)
    sort = Word(choices=[(sort.value, sort.value) for sort in Sort], required=False)


class VoteForm(forms.Form):
    """A vote. The lengths of texts are the command's question, which counts line breaks once."""

    choice = Word(choices=CHOICES, label="Your vote")
    revision_no = forms.IntegerField(min_value=1, max_value=MOST_REVISIONS, label="Revision")
    seen_digest = forms.RegexField("^[0-9a-f]{64}$", label="Digest")
    reason_code = Word(choices=CODES, required=False, label="Why reject")
    note = forms.CharField(required=False, strip=False, label="Reason")
    agent_message = forms.CharField(required=False, strip=False, label="Tell the agent")
    record = forms.CharField(required=False, max_length=1)
    guard = forms.CharField(required=False, max_length=1)
    assertion = AssertionField(required=False, max_length=MOST_ASSERTION, label="Passkey")
    in_place_of = forms.UUIDField(required=False, label="In place of")


class ExtendForm(forms.Form):
    """More time; the length of the reason is the command's question."""

    extend_reason = forms.CharField(required=False, strip=False, label="Reason")
    clock_no = forms.IntegerField(min_value=1, max_value=32_767, label="Clock")


class NothingForm(forms.Form):
    """A form that says all by its address."""


class Many(forms.Field):
    """A field that may come many times; `clean` gets every text that came.

    Args:
        apart: what stands between several values of one text, if it may hold several.
    """

    widget = forms.MultipleHiddenInput

    def __init__(self, read: Callable[[str], Any], *, apart: str = "", **other: Any) -> None:
        super().__init__(**other)
        self.read = read
        self.apart = apart

    @override
    def clean(self, value: Any) -> Any:
        texts = [str(text) for text in super().clean(value) or ()]
        if self.apart:
            texts = [piece for text in texts for piece in text.split(self.apart)]
        if len(texts) > MOST_SELECTED:
            raise ValidationError(f"Select at most {MOST_SELECTED}.")
        try:
            found = [self.read(text) for text in texts]
        except ValueError as error:
            raise ValidationError("Select rows of the list of reviews.") from error
        return list(dict.fromkeys(found))


def listed_from(text: str) -> Listed:
    """Return an item of a batch from "id:revision:digest".

    Raises:
        ValueError: it is none.
    """
    found = LISTED.fullmatch(text)
    if found is None:
        raise ValueError(text)
    return Listed(proposal_id=UUID(found[1]), revision_no=int(found[2]), digest=found[3])


class SelectForm(forms.Form):
    """The rows that somebody selected; the box of a group of identical ones names them all."""

    select = Many(UUID, apart=",", label="Selection")


class BatchForm(forms.Form):
    """One vote for several proposals, each with the digest that was on screen."""

    item = Many(listed_from, label="Selection")
    choice = Word(choices=CHOICES, label="Vote")
    reason_code = Word(choices=CODES, required=False, label="Why reject")
    note = forms.CharField(required=False, strip=False, max_length=NOTE_LENGTH, label="Reason")
    agent_message = forms.CharField(
        required=False, strip=False, max_length=MESSAGE_LENGTH, label="Tell the agent"
    )
    in_place_of = forms.UUIDField(required=False, label="In place of")
    record = forms.CharField(required=False, max_length=1)
    guard = forms.CharField(required=False, max_length=1)


class MetricsForm(SpanForm):
    """Days and what the rows stand for."""

    by = Word(choices=[(by.value, by.value) for by in By], required=False)


class EditForm(forms.Form):
    """An edit besides its typed fields, whose names begin with `arg/` and follow the schema."""

    revision_no = forms.IntegerField(min_value=1, max_value=MOST_REVISIONS, label="Revision")
    seen_digest = forms.RegexField("^[0-9a-f]{64}$", label="Digest")
    mode = Word(choices=[("fields", "fields"), ("raw", "raw")], label="Form")
    step = Word(choices=[("preview", "preview"), ("send", "send")], label="Step")
    previewed = forms.RegexField("^[0-9a-f]{64}$", required=False, label="Preview")
    raw = forms.CharField(required=False, strip=False, max_length=MOST_RAW, label="Arguments")
    note = forms.CharField(required=False, strip=False, label="Reason")


class SeenForm(forms.Form):
    """An act on exactly the revision that was on screen."""

    revision_no = forms.IntegerField(min_value=1, max_value=MOST_REVISIONS, label="Revision")
    seen_digest = forms.RegexField("^[0-9a-f]{64}$", label="Digest")


class AskForm(forms.Form):
    """Something said about a proposal; the length of the text is the command's question."""

    kind = Word(choices=ASKED, label="What this is")
    text = forms.CharField(required=False, strip=False, label="Text")
    revision_no = forms.IntegerField(min_value=1, max_value=MOST_REVISIONS, label="Revision")
    pause = forms.BooleanField(required=False, label="Hold the clock")


class AnswerForm(forms.Form):
    """An answer; the length of the text is the command's question."""

    text = forms.CharField(required=False, strip=False, label="Text")


class ThreadForm(forms.Form):
    """A thread as its address says it."""

    part = Word(choices=[("list", "list")], required=False)


class ChannelForm(forms.Form):
    """A new way out for notices; whether the address is one is the command's question."""

    kind = Word(choices=[(one.value, one.value) for one in ChannelKind], label="Kind")
    title = forms.CharField(max_length=CHANNEL_TITLE_LENGTH, label="Title")
    address = forms.CharField(max_length=MOST_ADDRESS, label="Address")
    group = forms.SlugField(max_length=63, required=False, label="Review group")
    asks = forms.BooleanField(required=False)
    outcomes = forms.BooleanField(required=False)


class SwitchForm(forms.Form):
    """What a channel may do from now on."""

    active = forms.BooleanField(required=False)
    titles = forms.BooleanField(required=False)


class DeliveriesForm(forms.Form):
    """The log of deliveries as its address says it."""

    show = Word(choices=[("failed", "failed")], required=False)
    after = forms.CharField(required=False, max_length=MOST_CURSOR)
    part = Word(choices=[("rows", "rows")], required=False)


class NoticesForm(forms.Form):
    """How one person wants to be told."""

    email = forms.BooleanField(required=False)
    digest = Word(choices=[(one.value, one.value) for one in Digest], label="How often")
    quiet_from = forms.TimeField(required=False, input_formats=["%H:%M"], label="Quiet from")
    quiet_until = forms.TimeField(required=False, input_formats=["%H:%M"], label="Quiet until")
    zone = forms.CharField(max_length=64, label="Time zone")
    automatic = forms.BooleanField(required=False)


class FoundForm(forms.Form):
    """What a person found out about a dispatch of which nobody knew."""

    happened = Word(choices=[("yes", "yes"), ("no", "no")], label="What happened")
    evidence = forms.CharField(max_length=NOTE_LENGTH, strip=False, label="What you found")


class PolicyDraftForm(forms.Form):
    """A new version of a policy; whether it can be read is the command's question."""

    body = forms.CharField(max_length=MOST_POLICY, strip=False, label="Policy as JSON")
    note = forms.CharField(required=False, max_length=MOST_POLICY_NOTE, label="What changes")


class PolicyFromForm(forms.Form):
    """What a new draft starts from, as its address says it."""

    policy = forms.SlugField(max_length=63, required=False)


class PolicyShadowForm(forms.Form):
    """Into the shadow, or out of it."""

    on = forms.BooleanField(required=False)


class PolicyProposeForm(forms.Form):
    """What is proposed about a version."""

    what = Word(choices=[("activate", "activate"), ("retire", "retire")])


class SimulateForm(forms.Form):
    """A call to try: of a proposal, or written down."""

    proposal = forms.UUIDField(required=False, label="Proposal")
    call = forms.CharField(required=False, max_length=MOST_POLICY, label="Call as JSON")
