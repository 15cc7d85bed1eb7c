"""What the widget refuses."""

from console.kernel.errors import ConsoleError, Refusal


class UnknownKey(ConsoleError):
    """There is no such widget key, or it was switched off."""

    code = "widget.unknown_key"
    kind = Refusal.MISSING


class SessionOver(ConsoleError):
    """The session token is missing, forged or too old."""

    code = "widget.session_over"
    kind = Refusal.SIGNED_OUT


class NoConversation(ConsoleError):
    """The visitor has said nothing yet."""

    code = "widget.no_conversation"
    kind = Refusal.CONFLICT
