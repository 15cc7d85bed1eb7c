"""The reads of approvals."""

from approvals.queries.attention import attention
from approvals.queries.batching import batch
from approvals.queries.breaking import break_glass_grants
from approvals.queries.changes import changes_since, difference, interdiff, since, three_way
from approvals.queries.checks import check_setting
from approvals.queries.claims import claim_on, claims_of, saved_views
from approvals.queries.clocks import clock_of, ending_of, tenants_due
from approvals.queries.coverage import coverage, every_tool, register_tools
from approvals.queries.delegating import delegations, possible_stand_ins
from approvals.queries.detail import proposal, proposal_page
from approvals.queries.editing import edit_base, edit_refusal
from approvals.queries.evidence import evidence
from approvals.queries.explaining import (
    active_policies,
    explain,
    policy_versions,
    simulate,
    version,
)
from approvals.queries.external import external_tools, live_outside, progress
from approvals.queries.gating import gate_waiting
from approvals.queries.lists import (
    MOST_COUNTED,
    Sort,
    View,
    awaiting_review,
    neighbour,
    place_in_list,
    sorts_of,
    turn_count,
)
from approvals.queries.managing import may_manage, version_acts
from approvals.queries.metrics import By, metrics
from approvals.queries.notices import (
    asker_of,
    channels,
    deliveries,
    notice_setting,
    own_notices,
    tenants_to_tell,
)
from approvals.queries.people import reach, tool_id_of
from approvals.queries.plans import first_change, plan_of
from approvals.queries.queue import live_of_runs, proposal_for_subject, runs_voted_at, settled
from approvals.queries.replaying import replay, replayed_calls, replays_of
from approvals.queries.reviewing import review_task, review_tasks
from approvals.queries.sampling import allow_again, sampled_policies, sampled_rules
from approvals.queries.sealed import opened_if_kept, sealed_of, true_values
from approvals.queries.serving import parts_needed, reading_of, served_parts
from approvals.queries.standing import standing_approval, standing_approvals, standing_base
from approvals.queries.thread import (
    answerer_of,
    asked,
    current,
    first,
    tenants_unanswered,
    thread,
    unanswered,
)
from approvals.queries.workshop import agreed_by, call_from, call_of, shadow_tally

__all__ = [
    "MOST_COUNTED",
    "By",
    "Sort",
    "View",
    "active_policies",
    "agreed_by",
    "allow_again",
    "answerer_of",
    "asked",
    "asker_of",
    "attention",
    "awaiting_review",
    "batch",
    "break_glass_grants",
    "call_from",
    "call_of",
    "changes_since",
    "channels",
    "check_setting",
    "claim_on",
    "claims_of",
    "clock_of",
    "coverage",
    "current",
    "delegations",
    "deliveries",
    "difference",
    "edit_base",
    "edit_refusal",
    "ending_of",
    "every_tool",
    "evidence",
    "explain",
    "external_tools",
    "first",
    "first_change",
    "gate_waiting",
    "interdiff",
    "live_of_runs",
    "live_outside",
    "may_manage",
    "metrics",
    "neighbour",
    "notice_setting",
    "opened_if_kept",
    "own_notices",
    "parts_needed",
    "place_in_list",
    "plan_of",
    "policy_versions",
    "possible_stand_ins",
    "progress",
    "proposal",
    "proposal_for_subject",
    "proposal_page",
    "reach",
    "reading_of",
    "register_tools",
    "replay",
    "replayed_calls",
    "replays_of",
    "review_task",
    "review_tasks",
    "runs_voted_at",
    "sampled_policies",
    "sampled_rules",
    "saved_views",
    "sealed_of",
    "served_parts",
    "settled",
    "shadow_tally",
    "simulate",
    "since",
    "sorts_of",
    "standing_approval",
    "standing_approvals",
    "standing_base",
    "tenants_due",
    "tenants_to_tell",
    "tenants_unanswered",
    "thread",
    "three_way",
    "tool_id_of",
    "true_values",
    "turn_count",
    "unanswered",
    "version",
    "version_acts",
]
