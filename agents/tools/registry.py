"""Every tool there is, by name; filled while the apps that own tools are loaded."""

from collections.abc import Callable
from typing import Any, TypeVar

from agents.tools.contracts import Effect, Idempotency, Tool
from agents.tools.errors import BadContract, UnknownTool

_TOOLS: dict[str, Tool] = {}

Function = TypeVar("Function", bound=Callable[..., Any])


def tool(**contract: Any) -> Callable[[Function], Function]:
    """Register a contract whose main function is the one that is decorated.

    The main function of a transactional write is `plan`; of everything else it is `run`.
    """

    def register(function: Function) -> Function:
        transactional = contract.get("idempotency") is Idempotency.TRANSACTIONAL
        main = "plan" if contract["effect"] is Effect.WRITE and transactional else "run"
        add(Tool(**{"name": function.__name__, **contract, main: function}))
        return function

    return register


def add(contract: Tool) -> None:
    """Register one contract; a second one of the same name is a mistake of the programmer."""
    if contract.name in _TOOLS:
        raise BadContract(f"{contract.name}: this name is registered already.")
    _TOOLS[contract.name] = contract


def get(name: str) -> Tool:
    """Return the contract of that name.

    Raises:
        UnknownTool: there is none; the sentence does not repeat the name, which a model made up.
    """
    found = _TOOLS.get(name)
    if found is None:
        raise UnknownTool(
            "There is no tool of that name; choose one of the tools that were offered.",
            tool=name[:80],
        )
    return found


def every(*, domain: str | None = None) -> tuple[Tool, ...]:
    """Return all contracts, or those of one domain, by name."""
    tools = sorted(_TOOLS.values(), key=lambda item: item.name)
    return tuple(item for item in tools if domain is None or item.domain == domain)
