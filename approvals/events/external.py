"""What happens to the tools that external agents may name."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from audit.events import Event

EXTERNAL_TOOL: Final = "external_tool"


@dataclass(frozen=True, kw_only=True)
class ExternalToolAdded(Event):
    """External agents may ask for calls of a tool from now on."""

    name = "external_tool.added"
    subject = "tool_id"
    target_type = EXTERNAL_TOOL

    tool_id: UUID
    tool: str
    tier: int  # the least
    proposal_id: UUID | None = None  # by which people agreed to it


@dataclass(frozen=True, kw_only=True)
class ExternalToolRetired(Event):
    """A tool may not be asked for any more; what waited for people was withdrawn."""

    name = "external_tool.retired"
    subject = "tool_id"
    target_type = EXTERNAL_TOOL

    tool_id: UUID
    tool: str
    withdrawn: int  # proposals
    proposal_id: UUID | None = None  # by which people agreed to it
