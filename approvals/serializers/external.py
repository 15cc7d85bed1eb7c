"""Shapes for agents that run elsewhere."""

from typing import Any, Final

from rest_framework import serializers
from typing_extensions import override

from approvals.models import NOTE_LENGTH, TITLE_LENGTH
from approvals.policies.external import MOST_WAIT_S, TOOL_NAME, USUAL_WAIT_S
from approvals.serializers.fields import TextIn, WordIn
from approvals.serializers.proposals import DispatchOut
from approvals.states import CommentKind, DispatchState, ProposalState, RejectCode
from console.kernel.lines import is_plain_line
from console.kernel.rest import In, Out

_CONTRACT_LENGTH: Final = 20_000
_CONTRACT: Final = "What the tool promises: a SHA-256 (64 hex characters), or the text to hash."
_BEFORE: Final = "{kind of record: {id: {field: value}}}, as the target is now; {} for none."
_ENDINGS: Final = (
    DispatchState.SUCCEEDED,
    DispatchState.FAILED,
    DispatchState.STALE,
    DispatchState.UNKNOWN,
)


def _plain_line(text: str) -> None:
    if not is_plain_line(text):
        raise serializers.ValidationError(
            "Use one line of visible characters; control and direction marks are not allowed."
        )


class ImageIn(serializers.DictField):
    """Records by kind and id: {kind: {id: {field: value}}}."""

    @override
    def to_internal_value(self, data: Any) -> Any:
        found = super().to_internal_value(data)
        records = list(found.values())
        if not all(isinstance(one, dict) for one in records) or not all(
            isinstance(fields, dict) for one in records for fields in one.values()
        ):
            raise serializers.ValidationError("Send {kind: {id: {field: value}}}.")
        return found


class ProposeIn(In):
    subject = serializers.UUIDField(
        help_text="Your own id of what this is about; one live proposal for each."
    )
    tool = serializers.RegexField(
        TOOL_NAME, help_text="As it is registered in the console; another one is blocked."
    )
    tier = serializers.IntegerField(
        min_value=1, max_value=2, help_text="1 low-risk, 2 high-stakes; never below the tool's own."
    )
    title = TextIn(
        max_length=TITLE_LENGTH, validators=[_plain_line], help_text="One line, verb and object."
    )
    args = serializers.DictField(help_text="The arguments of the call; decimals and times as text.")
    before = ImageIn(help_text=_BEFORE)
    after = ImageIn(help_text="The same records as the call would leave them.")
    contract = TextIn(max_length=_CONTRACT_LENGTH, help_text=_CONTRACT)
    why = TextIn(required=False, allow_blank=True, max_length=NOTE_LENGTH)
    undo = TextIn(
        required=False, allow_blank=True, max_length=NOTE_LENGTH, help_text="What undoes it."
    )


class DispatchIn(In):
    call_key = serializers.UUIDField(help_text="Yours, for this one try; again: the same answer.")
    args = serializers.DictField(help_text="What you are about to run, as you proposed it.")
    before = ImageIn(help_text=_BEFORE)
    contract = TextIn(max_length=_CONTRACT_LENGTH, help_text=_CONTRACT)


class OutcomeIn(In):
    outcome = WordIn([one.value for one in _ENDINGS])
    after = ImageIn(required=False, help_text="The target as the call left it.")
    evidence = serializers.DictField(required=False, help_text="What shows it, for the record.")


class ReconcileIn(In):
    outcome = WordIn([DispatchState.SUCCEEDED.value, DispatchState.FAILED.value])
    evidence = TextIn(max_length=NOTE_LENGTH, help_text="What was looked at and seen.")


class WaitIn(In):
    questions = serializers.IntegerField(required=False, min_value=0, max_value=100)
    seconds = serializers.IntegerField(
        required=False, min_value=0, max_value=MOST_WAIT_S, default=USUAL_WAIT_S
    )


class OpenQuestionOut(Out):
    id = serializers.UUIDField(help_text="Answer it at `comments/{id}/answer`.")
    kind = serializers.ChoiceField([kind.value for kind in CommentKind])
    text = serializers.CharField()
    revision_no = serializers.IntegerField()
    at = serializers.DateTimeField()


class ProgressOut(Out):
    id = serializers.UUIDField()
    state = serializers.ChoiceField([state.value for state in ProposalState])
    settled = serializers.BooleanField(help_text="Nobody has to decide any more.")
    row_version = serializers.IntegerField(help_text="Send it as `after` to wait for a change.")
    revision_no = serializers.IntegerField()
    digest = serializers.CharField(help_text="SHA-256 of the revision, 64 hex characters.")
    args = serializers.DictField(help_text="The arguments that count; {} of a plan.")
    changed = serializers.ListField(
        child=serializers.CharField(), help_text="JSON pointers of those that people changed."
    )
    tier = serializers.IntegerField()
    needs = serializers.IntegerField(help_text="Different people who have to agree.")
    decide_by = serializers.DateTimeField()
    execute_by = serializers.DateTimeField(allow_null=True)
    frozen = serializers.BooleanField(help_text="A stop holds it.")
    told = serializers.CharField(help_text="One sentence for the agent.")
    reason_code = serializers.ChoiceField([code.value for code in RejectCode], allow_null=True)
    agent_message = serializers.CharField(help_text="The reviewers' words for the agent, or empty.")
    questions = OpenQuestionOut(many=True, help_text="Of reviewers, that wait for your answer.")
    dispatch = DispatchOut(allow_null=True)


class WaitOut(Out):
    changed = serializers.BooleanField(help_text="False when the time was over first.")
    proposal = ProgressOut()


class ClaimedOut(Out):
    dispatch_id = serializers.UUIDField()
    args = serializers.DictField(help_text="Run these; they are what people approved.")
    repeated = serializers.BooleanField(help_text="The same key had it before.")
