"""Tables of approvals, with their conversion to cards.

Foreign keys hold the tenant as well, so that no row can point into another one; the ORM cannot say
that, hence `db_constraint=False` here and the SQL in the migrations, beside the triggers.
"""

from approvals.models.columns import (
    DIGEST_BYTES,
    LABEL_LENGTH,
    MESSAGE_LENGTH,
    NOTE_LENGTH,
    TITLE_LENGTH,
)
from approvals.models.proposal import Freeze, PrincipalRow, Proposal, RequirementRow, Revision
from approvals.models.voting import Decision, Dispatch, Vote

__all__ = [
    "DIGEST_BYTES",
    "LABEL_LENGTH",
    "MESSAGE_LENGTH",
    "NOTE_LENGTH",
    "TITLE_LENGTH",
    "Decision",
    "Dispatch",
    "Freeze",
    "PrincipalRow",
    "Proposal",
    "RequirementRow",
    "Revision",
    "Vote",
]
