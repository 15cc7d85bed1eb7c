"""What a version promised about its tools, and refusals as the model reads them."""

from typing import Any

from agents.models import ToolCall
from agents.runtime.held import Held
from agents.tools import registry
from agents.tools.contracts import Tool
from agents.tools.errors import InvalidArguments, UnknownTool
from console.kernel.errors import ConsoleError


def tool_of(held: Held, call: ToolCall) -> Tool:
    """Return the contract that the version names, if it is still the same promise."""
    known = held.about.tools.get(call.tool)
    if known is None:
        raise UnknownTool(
            "There is no tool of that name; choose one of the tools that were offered."
        )
    tool = registry.get(call.tool)
    if tool.hash != known:
        # A changed contract is a new one: the arguments were meant for the promise that was made
        # then.
        raise UnknownTool(
            "This tool was changed after this agent was released; hand over to a person."
        )
    return tool


def told(refusal: ConsoleError) -> dict[str, Any]:
    """Return a refusal as the model reads it."""
    body: dict[str, Any] = {"code": refusal.code, "message": refusal.message}
    if isinstance(refusal, InvalidArguments):
        body["problems"] = [
            {"pointer": problem.pointer, "message": problem.sentence}
            for problem in refusal.problems
        ]
    elif "rule" in refusal.details:
        body["code"] = str(refusal.details["rule"])
    return body
