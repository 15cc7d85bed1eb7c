"""Refusals of the runtime, and the two interruptions that no tool may swallow."""

from console.kernel.errors import ConsoleError, Refusal


class UnknownAgent(ConsoleError):
    """There is no agent of that name, or it has no version yet."""

    code = "agent.unknown"
    kind = Refusal.MISSING


class UnknownConversation(ConsoleError):
    """There is no such conversation in this tenant."""

    code = "conversation.unknown"
    kind = Refusal.MISSING


class UnknownRun(ConsoleError):
    """There is no such run in this tenant."""

    code = "run.unknown"
    kind = Refusal.MISSING


class UnknownCall(ConsoleError):
    """There is no such tool call in this conversation."""

    code = "call.unknown"
    kind = Refusal.MISSING


class NotHandedOff(ConsoleError):
    """The conversation is with its agent, so a person does not answer in it."""

    code = "conversation.not_handed_off"
    kind = Refusal.CONFLICT


class NotYours(ConsoleError):
    """The conversation belongs to another end user."""

    code = "conversation.not_yours"
    kind = Refusal.MISSING  # whether it exists is nobody else's business


class BadMessage(ConsoleError):
    """A message is empty, too long or holds what cannot be stored."""

    code = "message.invalid"
    kind = Refusal.INVALID


class NothingToConfirm(ConsoleError):
    """The question was answered already, or the run went on without it."""

    code = "confirm.closed"
    kind = Refusal.CONFLICT


class ConfirmChanged(ConsoleError):
    """The change is another one than the one that was shown."""

    code = "confirm.changed"
    kind = Refusal.CONFLICT


class RunEnded(ConsoleError):
    """The run is over, so nothing can be changed about it."""

    code = "run.ended"
    kind = Refusal.CONFLICT


class NotUnknown(ConsoleError):
    """Only a call whose outcome is unknown can be reconciled."""

    code = "call.not_unknown"
    kind = Refusal.CONFLICT


class ToolFailed(ConsoleError):
    """A tool broke; what it did not commit did not happen."""

    code = "tool.failed"
    kind = Refusal.UNAVAILABLE


class ToolTimedOut(ConsoleError):
    """A tool was over its time."""

    code = "tool.timeout"
    kind = Refusal.UNAVAILABLE


class OriginalRepeated(ConsoleError):
    """People had changed this very call; the model sent it again as it was."""

    code = "call.edited"
    kind = Refusal.CONFLICT


class ProviderMissing(ConsoleError):
    """No such model provider is set up here."""

    code = "model.provider_missing"
    kind = Refusal.UNAVAILABLE


class ModelFailed(Exception):
    """A model call ended without an answer.

    Args:
        reason: rate_limited, overloaded, timeout, connection, cut, bad_answer, refused_request.
        retry_after_s: what the provider asked for, or None.
    """

    def __init__(self, reason: str, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.retry_after_s = retry_after_s


class Fenced(BaseException):
    """Another worker holds the run now; BaseException, so that no tool swallows it."""

    def __init__(self, *, mine: int, theirs: int | None) -> None:
        super().__init__(f"epoch {mine} is over, {theirs} holds the run")
        self.mine = mine
        self.theirs = theirs


class Parked(BaseException):
    """A switch or a limit ends this slice; BaseException, so that no tool swallows it."""

    def __init__(self, sentence: str, *, switch_id: str = "", epoch: int = 0) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.switch_id = switch_id
        self.epoch = epoch
