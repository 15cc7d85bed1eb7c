"""Tables of the runtime, a file per noun; nobody outside `agents` reads them."""

from agents.models.agent import Agent, AgentVersion, Tool, ToolContract
from agents.models.conversation import Conversation, Handoff, Message
from agents.models.run import Run, RunEvent, RunTotal, ToolCall

__all__ = [
    "Agent",
    "AgentVersion",
    "Conversation",
    "Handoff",
    "Message",
    "Run",
    "RunEvent",
    "RunTotal",
    "Tool",
    "ToolCall",
    "ToolContract",
]
