"""Shapes of accounts in the API."""

from rest_framework import serializers

from console.accounts import policies
from console.accounts.forms import PASSWORD_LENGTH_MOST, SLUG, plain_line
from console.accounts.models import EMAIL_LENGTH
from console.accounts.states import SCOPES, Role, Strength
from console.kernel.rest import In, Out

ROLE_WORDS = [role.value for role in Role]
WHOLE_SLUG = rf"^{SLUG.pattern}$"  # the framework searches where a form matches the whole
BASE64URL = "^[A-Za-z0-9_-]+$"
SCOPE_WORDS = [scope.value for scope in SCOPES]


class MeOut(Out):
    tenant_id = serializers.UUIDField()
    kind = serializers.ChoiceField(["person", "key"])
    id = serializers.CharField()
    name = serializers.CharField(source="label")
    permissions = serializers.ListField(child=serializers.CharField())
    groups = serializers.ListField(child=serializers.CharField())


class PersonOut(Out):
    id = serializers.UUIDField()
    name = serializers.CharField()
    email = serializers.CharField()
    roles = serializers.ListField(child=serializers.ChoiceField(ROLE_WORDS))
    groups = serializers.ListField(child=serializers.CharField())
    active = serializers.BooleanField()
    sessions = serializers.IntegerField(help_text="Open sessions in this tenant.")


class PersonIn(In):
    email = serializers.EmailField(max_length=EMAIL_LENGTH)
    name = serializers.CharField(max_length=120, validators=[plain_line])
    roles = serializers.ListField(child=serializers.ChoiceField(ROLE_WORDS), max_length=10)
    groups = serializers.ListField(
        child=serializers.RegexField(WHOLE_SLUG), max_length=100, required=False, default=list
    )


class PersonChangeIn(In):
    roles = serializers.ListField(child=serializers.ChoiceField(ROLE_WORDS), max_length=10)
    groups = serializers.ListField(child=serializers.RegexField(WHOLE_SLUG), max_length=100)
    active = serializers.BooleanField()


class GainOut(Out):
    roles = serializers.ListField(child=serializers.ChoiceField(ROLE_WORDS))
    groups = serializers.ListField(child=serializers.CharField())
    tools = serializers.ListField(child=serializers.UUIDField())
    active = serializers.BooleanField()


class WaitingOut(Out):
    proposal_id = serializers.UUIDField()
    title = serializers.CharField()
    gain = GainOut(help_text="What counts once two reviewers agreed.")
    blocked = serializers.BooleanField(
        help_text="People rejected the same in the last day; nobody is asked again."
    )


class ChangedOut(Out):
    person = PersonOut(help_text="As the person is now.")
    waiting = WaitingOut(allow_null=True, help_text="What waits for people; null: nothing.")


class NewPersonOut(Out):
    person = PersonOut()
    waiting = WaitingOut(allow_null=True, help_text="What waits for people; null: nothing.")
    password = serializers.CharField(
        help_text="Shown this once; empty when the address had an account already."
    )


class NothingIn(In):
    """For addresses that take no fields."""


class StepUpIn(In):
    password = serializers.CharField(max_length=PASSWORD_LENGTH_MOST, trim_whitespace=False)


class StepUpPasskeyIn(In):
    """What a passkey signed, base64url; the challenge comes from `step-up/challenges`."""

    credential_id = serializers.RegexField(BASE64URL, max_length=1364)
    authenticator_data = serializers.RegexField(BASE64URL, max_length=1000)
    client_data = serializers.RegexField(BASE64URL, max_length=4000)
    signature = serializers.RegexField(BASE64URL, max_length=2000)


class RequestOut(Out):
    options = serializers.DictField(
        child=serializers.JSONField(),
        help_text="What `navigator.credentials.get` takes, its bytes as base64url.",
    )


class SignInProofOut(Out):
    at = serializers.DateTimeField(help_text="When the session last proved who it is.")
    by = serializers.ChoiceField([strength.value for strength in Strength])


class PasskeyIn(In):
    name = serializers.CharField(max_length=80, validators=[plain_line])
    credential_id = serializers.RegexField(BASE64URL, max_length=1364)
    client_data = serializers.RegexField(BASE64URL, max_length=4000)
    attestation = serializers.RegexField(BASE64URL, max_length=16000)
    transports = serializers.ListField(
        child=serializers.RegexField("^[a-z-]{1,16}$"), max_length=8, required=False, default=list
    )


class PasskeyOut(Out):
    id = serializers.UUIDField()
    name = serializers.CharField()
    credential_id = serializers.CharField(help_text="base64url")
    transports = serializers.ListField(child=serializers.CharField())
    created_at = serializers.DateTimeField()
    used_at = serializers.DateTimeField(allow_null=True)


class CreationOut(Out):
    options = serializers.DictField(
        child=serializers.JSONField(),
        help_text="What `navigator.credentials.create` takes, its bytes as base64url.",
    )


class KeyOut(Out):
    id = serializers.UUIDField()
    name = serializers.CharField()
    prefix = serializers.CharField()
    scopes = serializers.ListField(child=serializers.CharField())
    issued_by_id = serializers.UUIDField()
    issued_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    revoked_at = serializers.DateTimeField(allow_null=True)
    used_at = serializers.DateTimeField(allow_null=True, help_text="To the minute; null: never.")
    live = serializers.BooleanField()


class KeyIn(In):
    name = serializers.CharField(max_length=80, validators=[plain_line])
    scopes = serializers.ListField(
        child=serializers.ChoiceField(SCOPE_WORDS), min_length=1, max_length=len(SCOPE_WORDS)
    )
    days = serializers.IntegerField(min_value=1, max_value=policies.KEY_DAYS_MOST)


class NewKeyOut(Out):
    key = KeyOut()
    secret = serializers.CharField(help_text="Shown this once.")


class SessionOut(Out):
    id = serializers.UUIDField()
    address = serializers.CharField()
    user_agent = serializers.CharField()
    created_at = serializers.DateTimeField()
    seen_at = serializers.DateTimeField()
    here = serializers.BooleanField()


class EndedOut(Out):
    ended = serializers.IntegerField(help_text="How many sessions have ended.")
