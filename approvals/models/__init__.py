"""Tables of approvals, with their conversion to cards.

Foreign keys hold the tenant as well, so that no row can point into another one; the ORM cannot say
that, hence `db_constraint=False` here and the SQL in the migrations, beside the triggers.
"""

from approvals.models.checking import Check, CheckSetting
from approvals.models.clock import Freeze, Timer
from approvals.models.columns import (
    DIGEST_BYTES,
    LABEL_LENGTH,
    MESSAGE_LENGTH,
    NOTE_LENGTH,
    REASON_LENGTH,
    TITLE_LENGTH,
)
from approvals.models.content import Comment, Probe
from approvals.models.delegating import Delegation
from approvals.models.desk import (
    ADDRESS_LENGTH,
    VIEW_NAME_LENGTH,
    Attention,
    Claim,
    SavedView,
    Snooze,
)
from approvals.models.external import ExternalTool
from approvals.models.founding import Quorum
from approvals.models.notices import (
    CHANNEL_TITLE_LENGTH,
    SHOWN_LENGTH,
    Channel,
    Notice,
    NoticeSetting,
)
from approvals.models.policy import NAME_LENGTH, Evaluation, PolicyVersion
from approvals.models.proposal import PrincipalRow, Proposal
from approvals.models.replaying import Replay, ReplayCall
from approvals.models.requirement import RequirementRow
from approvals.models.reviewing import BreakGlassGrant, BreakGlassUse, ReviewTask, RuleTurn
from approvals.models.revision import Revision
from approvals.models.sealed import Sealed
from approvals.models.standing import Standing, StandingUse
from approvals.models.voting import Decision, Dispatch, Served, Vote, VoteNonce

__all__ = [
    "ADDRESS_LENGTH",
    "CHANNEL_TITLE_LENGTH",
    "DIGEST_BYTES",
    "LABEL_LENGTH",
    "MESSAGE_LENGTH",
    "NAME_LENGTH",
    "NOTE_LENGTH",
    "REASON_LENGTH",
    "SHOWN_LENGTH",
    "TITLE_LENGTH",
    "VIEW_NAME_LENGTH",
    "Attention",
    "BreakGlassGrant",
    "BreakGlassUse",
    "Channel",
    "Check",
    "CheckSetting",
    "Claim",
    "Comment",
    "Decision",
    "Delegation",
    "Dispatch",
    "Evaluation",
    "ExternalTool",
    "Freeze",
    "Notice",
    "NoticeSetting",
    "PolicyVersion",
    "PrincipalRow",
    "Probe",
    "Proposal",
    "Quorum",
    "Replay",
    "ReplayCall",
    "RequirementRow",
    "ReviewTask",
    "Revision",
    "RuleTurn",
    "SavedView",
    "Sealed",
    "Served",
    "Snooze",
    "Standing",
    "StandingUse",
    "Timer",
    "Vote",
    "VoteNonce",
]
