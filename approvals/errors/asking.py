"""What is refused about questions."""

from console.kernel.errors import ConsoleError, Refusal


class AnsweredAlready(ConsoleError):
    """A question has one answer, and it is another one."""

    code = "comment.answered"
    kind = Refusal.CONFLICT
