"""What a planted check answers to somebody who acted on it in another way than by a vote."""

from console.kernel.errors import ConsoleError, Refusal


class CheckRevealed(ConsoleError):
    """What was edited, asked about or decided by break-glass was a planted check."""

    code = "check.revealed"
    kind = Refusal.CONFLICT
