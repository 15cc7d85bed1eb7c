"""Shapes of revisions and of what is said about them."""

from rest_framework import serializers

from approvals.models import NOTE_LENGTH
from approvals.serializers.external import ImageIn
from approvals.serializers.fields import TextIn, WordIn
from approvals.states import CommentKind
from console.kernel.rest import In, Out


class SeenIn(In):
    """Which revision was on screen."""

    revision = serializers.IntegerField(min_value=1, max_value=1_000_000)
    digest = serializers.RegexField("^[0-9a-f]{64}$")


class EditIn(SeenIn):
    args = serializers.DictField(help_text="All arguments, not only the changed ones.")
    tool = TextIn(required=False, max_length=120, help_text="If named, the proposal's own.")
    note = TextIn(required=False, allow_blank=True, max_length=NOTE_LENGTH)


class ReviseIn(EditIn):
    before = ImageIn(required=False, help_text="The target as it is now; of the agent's own key.")
    after = ImageIn(required=False, help_text="The same records as the call would leave them.")


class OwnReviseIn(SeenIn):
    """What the key sends that asked for it: all of the content, but what cannot change."""

    args = serializers.DictField()
    before = ImageIn()
    after = ImageIn()
    note = TextIn(required=False, allow_blank=True, max_length=NOTE_LENGTH)


class CommentIn(In):
    kind = WordIn([kind.value for kind in CommentKind if kind is not CommentKind.ANSWER])
    text = TextIn(max_length=NOTE_LENGTH)
    revision = serializers.IntegerField(min_value=1, max_value=1_000_000, required=False)
    pause = serializers.BooleanField(
        required=False, help_text="Hold the time to decide, half an hour at most in all."
    )


class AnswerIn(In):
    text = TextIn(max_length=NOTE_LENGTH)


class CommentOut(Out):
    id = serializers.UUIDField()
    revision_no = serializers.IntegerField()
    kind = serializers.ChoiceField([kind.value for kind in CommentKind])
    text = serializers.CharField(help_text="An answer is a claim of who proposed it, not verified.")
    author_kind = serializers.CharField()
    author = serializers.CharField()
    answers = serializers.UUIDField(allow_null=True)
    at = serializers.DateTimeField()
    event_uid = serializers.UUIDField()


class ThreadLineOut(Out):
    comment = CommentOut()
    answer = CommentOut(allow_null=True)
    waits = serializers.BooleanField(help_text="For an answer of who proposed it.")


class ThreadOut(Out):
    thread = ThreadLineOut(many=True)
