"""Input of the shell."""

from django import forms


class FindForm(forms.Form):
    """What somebody looks for."""

    q = forms.CharField(required=False, max_length=200, label="Page, id or word")
    part = forms.ChoiceField(choices=[("found", "found")], required=False)


class ThemeForm(forms.Form):
    """Which colours a person wants."""

    theme = forms.ChoiceField(choices=[(name, name) for name in ("system", "light", "dark")])
    next = forms.CharField(required=False, max_length=2000)
