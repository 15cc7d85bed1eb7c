"""`proposals/{id}/votes`. Only a person's session votes."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from approvals import commands, queries
from approvals.api.people import voter_of
from approvals.cards import Signed
from approvals.serializers import (
    ChallengeIn,
    ChallengeOut,
    MyVoteOut,
    NothingIn,
    VoteIn,
    VoteReceiptOut,
)
from approvals.states import Choice
from console.accounts.middleware import site_of
from console.kernel.rest import ApiView, actor_of, take, take_query


class Votes(ApiView):
    """Voting. The same vote again is answered with the first receipt, with a key or without."""

    @extend_schema(operation_id="votes_cast", request=VoteIn, responses={201: VoteReceiptOut})
    def post(self, request: Request, proposal_id: UUID) -> Response:
        actor = voter_of(request)
        take_query(NothingIn, request)
        values: Mapping[str, Any] = take(VoteIn, request)
        receipt = commands.cast_vote(
            actor=actor,
            proposal_id=proposal_id,
            revision_no=int(values["revision"]),
            seen_digest=values["digest"],
            choice=Choice(values["choice"]),
            reason_code=values.get("reason_code", ""),
            note=values.get("note", ""),
            agent_message=values.get("agent_message", ""),
            signed=_signed(request, values.get("assertion")),
            in_place_of=values.get("in_place_of"),
        )
        return Response(VoteReceiptOut(receipt).data, status=200 if receipt.repeated else 201)


class VoteChallenges(ApiView):
    """What a passkey of the reader has to sign for one vote, within two minutes, once.

    Not behind an idempotency key: an answer that is good once is not given twice.
    """

    repeatable = False

    @extend_schema(
        operation_id="votes_challenge", request=ChallengeIn, responses={201: ChallengeOut}
    )
    def post(self, request: Request, proposal_id: UUID) -> Response:
        actor = voter_of(request)
        take_query(NothingIn, request)
        values = take(ChallengeIn, request)
        found = commands.challenge_vote(
            actor=actor,
            proposal_id=proposal_id,
            revision_no=int(values["revision"]),
            seen_digest=values["digest"],
            choice=Choice(values["choice"]),
        )
        answer = {
            "nonce": found.nonce,
            "options": found.options(site_of(request).host),
            "expires_at": found.expires_at,
        }
        return Response(ChallengeOut(answer).data, status=201)


class OwnVote(ApiView):
    """One's own vote: reading it, and taking it back until the proposal is dispatched."""

    @extend_schema(operation_id="votes_mine", responses=MyVoteOut)
    def get(self, request: Request, proposal_id: UUID) -> Response:
        take_query(NothingIn, request)
        found = queries.proposal(actor=actor_of(request), proposal_id=proposal_id)
        return Response(MyVoteOut({"vote": found.my_vote}).data)

    @extend_schema(operation_id="votes_withdraw", responses=VoteReceiptOut)
    def delete(self, request: Request, proposal_id: UUID) -> Response:
        actor = voter_of(request)
        take_query(NothingIn, request)
        take(NothingIn, request)
        receipt = commands.withdraw_vote(actor=actor, proposal_id=proposal_id)
        return Response(VoteReceiptOut(receipt).data)


def _signed(request: Request, sent: Mapping[str, str] | None) -> Signed | None:
    """Return what a passkey signed, with the place where the server sees the browser."""
    site = site_of(request)
    return Signed(**sent, host=site.host, origin=site.origin) if sent else None
