"""Settings of the gate itself as proposals: tools of outside agents, planted checks, erasures.

What loosens one of them takes the word of two people of different groups, and whoever asks is
neither of them. Nobody edits such a proposal: another setting is another request. How each is
carried out is with what it sets (`external_tools`, `switching_checks`, `sealed_arguments`);
PostgreSQL reads the same proposal.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID, uuid5

from approvals.cards import Content, Image, Principal, ProposalCard, ProposalFacts, Subject
from approvals.commands.desk import lock
from approvals.commands.opening import open_proposal
from approvals.errors import NotEditable, PolicyConflict
from approvals.models import CheckSetting, ExternalTool, Sealed
from approvals.policies import GATE_KIND
from approvals.states import PrincipalRole, ProposalState
from console.kernel import canonical
from console.kernel.actors import Actor
from console.kernel.errors import NotFound

REGISTER: Final = "gate.register_tool"  # its tools
RETIRE: Final = "gate.retire_tool"
STOP_CHECKS: Final = "gate.stop_checks"
ERASE: Final = "gate.erase_sealed"
AGENT: Final = "signalbox/gate"  # no agent can have this name
TIER: Final = 2
_CONTRACTS: Final = {
    tool: canonical.digest({"type": f"signalbox/{tool}/1"}).hex()
    for tool in (REGISTER, RETIRE, STOP_CHECKS, ERASE)
}
_SUMMARIES: Final = {
    REGISTER: "Lets agents that run elsewhere ask for calls of this tool. What they ask for needs "
    "no more than this tier asks for, and rules may allow more of it in tier 1.",
    RETIRE: "Agents that run elsewhere can ask for this tool no more, and what waits is withdrawn. "
    "To hold it at once, without anybody's word, stop the tool by a switch.",
    STOP_CHECKS: "No bad changes are planted among reviews any more, so nobody learns whether "
    "people still read.",
    ERASE: "The values and the salts are erased for good. What was decided on them still verifies; "
    "what was not run yet cannot run any more.",
}
_UNDO: Final = {
    REGISTER: "Have the tool retired.",
    RETIRE: "Have the tool registered anew.",
    STOP_CHECKS: "Switch the checks on; that asks nobody.",
    ERASE: "",
}
_TOOLS: Final = "external_tools"  # kinds of record, in the images
_CHECKS: Final = "planted_checks"
_HIDDEN: Final = "hidden_arguments"
_HERE: Final = "this organisation"


def ask_to_register(actor: Actor, args: Mapping[str, Any]) -> ProposalCard:
    """Ask two people whether a tool may be registered so: name, tier, summary, schema."""
    # One waits for each name; whoever asks for another tier meanwhile takes its place.
    return _ask(actor, REGISTER, uuid5(actor.tenant_id, args["name"]), args)


def ask_to_retire(actor: Actor, row: ExternalTool) -> ProposalCard:
    """Ask two people whether a tool may be retired."""
    return _ask(actor, RETIRE, row.id, {"name": row.name})


def ask_to_stop_checks(actor: Actor, row: CheckSetting) -> ProposalCard:
    """Ask two people whether checks may be planted no more."""
    return _ask(actor, STOP_CHECKS, row.id, {"checks": False})


def ask_to_erase(actor: Actor, subject_id: UUID, why: str) -> ProposalCard:
    """Ask two people whether the hidden arguments of a subject may be erased."""
    return _ask(actor, ERASE, subject_id, {"request": str(subject_id)}, why=why)


def planned(tool: str, subject_id: UUID, args: Mapping[str, Any]) -> Content:
    """Return what it would do to the gate as it is now, with the setting locked.

    Raises:
        NotFound: there is no such setting.
    """
    if tool not in _IMAGES:
        raise NotFound("There is no such setting here.")
    before, after = _IMAGES[tool](subject_id, args)
    return Content(tool=tool, contract_hash=_CONTRACTS[tool], args=args, before=before, after=after)


def asker_of(actor: Actor, proposal_id: UUID, tool: str, subject_id: UUID) -> str:
    """Return the name of who asked for a change that people agreed to and that is carried out now.

    Raises:
        PolicyConflict: nobody agreed to this very change.
    """
    desk = lock(actor=actor, proposal_id=proposal_id)
    agreed = desk is not None and (
        desk.state is ProposalState.DISPATCHED
        and (desk.row.subject_kind, desk.row.subject_id) == (GATE_KIND, subject_id)
        and (desk.row.tool, desk.row.tier) == (tool, TIER)
    )
    if desk is None or not agreed:
        raise PolicyConflict("Nobody agreed to this; ask for it, so that two people decide.")
    return desk.row.agent_label


def title_of(tool: str, args: Mapping[str, Any]) -> str:
    """Return verb and object of a change of the gate."""
    return {
        REGISTER: f"Register the tool {args.get('name')} with tier {args.get('tier')}",
        RETIRE: f"Retire the tool {args.get('name')}",
        STOP_CHECKS: "Plant no more checks",
        ERASE: f"Erase the hidden arguments of request {str(args.get('request'))[-12:]}",
    }[tool]


class Gate:
    """The kind of proposals that change a setting of the gate."""

    name = GATE_KIND

    def schema(self, *, actor: Actor, tool: str) -> Mapping[str, Any]:
        """Refuse: another setting is another request."""
        del actor, tool
        raise NotEditable("Reject this, and have what fits asked for where it is set.")

    def content(
        self, *, actor: Actor, subject: Subject, tool: str, args: Mapping[str, Any]
    ) -> Content:
        del actor
        return planned(tool, subject.id, args)

    def observe(
        self, *, actor: Actor, subject: Subject, tool: str, args: Mapping[str, Any]
    ) -> Content:
        return self.content(actor=actor, subject=subject, tool=tool, args=args)

    def apply(self, *, actor: Actor, subject: Subject, content: Content) -> Image | None:
        """Leave it to `carrying.carry_out`, which knows the proposal."""
        del actor, subject, content
        return None

    def title(self, *, tool: str, args: Mapping[str, Any]) -> str:
        return title_of(tool, args)

    def gap(self, *, tool: str) -> str:
        del tool
        return ""


# -- parts ---------------------------------------------------------------------------------------


def _ask(
    actor: Actor, tool: str, subject_id: UUID, args: Mapping[str, Any], *, why: str = ""
) -> ProposalCard:
    if not actor.is_person:
        raise PolicyConflict("Only a person asks for this; sign in and ask.")
    starter = Principal(
        role=PrincipalRole.STARTER,
        actor_kind=actor.kind.value,
        actor_id=actor.id,
        label=actor.label,
        person_id=UUID(actor.id),
    )
    return open_proposal(
        actor=actor,
        subject=Subject(kind=GATE_KIND, id=subject_id),
        content=planned(tool, subject_id, args),
        facts=ProposalFacts(
            title=title_of(tool, args),
            tier=TIER,
            agent_id=AGENT,
            agent_label=actor.label,
            undo=_UNDO[tool],
            why=why,
            tool_summary=_SUMMARIES[tool],
        ),
        principals=(starter,),
    )


def _registering(_id: UUID, args: Mapping[str, Any]) -> tuple[Image, Image]:
    """Return the tool of this name as it was last, and as it would be; it may be none yet."""
    rows = ExternalTool.objects.select_for_update().filter(name=args["name"]).order_by("id")
    newest = list(rows)[-1:]
    after = _record(args["tier"], args["summary"], args["schema"], offered=True)
    return _image_of(newest[0]) if newest else {}, {_TOOLS: {args["name"]: after}}


def _retiring(tool_id: UUID, args: Mapping[str, Any]) -> tuple[Image, Image]:
    row = ExternalTool.objects.select_for_update().filter(pk=tool_id, name=args["name"]).first()
    if row is None:
        raise NotFound("There is no such tool here; look at the list of tools.")
    before = _image_of(row)
    return before, {_TOOLS: {row.name: {**before[_TOOLS][row.name], "offered": False}}}


def _image_of(row: ExternalTool) -> dict[str, dict[str, dict[str, Any]]]:
    offered = row.retired_at is None
    record = _record(row.tier, row.summary, row.args_schema, offered=offered)
    return {_TOOLS: {row.name: record}}


def _record(tier: int, summary: str, schema: Any, *, offered: bool) -> dict[str, Any]:
    """Return a tool as reviewers read it; the schema is text, so that they see all of it."""
    said = canonical.dumps(schema).decode() if schema else None
    return {"offered": offered, "tier": tier, "summary": summary, "schema": said}


def _stopping(setting_id: UUID, _args: Mapping[str, Any]) -> tuple[Image, Image]:
    row = CheckSetting.objects.select_for_update().filter(pk=setting_id).first()
    if row is None:
        raise NotFound("Nobody ever said whether checks are planted here.")
    return {_CHECKS: {_HERE: {"planted": row.is_on}}}, {_CHECKS: {_HERE: {"planted": False}}}


def _erasing(subject_id: UUID, args: Mapping[str, Any]) -> tuple[Image, Image]:
    rows = Sealed.objects.select_for_update().filter(subject_id=subject_id, box__isnull=False)
    found = [row.pointer for row in rows.order_by("id")]
    if not found:
        raise NotFound("Nothing of this is hidden that could be erased.")
    sides = (dict.fromkeys(found, said) for said in ("kept", "erased"))
    before, after = ({_HIDDEN: {args["request"]: side}} for side in sides)
    return before, after


_IMAGES: Final[Mapping[str, Callable[[UUID, Mapping[str, Any]], tuple[Image, Image]]]] = {
    REGISTER: _registering,
    RETIRE: _retiring,
    STOP_CHECKS: _stopping,
    ERASE: _erasing,
}
