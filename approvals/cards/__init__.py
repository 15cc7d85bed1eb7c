"""Frozen values that enter and leave approvals."""

from approvals.cards.answers import Claimed, NotClaimed, VoteReceipt
from approvals.cards.changes import Diff, DriftLine, FieldChange, Piece, Shown
from approvals.cards.content import DIGEST_TYPE, Content, Image, Principal, ProposalFacts, Subject
from approvals.cards.detail import (
    DecisionCard,
    DispatchCard,
    HistoryLine,
    ProposalDetail,
    ReviewerLine,
    VoteCard,
)
from approvals.cards.lists import ProposalCard, QueuePage, QueueRow
from approvals.cards.people import Block, Place, Requirement, Slot, Voter

__all__ = [
    "DIGEST_TYPE",
    "Block",
    "Claimed",
    "Content",
    "DecisionCard",
    "Diff",
    "DispatchCard",
    "DriftLine",
    "FieldChange",
    "HistoryLine",
    "Image",
    "NotClaimed",
    "Piece",
    "Place",
    "Principal",
    "ProposalCard",
    "ProposalDetail",
    "ProposalFacts",
    "QueuePage",
    "QueueRow",
    "Requirement",
    "ReviewerLine",
    "Shown",
    "Slot",
    "Subject",
    "VoteCard",
    "VoteReceipt",
    "Voter",
]
