"""The kind `external`: calls of agents that run elsewhere.

Only the agent sees the target. Where people registered a schema for its tool, a reviewer can edit
the arguments all the same: the target stays what the agent said, and what the new arguments leave
behind is shown as nothing but these arguments, because nobody here knows more.
"""

from collections.abc import Mapping
from typing import Any, Final

from approvals.cards import Content, Image, Subject
from approvals.commands.external_schemas import require_fits
from approvals.errors import NotEditable
from approvals.models import Proposal, Revision
from approvals.queries.external import schema_of
from approvals.states import EXTERNAL, LIVE, ProposalState
from console.kernel.actors import Actor

ARGUMENTS: Final = "arguments of the call"  # kind of the record that stands for them


class External:
    """The kind `external`."""

    name = EXTERNAL

    def schema(self, *, actor: Actor, tool: str) -> Mapping[str, Any]:
        """Return the schema that was registered; without one nobody could check an edit."""
        found = schema_of(actor=actor, tool=tool)
        if found is None:
            raise _only_the_agent()
        return found

    def content(
        self, *, actor: Actor, subject: Subject, tool: str, args: Mapping[str, Any]
    ) -> Content:
        """Return the arguments as edited, on the target as the agent said it was.

        Raises:
            NotEditable: the tool has no schema, or the target is another one by now.
            DoesNotFit: the arguments do not fit the schema.
        """
        self.schema(actor=actor, tool=tool)
        require_fits(actor, tool, args)
        row = Proposal.objects.filter(
            tenant_id=actor.tenant_id,
            subject_kind=EXTERNAL,
            subject_id=subject.id,
            state__in=[state.value for state in LIVE],
        ).first()
        if row is None or row.state == ProposalState.STALE.value:
            raise _only_the_agent()
        old = Revision.objects.get(proposal=row, no=row.revision_no).content(tool)
        return Content(
            tool=tool,
            contract_hash=old.contract_hash,
            args=args,
            before=old.before,
            after={**old.before, ARGUMENTS: {tool: dict(args)}},
        )

    def observe(
        self, *, actor: Actor, subject: Subject, tool: str, args: Mapping[str, Any]
    ) -> Content:
        """Refuse: only the agent sees the target."""
        del actor, subject, tool, args
        raise _only_the_agent()

    def apply(self, *, actor: Actor, subject: Subject, content: Content) -> Image | None:
        """Leave it to the agent."""
        del actor, subject, content
        return None

    def gap(self, *, tool: str) -> str:
        del tool
        return (
            "The console cannot read it: what you see is the word of an agent outside of "
            "Signalbox. Whether it changed is found when the agent takes the change up and says "
            "what it reads then; if it did, nothing runs. Between that look and the change a "
            "moment remains."
        )


def _only_the_agent() -> NotEditable:
    return NotEditable(
        "Only the agent that asked knows what this would do; reject it and say what should change."
    )
