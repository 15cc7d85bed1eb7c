"""Input of the shell."""

from django import forms


class ThemeForm(forms.Form):
    """Which colours a person wants."""

    theme = forms.ChoiceField(choices=[(name, name) for name in ("system", "light", "dark")])
    next = forms.CharField(required=False, max_length=2000)
