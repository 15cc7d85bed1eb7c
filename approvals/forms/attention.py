"""What the page about how people decide is asked for."""

from django import forms

from console.kernel.ranges import DAYS, DAYS_MOST


class CheckForm(forms.Form):
    """Whether checks are planted from now on."""

    checks = forms.ChoiceField(choices=[("on", "on"), ("off", "off")], label="Planted checks")


class AttentionForm(forms.Form):
    """The last so many days; the first preset unless said."""

    days = forms.IntegerField(min_value=1, max_value=DAYS_MOST, required=False, initial=DAYS[0])
