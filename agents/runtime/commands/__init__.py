"""Writes that others cause: agents and versions, queueing, waking, parking, ending."""

from agents.runtime.commands.intervening import cancel_run, reconcile_call
from agents.runtime.commands.queueing import (
    follow_revision,
    make_runnable,
    queue_run,
    requeue,
    tell_more_are_asked,
    wake_decided,
    wake_due,
)
from agents.runtime.commands.registering import register_agent, register_agent_version
from agents.runtime.commands.stopping import hold_scope, release_scope

__all__ = [
    "cancel_run",
    "follow_revision",
    "hold_scope",
    "make_runnable",
    "queue_run",
    "reconcile_call",
    "register_agent",
    "register_agent_version",
    "release_scope",
    "requeue",
    "tell_more_are_asked",
    "wake_decided",
    "wake_due",
]
