"""The writes of approvals. Each locks the proposal, reads the time, checks, changes and records."""

from approvals.commands.asking import answer, ask
from approvals.commands.batching import cast_batch
from approvals.commands.breaking import break_glass
from approvals.commands.carrying import carry_out, carry_out_due
from approvals.commands.channels import (
    add_channel,
    set_notices,
    switch_channel,
    switch_own_mail,
    try_channel,
    try_own_mail,
)
from approvals.commands.claiming import claim, release, take_over
from approvals.commands.delegating import delegate, end_delegation, lapse_delegations
from approvals.commands.dispatching import claim_dispatch, report_outcome
from approvals.commands.editing import edit, preview_edit, revise_when_asked
from approvals.commands.extending import extend
from approvals.commands.external import dispatch_own, propose, report_own, settle_lost, withdraw_own
from approvals.commands.external_plans import propose_plan
from approvals.commands.external_revising import revise_own
from approvals.commands.external_tools import add_external_tool, retire_external_tool
from approvals.commands.founding import note_quorum
from approvals.commands.keeping import delete_view, make_default_view, rename_view, save_view
from approvals.commands.laddering import MOST_DEAD_ENDS, check_dead_ends
from approvals.commands.lending import lend_break_glass, revoke_break_glass
from approvals.commands.noticing import ask_deciders, notify, tell_leads, tell_of_rule, tell_outcome
from approvals.commands.opening import open_proposal, refresh, withdraw
from approvals.commands.plans import open_plan
from approvals.commands.planting import plant, plant_due
from approvals.commands.probing import hand_back, probe, probe_due, probe_opened, rebase
from approvals.commands.proposing_versions import propose_activation, propose_retirement
from approvals.commands.reconciling import reconcile
from approvals.commands.repeats import fingerprint_of
from approvals.commands.replaying import (
    MOST_NAMED,
    advance_replay,
    cancel_replay,
    resume_replays,
    start_replay,
)
from approvals.commands.replying import GIVE_UP_S, give_up, reply
from approvals.commands.sealed_arguments import erase_sealed, seal
from approvals.commands.sending import send_due
from approvals.commands.serving import serve_parts
from approvals.commands.signing import challenge_vote
from approvals.commands.snoozing import snooze, wake
from approvals.commands.standing import make_standing, revoke_standing
from approvals.commands.sweeping import sweep
from approvals.commands.switching_checks import switch_checks
from approvals.commands.tasking import close_review_task
from approvals.commands.timing import freeze, settle, settle_due, thaw
from approvals.commands.versioning import (
    activate_version,
    add_version,
    discard_version,
    retire_version,
    shadow_version,
)
from approvals.commands.voting import cast_vote, withdraw_vote
from approvals.commands.withdrawing import take_back

__all__ = [
    "GIVE_UP_S",
    "MOST_DEAD_ENDS",
    "MOST_NAMED",
    "activate_version",
    "add_channel",
    "add_external_tool",
    "add_version",
    "advance_replay",
    "answer",
    "ask",
    "ask_deciders",
    "break_glass",
    "cancel_replay",
    "carry_out",
    "carry_out_due",
    "cast_batch",
    "cast_vote",
    "challenge_vote",
    "check_dead_ends",
    "claim",
    "claim_dispatch",
    "close_review_task",
    "delegate",
    "delete_view",
    "discard_version",
    "dispatch_own",
    "edit",
    "end_delegation",
    "erase_sealed",
    "extend",
    "fingerprint_of",
    "freeze",
    "give_up",
    "hand_back",
    "lapse_delegations",
    "lend_break_glass",
    "make_default_view",
    "make_standing",
    "note_quorum",
    "notify",
    "open_plan",
    "open_proposal",
    "plant",
    "plant_due",
    "preview_edit",
    "probe",
    "probe_due",
    "probe_opened",
    "propose",
    "propose_activation",
    "propose_plan",
    "propose_retirement",
    "rebase",
    "reconcile",
    "refresh",
    "release",
    "rename_view",
    "reply",
    "report_outcome",
    "report_own",
    "resume_replays",
    "retire_external_tool",
    "retire_version",
    "revise_own",
    "revise_when_asked",
    "revoke_break_glass",
    "revoke_standing",
    "save_view",
    "seal",
    "send_due",
    "serve_parts",
    "set_notices",
    "settle",
    "settle_due",
    "settle_lost",
    "shadow_version",
    "snooze",
    "start_replay",
    "sweep",
    "switch_channel",
    "switch_checks",
    "switch_own_mail",
    "take_back",
    "take_over",
    "tell_leads",
    "tell_of_rule",
    "tell_outcome",
    "thaw",
    "try_channel",
    "try_own_mail",
    "wake",
    "withdraw",
    "withdraw_own",
    "withdraw_vote",
]
