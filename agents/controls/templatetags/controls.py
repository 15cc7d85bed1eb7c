"""Words and signals of the switches for their pages."""

from typing import Any
from urllib.parse import quote

from django import template
from django.urls import reverse

from agents.controls.cards import Effect, LeverCard, Scope, SwitchCard
from agents.controls.states import Progress, ScopeKind
from console.kernel.actors import Actor

register = template.Library()

SIGNALS = {
    Progress.ORDERED: "caution",
    Progress.CONFIRMED: "stop",
    Progress.PARTIAL: "unknown",
    Progress.RELEASED: "clear",
}


@register.filter
def lamp_signal(card: SwitchCard) -> str:
    return SIGNALS[card.confirmation.progress]


@register.filter
def lamp_word(card: SwitchCard) -> str:
    """Say how far a stop has got; "stopped" is never said before every process confirmed."""
    got = card.confirmation
    if got.progress is Progress.RELEASED:
        return "released"
    return f"{got.progress.value} {got.confirmed} of {got.of}" if got.of else got.progress.value


@register.filter
def scope_words(scope: Scope) -> str:
    if scope.kind is ScopeKind.TENANT:
        return "the whole organisation"
    return f"{scope.kind.value} {scope.value}"


@register.filter
def effect_words(effect: Effect) -> str:
    """Say what is under way in a scope; what nobody can tell is left out."""
    parts = (
        (effect.live_runs, "live run", "live runs"),
        (effect.parked_runs, "parked", "parked"),
        (effect.executing_calls, "call under way", "calls under way"),
        (effect.open_proposals, "waiting for a vote", "waiting for votes"),
    )
    words = [f"{count} {one if count == 1 else many}" for count, one, many in parts if count]
    return ", ".join(words) or "nothing under way"


@register.filter
def effect_lines(effect: Effect) -> list[str]:
    """Say, line by line, what a stop does to what is under way."""
    lines = ["No new model call, tool call, message or dispatch in this scope is admitted."]
    lines += _line(
        effect.executing_calls,
        "call that is under way may end.",
        "calls that are under way may end.",
    )
    lines += _line(
        effect.live_runs,
        "live run parks and keeps its place.",
        "live runs park and keep their place.",
    )
    lines += _line(
        effect.open_proposals,
        "open proposal freezes and keeps its time.",
        "open proposals freeze and keep their time.",
    )
    return lines


def _line(count: int | None, one: str, many: str) -> list[str]:
    return [f"{count} {one if count == 1 else many}"] if count else []


@register.inclusion_tag("components/lever.html")
def lever_row(lever: LeverCard, actor: Actor) -> dict[str, Any]:
    """One row of the board: what is ordered beside what is confirmed."""
    scope, switch = lever.target.scope, lever.switch
    row: dict[str, Any] = {
        "scope": scope.kind.value if scope.kind is not ScopeKind.TENANT else "organisation",
        "target": lever.target.label,
        "running": effect_words(lever.effect),
    }
    if switch is None:
        if actor.has("controls.engage"):
            row |= {
                "href": f"{reverse('controls:board')}?scope={_quoted(scope)}#stop",
                "link": "Stop…",
            }
        return row | {"ordered": "running"}
    got = switch.confirmation
    unsure = "; ".join(got.missing)
    if not got.of and got.progress is not Progress.CONFIRMED:
        unsure = "no process is listening"
    return row | {
        "ordered": "stop",
        "name": f"switch-{switch.id}",
        "signal": lamp_signal(switch),
        "confirmed": lamp_word(switch),
        "running": f"not confirmed: {unsure}" if unsure else row["running"],
        "at": switch.engaged_at,
        "who": switch.engaged_by,
        "why": switch.reason,
        "href": reverse("controls:switch", args=[switch.id]),
        "link": "Release…" if actor.has("controls.release") else "Details",
    }


def _quoted(scope: Scope) -> str:
    return quote(str(scope), safe=":")
