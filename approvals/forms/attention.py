"""What the page about how people decide is asked for."""

from django import forms

from console.kernel.ranges import DAYS, DAYS_MOST


class AttentionForm(forms.Form):
    """The last so many days; the first preset unless said."""

    days = forms.IntegerField(min_value=1, max_value=DAYS_MOST, required=False, initial=DAYS[0])
