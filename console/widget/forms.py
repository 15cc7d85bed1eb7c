"""Shapes of what the widget's pages and its API take in."""

from django import forms

MESSAGE_LENGTH = 4000


class KeyForm(forms.Form):
    title = forms.CharField(
        max_length=80, label="Name", help_text="The chat shows it as its title."
    )
    agent = forms.SlugField(
        max_length=80, label="Agent", help_text="Its short name, as on Switches."
    )
    origins = forms.CharField(
        max_length=2000,
        label="Sites",
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Origins such as https://shop.example, separated by spaces or lines.",
    )


class RevokeForm(forms.Form):
    reason = forms.CharField(max_length=500, label="Reason")


class SessionForm(forms.Form):
    key = forms.CharField(max_length=80)
    resume = forms.CharField(max_length=600, required=False)


class MessageForm(forms.Form):
    client_id = forms.RegexField(r"^[A-Za-z0-9_-]{8,100}$")
    text = forms.CharField(max_length=MESSAGE_LENGTH, label="Message")


class ConfirmForm(forms.Form):
    call_id = forms.UUIDField()
    digest = forms.RegexField(r"^[0-9a-f]{64}$")
    agree = forms.TypedChoiceField(
        choices=[("yes", "yes"), ("no", "no")], coerce=lambda word: word == "yes"
    )


class StreamForm(forms.Form):
    after = forms.IntegerField(min_value=0, max_value=2**31 - 1)
    live = forms.RegexField(r"^[0-9]{1,20}-[0-9]{1,20}$", required=False)
