"""A tenant in which every page of the desk has something to show, and Wanda, who may see all."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from approvals import commands
from approvals.cards import Claimed, ProposalCard
from approvals.commands import external_tools
from approvals.states import ChannelKind, CommentKind, DispatchState
from console.kernel import clock
from console.kernel.actors import Actor
from tests.approvals import advance, glass, lent, outsider
from tests.approvals.clocks import sweep
from tests.approvals.desk import agent, approve, approved, claim, facts, opened, pulse
from tests.approvals.plans import opened_plan
from tests.approvals.policies.rules import FINANCE, body, rule, spoken, when
from tests.approvals.test_batching import one
from tests.approvals.test_entrusting import changed
from tests.cast import Cast, make_cast

WANDA: Final = "wanda"
RETURNS: Final = {"match": {"tool": "return_*"}}
SCHEMA: Final = {
    "type": "object",
    "properties": {
        "customer": {"type": "string", "description": "Whose number it is."},
        "phone": {"type": "string", "minLength": 5},
        "notify": {"type": "boolean"},
    },
    "required": ["customer", "phone"],
    "additionalProperties": False,
}
_EVERY_ROLE: Final = ("reviewer", "operator", "auditor", "admin")


@dataclass(frozen=True, slots=True)
class Desk:
    """Its people, and the pages by what they show; all for Wanda."""

    cast: Cast
    pages: dict[str, str]
    past: ProposalCard  # whose call rules can be tried on
    draft: str


def furnished() -> Desk:
    """Return a desk after a busy day."""
    cast = make_cast(_with_tool)
    wanda = cast.add(WANDA, roles=_EVERY_ROLE, groups=("care",))
    past = _expired(cast)
    version = spoken(
        cast,
        rule("returns", "hold", require=FINANCE, note="Money goes back.", **RETURNS),
        rule("tickets", "allow", match={"tool": "ticket.*", "tier": 1}, sample="0.05"),
    )
    draft = commands.add_version(
        actor=cast.noor,
        body=body(
            rule("returns", "deny", when=when("/args/order_id", "glob", "#W*"), **RETURNS),
            rule("mistakes", "hold", when=when("/args/reason", "exists"), require=FINANCE),
        ),
        note="Returns are made by hand from December on.",
    )
    commands.shadow_version(actor=cast.noor, version_id=draft.id, on=True)
    in_place = [one(cast, n, total=n * 1000, tool="return_order") for n in (1, 2, 30)]
    lent.lend(cast.ines, wanda, group="finance")
    replay = commands.start_replay(actor=cast.noor, version_id=draft.id, days=7)
    batch = "&".join(f"select={card.id}" for card in in_place)
    pages = {
        "policies": "/reviews/policies/",
        "policy that speaks": f"/reviews/policies/{version.id}/",
        "policy in the shadow": f"/reviews/policies/{draft.id}/",
        "new version": "/reviews/policies/new/?policy=shop-writes",
        "coverage": "/reviews/policies/coverage/",
        "replay": f"/reviews/policies/replays/{replay.id}/",
        "explain": f"/reviews/{in_place[0].id}/explain/",
        "in place of somebody": f"/reviews/{in_place[0].id}/",
        "batch in place of somebody": f"/reviews/batch/?{batch}",
        "figures": "/reviews/metrics/",
        "attention": "/reviews/attention/",
        "expired": f"/reviews/{past.id}/",
        **_states(cast),
        **_rights(cast, wanda),
        **_outside(cast),
        **_gate(cast, wanda),
    }
    return Desk(cast, pages, in_place[0], f"/reviews/policies/{draft.id}/")


def _with_tool(cast: Cast) -> Any:
    asked = {"name": outsider.TOOL, "tier": 1, "summary": outsider.SUMMARY, "schema": SCHEMA}
    return external_tools.enter(cast.system, asked, by=cast.system.label)


def _expired(cast: Cast) -> ProposalCard:
    card = opened(cast)
    sweep(cast, card.decide_by + timedelta(seconds=1))
    return card


def _states(cast: Cast) -> dict[str, str]:
    """Proposals as they rarely stand."""
    stale = approved(cast)
    shipped = {"orders": {"#W1": {"status": "shipped", "total": 41800, "note": "leave at door"}}}
    claim(cast, stale, before=shipped)
    frozen = opened(cast, facts_=facts(2, agent_id="returns", agent_label="returns v2"))
    cause = "the stop of agent returns: wrong currency"
    commands.freeze(actor=pulse(cast), proposal_ids=[frozen.id], cause=cause, since=clock.now())
    unknown = approved(cast)
    run = claim(cast, unknown)
    assert isinstance(run, Claimed)
    commands.report_outcome(
        actor=agent(cast),
        dispatch_id=run.dispatch_id,
        outcome=DispatchState.UNKNOWN,
        after={},
        evidence={"said": "no answer within 10 s"},
    )
    return {
        "plan": f"/reviews/{opened_plan(cast, tier=1).plan.id}/",
        "stale": f"/reviews/{stale.id}/",
        "frozen": f"/reviews/{frozen.id}/",
        "outcome unknown": f"/reviews/{unknown.id}/",
    }


def _rights(cast: Cast, wanda: Actor) -> dict[str, str]:
    """What people were lent, and gave in advance."""
    mine = opened(cast, **advance.like("#W7"))
    approve(mine, wanda)
    advance.made(cast)  # which from now on speaks for others like it
    glass.lend(cast, cast.ruth)
    task = glass.broken(opened(cast, tier=2), cast.ruth).task_id
    glass.lend(cast, wanda)
    return {
        "standing": "/reviews/standing/",
        "approve in advance": f"/reviews/{mine.id}/standing/",
        "break-glass": "/reviews/break-glass/",
        "duties": "/reviews/duties/",
        "duty": f"/reviews/duties/{task}/",
        "delegations": "/reviews/delegations/",
        "breaking glass": f"/reviews/{opened(cast, tier=2).id}/",
    }


def _outside(cast: Cast) -> dict[str, str]:
    """An agent that runs elsewhere, asked about what it wants; and where notices go."""
    found = outsider.outsider(cast).opened()
    about = outsider.proposal(found)
    asked = {"kind": CommentKind.QUESTION, "text": "Whose number is it?", "pause": True}
    commands.ask(actor=cast.ruth, proposal_id=about.id, **asked)  # type: ignore[arg-type]
    made = commands.add_channel(
        actor=cast.noor,
        kind=ChannelKind.CHAT,
        title="Finance room",
        address="slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/%23finance",
        group="finance",
    )
    commands.switch_channel(actor=cast.noor, channel_id=made.id, active=False, titles=True)
    return {
        "question to an outside agent": f"/reviews/{about.id}/",
        "edit": f"/reviews/{about.id}/edit/",
        "channels": "/reviews/channels/",
        "notices": "/reviews/notices/",
    }


def _gate(cast: Cast, wanda: Actor) -> dict[str, str]:
    """What people are asked about the gate itself."""
    tool = commands.add_external_tool(
        actor=wanda, name="crm.merge", tier=1, summary="Merges two customers."
    ).waiting
    assert tool is not None
    commands.ask(
        actor=cast.ruth, proposal_id=tool.id, kind=CommentKind.QUESTION, text="Who asked for it?"
    )
    person = changed(cast, "omar", roles=["operator", "reviewer"], groups=["finance"]).waiting
    assert person is not None
    draft = commands.add_version(
        actor=cast.noor, body=body(rule("none", "deny"), name="nights"), note="Nothing at night."
    )
    rules = commands.propose_activation(actor=cast.noor, version_id=draft.id)
    return {
        "tools": "/reviews/tools/",
        "gate: a tool, with a question to me": f"/reviews/{tool.id}/",
        "gate: a person": f"/reviews/{person.proposal_id}/",
        "gate: rules": f"/reviews/{rules.id}/",
    }
