"""What pages of approvals can follow, and who may."""

from approvals.states import SETTLED
from console.accounts.states import Permission
from console.kernel.live import topic

_ENDS = frozenset(state.value for state in SETTLED)

topic("reviews.queue", permission=Permission.APPROVALS_VIEW, settled=_ENDS)
topic("proposal", permission=Permission.APPROVALS_VIEW, settled=_ENDS)
topic("policies.replay", permission=Permission.APPROVALS_VIEW)
topic("reviews.claims", permission=Permission.APPROVALS_VIEW)
topic("reviews.channels", permission=Permission.ACCOUNTS_MANAGE)
topic("reviews.tasks", permission=Permission.APPROVALS_VIEW)
topic("reviews.break_glass", permission=Permission.ACCOUNTS_MANAGE)
topic("reviews.delegations", permission=Permission.APPROVALS_VIEW)
topic("proposal.claims", permission=Permission.APPROVALS_VIEW)
