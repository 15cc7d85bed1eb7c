"""`/api/v1/approvals/`, a file for each resource. Programs may read and ask; only people decide."""

from django.urls import path

from approvals.api.attention import Attention, Checks
from approvals.api.batches import Batches
from approvals.api.changes import Interdiff, ShownDiff, ThreeWay
from approvals.api.claims import Claims
from approvals.api.clocks import Clock, Extend
from approvals.api.comments import Answers, Comments
from approvals.api.delegations import Delegations, OneDelegation
from approvals.api.dispatches import Outcomes, Reconcile
from approvals.api.external import Dispatch, Wait
from approvals.api.metrics import Metrics
from approvals.api.plans import Plans
from approvals.api.proposals import OneProposal, Proposals, Withdraw
from approvals.api.replays import CancelReplay, OneReplay, ReplayCalls, Replays
from approvals.api.reviewing import (
    BreakGlass,
    CloseReviewTask,
    Grants,
    OneGrant,
    OneReviewTask,
    ReviewTasks,
)
from approvals.api.revisions import HandBack, Refresh, Revisions
from approvals.api.sealed import EraseSealed, Sealed
from approvals.api.standing import RevokeStanding, StandingApprovals
from approvals.api.versions import Activation, Discard, Retirement, Shadow
from approvals.api.votes import OwnVote, VoteChallenges, Votes
from approvals.api.workshop import (
    Coverage,
    Explain,
    OnePolicyVersion,
    Policies,
    SampledRules,
    Simulate,
)

urlpatterns = [
    path("attention", Attention.as_view()),
    path("attention/checks", Checks.as_view()),
    path("batches", Batches.as_view()),
    path("break-glass-grants", Grants.as_view()),
    path("break-glass-grants/<uuid:grant_id>", OneGrant.as_view()),
    path("delegations", Delegations.as_view()),
    path("delegations/<uuid:delegation_id>", OneDelegation.as_view()),
    path("dispatches/<uuid:dispatch_id>/outcome", Outcomes.as_view()),
    path("dispatches/<uuid:dispatch_id>/reconcile", Reconcile.as_view()),
    path("coverage", Coverage.as_view()),
    path("metrics", Metrics.as_view()),
    path("plans", Plans.as_view()),
    path("policies", Policies.as_view()),
    path("policies/versions/<uuid:version_id>", OnePolicyVersion.as_view()),
    path("policies/replays/<uuid:replay_id>", OneReplay.as_view()),
    path("policies/replays/<uuid:replay_id>/calls", ReplayCalls.as_view()),
    path("policies/replays/<uuid:replay_id>/cancel", CancelReplay.as_view()),
    path("policies/versions/<uuid:version_id>/activation", Activation.as_view()),
    path("policies/versions/<uuid:version_id>/discard", Discard.as_view()),
    path("policies/versions/<uuid:version_id>/retirement", Retirement.as_view()),
    path("policies/versions/<uuid:version_id>/shadow", Shadow.as_view()),
    path("policies/versions/<uuid:version_id>/replays", Replays.as_view()),
    path("policies/versions/<uuid:version_id>/sampling", SampledRules.as_view()),
    path("policies/versions/<uuid:version_id>/simulate", Simulate.as_view()),
    path("proposals", Proposals.as_view()),
    path("proposals/<uuid:proposal_id>", OneProposal.as_view()),
    path("proposals/<uuid:proposal_id>/break-glass", BreakGlass.as_view()),
    path("proposals/<uuid:proposal_id>/claim", Claims.as_view()),
    path("proposals/<uuid:proposal_id>/clock", Clock.as_view()),
    path("proposals/<uuid:proposal_id>/diff", ShownDiff.as_view()),
    path("proposals/<uuid:proposal_id>/dispatch", Dispatch.as_view()),
    path("proposals/<uuid:proposal_id>/explain", Explain.as_view()),
    path("proposals/<uuid:proposal_id>/interdiff", Interdiff.as_view()),
    path("proposals/<uuid:proposal_id>/threeway", ThreeWay.as_view()),
    path("proposals/<uuid:proposal_id>/wait", Wait.as_view()),
    path("proposals/<uuid:proposal_id>/extend", Extend.as_view()),
    path("proposals/<uuid:proposal_id>/revisions", Revisions.as_view()),
    path("proposals/<uuid:proposal_id>/comments", Comments.as_view()),
    path("proposals/<uuid:proposal_id>/comments/<uuid:comment_id>/answer", Answers.as_view()),
    path("proposals/<uuid:proposal_id>/refresh", Refresh.as_view()),
    path("proposals/<uuid:proposal_id>/hand-back", HandBack.as_view()),
    path("proposals/<uuid:proposal_id>/withdraw", Withdraw.as_view()),
    path("proposals/<uuid:proposal_id>/sealed", Sealed.as_view()),
    path("proposals/<uuid:proposal_id>/sealed/erase", EraseSealed.as_view()),
    path("proposals/<uuid:proposal_id>/votes", Votes.as_view()),
    path("proposals/<uuid:proposal_id>/votes/challenges", VoteChallenges.as_view()),
    path("proposals/<uuid:proposal_id>/votes/mine", OwnVote.as_view()),
    path("review-tasks", ReviewTasks.as_view()),
    path("review-tasks/<uuid:task_id>", OneReviewTask.as_view()),
    path("review-tasks/<uuid:task_id>/close", CloseReviewTask.as_view()),
    path("standing-approvals", StandingApprovals.as_view()),
    path("standing-approvals/<uuid:standing_id>/revoke", RevokeStanding.as_view()),
]
