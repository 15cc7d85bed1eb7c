"""Refusals about plans."""

from console.kernel.errors import ConsoleError, Refusal


class PartOfPlan(ConsoleError):
    """A change of a plan is decided with the plan, and with nothing else."""

    code = "proposal.in_plan"
    kind = Refusal.CONFLICT


class PlanOfOthers(ConsoleError):
    """These changes make no plan: too many, too few, or of several agents."""

    code = "plan.not_one"
    kind = Refusal.INVALID


class StepDoesNotFollow(ConsoleError):
    """A change starts from something else than the earlier changes of the plan leave."""

    code = "plan.not_chained"
    kind = Refusal.INVALID


class StepTooEarly(ConsoleError):
    """The change before it in the plan has not succeeded yet."""

    code = "plan.not_yet"
    kind = Refusal.CONFLICT


class PlanBroken(ConsoleError):
    """Something else than planned happened, so the rest of the plan was withdrawn."""

    code = "plan.broken"
    kind = Refusal.CONFLICT
