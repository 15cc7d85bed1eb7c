"""Shapes of plans: what an agent asks for, and how far its changes have come."""

from rest_framework import serializers

from approvals.serializers.external import ProgressOut, ProposeIn
from approvals.states import FEWEST_STEPS, MOST_STEPS
from console.kernel.rest import In, Out


class PlanIn(In):
    subject = serializers.UUIDField(
        help_text="Your own id of what the plan is about; one live plan for each."
    )
    changes = serializers.ListField(
        child=ProposeIn(),
        min_length=FEWEST_STEPS,
        max_length=MOST_STEPS,
        help_text="In the order in which you will make them; each starts from what the earlier "
        "ones leave.",
    )


class PlanProgressOut(Out):
    plan = ProgressOut()
    changes = ProgressOut(many=True, help_text="In their order; dispatch one after the other.")
