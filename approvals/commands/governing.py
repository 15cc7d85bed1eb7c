"""Changes of the rules themselves as proposals: what they would change, as everybody sees it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from approvals.cards import Content, Image, Subject
from approvals.commands.versioning import ACTIVATE, RETIRE, SUBJECT
from approvals.errors import NotEditable
from approvals.models import PolicyVersion
from approvals.states import PolicyState
from console.kernel import canonical
from console.kernel.actors import Actor
from console.kernel.errors import NotFound

CONTRACTS: Final = {
    ACTIVATE: canonical.digest({"type": "signalbox/policy.activate/1"}).hex(),
    RETIRE: canonical.digest({"type": "signalbox/policy.retire/1"}).hex(),
}
MAY_ACT: Final = {
    ACTIVATE: frozenset({PolicyState.DRAFT.value, PolicyState.SHADOW.value}),
    RETIRE: frozenset({PolicyState.ACTIVE.value}),
}
_KIND: Final = "policies"  # of record, in the images


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A version under its lock, and what a change of it would come to."""

    row: PolicyVersion
    content: Content


def planned(version_id: UUID, tool: str) -> Planned:
    """Return what a change would do to the rules that speak now, all of the policy locked.

    Raises:
        NotFound: there is no such version.
    """
    name = PolicyVersion.objects.filter(pk=version_id).values_list("policy", flat=True).first()
    if name is None or tool not in CONTRACTS:
        raise NotFound("There is no such version of a policy here; look at the list of policies.")
    # In the order of `versioning`, so that nobody waits for each other.
    rows = list(PolicyVersion.objects.select_for_update().filter(policy=name).order_by("no"))
    row = next(one for one in rows if one.pk == version_id)
    active = next((one for one in rows if one.state == PolicyState.ACTIVE.value), None)
    content = Content(
        tool=tool,
        contract_hash=CONTRACTS[tool],
        args={
            "policy": name,
            "no": row.no,
            "version": str(row.pk),
            "digest": bytes(row.digest).hex(),
        },
        before=_image(active),
        after=_image(row) if tool == ACTIVATE else {},
    )
    return Planned(row=row, content=content)


class PolicyVersions:
    """The kind of proposals that let a version of a policy speak, or fall silent."""

    name = SUBJECT

    def schema(self, *, actor: Actor, tool: str) -> Mapping[str, Any]:
        """Refuse: another body is another version, and another proposal."""
        del actor, tool
        raise NotEditable("A version never changes; reject this and have another version written.")

    def content(
        self, *, actor: Actor, subject: Subject, tool: str, args: Mapping[str, Any]
    ) -> Content:
        """Return what it would do now; the arguments follow from the version."""
        del actor, args
        return planned(subject.id, tool).content

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


def title_of(tool: str, args: Mapping[str, Any]) -> str:
    """Return verb and object of a change of the rules."""
    what = f"version {args.get('no')} of the policy {args.get('policy')}"
    return f"Activate {what}" if tool == ACTIVATE else f"Retire {what}"


def _image(row: PolicyVersion | None) -> Image:
    if row is None:
        return {}
    body = canonical.loads(bytes(row.body))
    return {_KIND: {row.policy: {"version": row.no, "rules": body["rules"]}}}
