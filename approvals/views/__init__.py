"""Pages of approvals: the queue, one proposal, voting."""

from approvals.views.attention import attention, attention_figure, switch_checks
from approvals.views.batch import batch
from approvals.views.breaking import break_glass_grants, revoke_break_glass, use_break_glass
from approvals.views.channels import (
    channels,
    notices,
    switch_channel,
    switch_mail,
    try_channel,
    try_mail,
)
from approvals.views.claims import claim, release, snooze, take_over, wake
from approvals.views.delegations import delegations, end_delegation
from approvals.views.duties import close_duty, duties, duty
from approvals.views.editing import edit, hand_back, rebase, take_back
from approvals.views.extending import extend
from approvals.views.keeping import default_view, delete_view, rename_view, save_view
from approvals.views.lists import following, queue
from approvals.views.metrics import metrics, metrics_figure
from approvals.views.pages import detail, vote, withdraw_vote
from approvals.views.reconciling import reconcile
from approvals.views.sealing import erase_sealed
from approvals.views.shadow import shadow_figure, shadow_file
from approvals.views.standing import make_standing, revoke_standing, standings
from approvals.views.thread import ask, reply, thread
from approvals.views.tools import retire_tool, tools
from approvals.views.trying import cancel_replay, coverage, explain, replay, simulate, start_replay
from approvals.views.workshop import (
    discard_policy,
    draft_policy,
    policies_list,
    policy_version,
    propose_policy,
    shadow_policy,
)

__all__ = [
    "ask",
    "attention",
    "attention_figure",
    "batch",
    "break_glass_grants",
    "cancel_replay",
    "channels",
    "claim",
    "close_duty",
    "coverage",
    "default_view",
    "delegations",
    "delete_view",
    "detail",
    "discard_policy",
    "draft_policy",
    "duties",
    "duty",
    "edit",
    "end_delegation",
    "erase_sealed",
    "explain",
    "extend",
    "following",
    "hand_back",
    "make_standing",
    "metrics",
    "metrics_figure",
    "notices",
    "policies_list",
    "policy_version",
    "propose_policy",
    "queue",
    "rebase",
    "reconcile",
    "release",
    "rename_view",
    "replay",
    "reply",
    "retire_tool",
    "revoke_break_glass",
    "revoke_standing",
    "save_view",
    "shadow_figure",
    "shadow_file",
    "shadow_policy",
    "simulate",
    "snooze",
    "standings",
    "start_replay",
    "switch_channel",
    "switch_checks",
    "switch_mail",
    "take_back",
    "take_over",
    "thread",
    "tools",
    "try_channel",
    "try_mail",
    "use_break_glass",
    "vote",
    "wake",
    "withdraw_vote",
]
