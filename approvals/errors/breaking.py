"""What break-glass and the reviews after the fact refuse."""

from console.kernel.errors import ConsoleError, Refusal


class BreakGlassByMachine(ConsoleError):
    """Somebody other than a signed-in person tried to break glass, to lend it, or to review it."""

    code = "break_glass.machine"
    kind = Refusal.FORBIDDEN


class NoBreakGlass(ConsoleError):
    """The person does not hold the right at this moment."""

    code = "break_glass.not_granted"
    kind = Refusal.FORBIDDEN


class BreakGlassBarred(ConsoleError):
    """The last use of this person is not reviewed yet."""

    code = "break_glass.barred"
    kind = Refusal.CONFLICT


class BreakGlassNotOffered(ConsoleError):
    """What is proposed is about the rules themselves."""

    code = "break_glass.not_offered"
    kind = Refusal.FORBIDDEN


class GrantToOneself(ConsoleError):
    """An administrator tried to lend the right to themselves."""

    code = "break_glass.own_grant"
    kind = Refusal.FORBIDDEN


class GrantRunning(ConsoleError):
    """The person holds the right already."""

    code = "break_glass.granted"
    kind = Refusal.CONFLICT


class GrantOver(ConsoleError):
    """The right has ended, so there is nothing to take away."""

    code = "break_glass.over"
    kind = Refusal.CONFLICT


class ReviewNotEligible(ConsoleError):
    """The person used break-glass here, had a part in the request, or is no reviewer of it."""

    code = "review_task.not_eligible"
    kind = Refusal.FORBIDDEN


class ReviewClosed(ConsoleError):
    """Somebody answered already."""

    code = "review_task.closed"
    kind = Refusal.CONFLICT
