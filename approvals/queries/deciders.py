"""On whose word a decision rests, in words."""

from approvals.models import BreakGlassUse, Decision, StandingUse, Vote
from approvals.states import Basis


def deciders_of(decision: Decision) -> tuple[str, ...]:
    """Return the names of the people on whose word a decision rests, as they spoke; maybe none."""
    if decision.basis == Basis.BREAK_GLASS.value:
        used = BreakGlassUse.objects.filter(decision=decision)
        return tuple(
            f"{name}, with break-glass" for name in used.values_list("person_label", flat=True)
        )
    if decision.basis == Basis.STANDING.value:
        spoke = StandingUse.objects.filter(proposal_id=decision.proposal_id)
        makers = spoke.values_list("standing__maker_label", flat=True)
        return tuple(f"the standing approval of {name}" for name in makers)
    people = [place["person"] for place in decision.assignment]
    votes = Vote.objects.filter(revision_id=decision.revision_id, person_id__in=people)
    cast = votes.order_by("cast_at").values_list("person_label", "in_place_of")
    return tuple(
        dict.fromkeys(f"{name} in place of {other}" if other else name for name, other in cast)
    )
