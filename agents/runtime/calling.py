"""A tool's own code, called within the time that its contract gives; what it raises is ours.

A bug in a tool becomes a refusal that says nothing about its inside.
"""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from typing import Any

import structlog
from django.db import connections
from psycopg.errors import QueryCanceled

from agents.errors import ToolFailed, ToolTimedOut
from agents.tools.contracts import Image, Result, Tool, ToolContext
from console.kernel.errors import ConsoleError

log = structlog.get_logger(__name__)


def run_of(tool: Tool) -> Any:
    return _present(tool, tool.run)


def before_of(tool: Tool) -> Any:
    return _present(tool, tool.before)


def plan_of(tool: Tool) -> Any:
    return _present(tool, tool.plan)


def apply_of(tool: Tool) -> Any:
    return _present(tool, tool.apply)


def _present(tool: Tool, function: Any) -> Any:
    if function is None:
        raise TypeError(f"{tool.name} lacks a function that its contract needs.")
    return function


def _called(tool: Tool, act: Any) -> Any:
    """Call a tool's function; a bug in it becomes a refusal that says nothing about its inside."""
    try:
        return act()
    except ConsoleError:
        raise
    except Exception as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise _too_long(tool) from error
        log.exception("tool.crashed", tool=tool.name, error=type(error).__name__)
        raise ToolFailed(
            f"{tool.title} does not work at the moment; hand the matter to a person.",
            tool=tool.name,
        ) from error


def run_inside(tool: Tool, act: Any) -> Any:
    """Call a tool's function in the open transaction; one that was too slow is undone with it."""
    started = time.monotonic()
    result = _called(tool, act)
    if time.monotonic() - started > tool.timeout_s:
        raise _too_long(tool)
    return result


def _too_long(tool: Tool) -> ToolTimedOut:
    return ToolTimedOut(
        f"{tool.title} was stopped because it took too long; try again later.", tool=tool.name
    )


def run_outside(tool: Tool, ctx: ToolContext, args: Mapping[str, Any]) -> Result:
    """Run a tool outside of every transaction, for no longer than its contract says."""
    act = run_of(tool)
    return tool.validate_result(_outside(tool, lambda: act(ctx, dict(args)), tool.timeout_s))


def look_outside(tool: Tool, ctx: ToolContext, args: Mapping[str, Any], *, most_s: float) -> Image:
    """Read a tool's target outside of every transaction; slower than `most_s` is too slow."""
    act = before_of(tool)
    limit_s = min(tool.timeout_s, most_s)
    image: Image = _outside(tool, lambda: act(ctx, dict(args), lock=False), limit_s)
    return image


def _outside(tool: Tool, act: Callable[[], Any], limit_s: float) -> Any:
    pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"tool {tool.name}")
    try:
        return pool.submit(_in_thread, tool, act).result(timeout=limit_s)
    except TookTooLong as error:
        raise _too_long(tool) from error
    finally:
        # A thread cannot be ended from outside; its late result is dropped, its key stays the same.
        pool.shutdown(wait=False, cancel_futures=True)


def _in_thread(tool: Tool, act: Callable[[], Any]) -> Any:
    try:
        return _called(tool, act)
    finally:
        connections.close_all()
