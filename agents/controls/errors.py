"""Refusals of the switches."""

from console.kernel.errors import ConsoleError, Refusal


class Stopped(ConsoleError):
    """A switch stands against this; `details` name it, its reason and its epoch."""

    code = "stop.active"
    kind = Refusal.CONFLICT


class StopStateUnavailable(ConsoleError):
    """Nobody can say whether a switch stands against this, so it does not happen."""

    code = "stop.state_unavailable"
    kind = Refusal.UNAVAILABLE


class StopSubjectIncomplete(ConsoleError):
    """The question left out who or what it is about, so no switch could be looked up."""

    code = "stop.subject_incomplete"
    kind = Refusal.CONFLICT


class HostStopped(ConsoleError):
    """The stop file of this machine is there."""

    code = "stop.host"
    kind = Refusal.CONFLICT


class BadScope(ConsoleError):
    """A switch needs a scope that says what it stops."""

    code = "stop.scope_invalid"
    kind = Refusal.INVALID


class ReasonNeeded(ConsoleError):
    """Stops and releases are read later by people who were not there."""

    code = "stop.reason_needed"
    kind = Refusal.INVALID


class AlreadyStopped(ConsoleError):
    """The same scope is stopped already; one switch per scope keeps the release unambiguous."""

    code = "stop.already_engaged"
    kind = Refusal.CONFLICT


class AlreadyReleased(ConsoleError):
    """The switch was released before."""

    code = "stop.already_released"
    kind = Refusal.CONFLICT


class SecondPersonNeeded(ConsoleError):
    """Somebody who neither engaged the stop nor asked for its release has to release it."""

    code = "stop.second_person"
    kind = Refusal.FORBIDDEN


class PeopleOnly(ConsoleError):
    """Agents and service keys cannot write switch state."""

    code = "stop.people_only"
    kind = Refusal.FORBIDDEN
