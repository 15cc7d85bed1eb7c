"""Shapes of what people type into the pages of accounts."""

import re
from collections.abc import Sequence
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from typing_extensions import override

from console.accounts import policies
from console.accounts.models import EMAIL_LENGTH
from console.accounts.states import SCOPES, ObjectKind, Role
from console.kernel.lines import is_plain_line

PASSWORD_LENGTH_MOST: Final = 1024  # hashing costs by the length; nobody's password is longer
SLUG: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
ROLE_CHOICES: Final = [(role.value, role.value) for role in Role]
SCOPE_CHOICES: Final = [(scope.value, scope.value) for scope in SCOPES]


def plain_line(text: str) -> None:
    """Refuse a name with control, direction or invisible characters."""
    if not is_plain_line(text):
        raise ValidationError(
            "Use one line of visible characters; control and direction marks are not allowed."
        )


def slug(text: str) -> None:
    if not SLUG.fullmatch(text):
        raise ValidationError("Use small letters, digits and hyphens, 63 at most.")


class SlugList(forms.Field):
    """Any number of short names; which of them exist is the command's question."""

    widget = forms.SelectMultiple

    @override
    def clean(self, value: Sequence[str] | None) -> list[str]:
        words = sorted(set(value or ()))
        if len(words) > 100:  # noqa: PLR2004 - far beyond any page of ours
            raise ValidationError("These are too many groups.")
        for word in words:
            slug(word)
        return words


class SignInForm(forms.Form):
    email = forms.CharField(label="E-mail", max_length=EMAIL_LENGTH)
    password = forms.CharField(max_length=PASSWORD_LENGTH_MOST, strip=False)


class TenantForm(forms.Form):
    tenant = forms.UUIDField(label="Organisation")


class DemoForm(forms.Form):
    person = forms.UUIDField()


class PasswordForm(forms.Form):
    current = forms.CharField(
        label="Current password", max_length=PASSWORD_LENGTH_MOST, strip=False
    )
    new = forms.CharField(label="New password", max_length=PASSWORD_LENGTH_MOST, strip=False)


class StepUpForm(forms.Form):
    password = forms.CharField(max_length=PASSWORD_LENGTH_MOST, strip=False)


class PersonForm(forms.Form):
    email = forms.EmailField(label="E-mail", max_length=EMAIL_LENGTH)
    name = forms.CharField(max_length=120, validators=[plain_line])
    roles = forms.MultipleChoiceField(choices=ROLE_CHOICES, required=False)
    groups = SlugList(required=False)


class MembershipForm(forms.Form):
    roles = forms.MultipleChoiceField(choices=ROLE_CHOICES, required=False)
    groups = SlugList(required=False)
    active = forms.BooleanField(required=False)


class GroupForm(forms.Form):
    slug = forms.CharField(label="Short name", max_length=63, validators=[slug])
    title = forms.CharField(max_length=120, validators=[plain_line])


class GrantForm(forms.Form):
    kind = forms.ChoiceField(choices=[(kind.value, kind.value) for kind in ObjectKind])
    object_id = forms.UUIDField(label="Agent or tool")
    give = forms.BooleanField(required=False)


class KeyForm(forms.Form):
    name = forms.CharField(max_length=80, validators=[plain_line])
    scopes = forms.MultipleChoiceField(choices=SCOPE_CHOICES)
    days = forms.IntegerField(min_value=1, max_value=policies.KEY_DAYS_MOST)


class NothingForm(forms.Form):
    """For buttons: nothing may come with them but the token."""

    @override
    def clean(self) -> dict[str, Any]:
        return dict(self.cleaned_data)
