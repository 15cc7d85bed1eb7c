"""Fifty equal requests at the same moment, and one standing approval for a few of them."""

from functools import partial
from typing import Any

from django.db.models import Count

from approvals import commands
from approvals.cards import Claimed, NotClaimed, ProposalCard, StandingCard
from approvals.models import Decision, Dispatch, Standing, StandingUse
from approvals.states import Basis, ProposalState
from console.kernel.transactions import in_tenant
from tests.approvals.advance import like, made
from tests.approvals.desk import claim, opened
from tests.cast import Cast
from tests.races.test_votes import at_once

CALLS = 50
USES = 7


class TestStandingApproval:
    def test_speaks_no_more_often_than_it_may(self, cast: Cast) -> None:
        standing = made(cast, uses=USES)
        found = at_once([partial(opened, cast, **like(f"#X{n}")) for n in range(CALLS)])

        states = [one.state for one in found if isinstance(one, ProposalCard)]
        assert states.count(ProposalState.APPROVED) == USES
        assert states.count(ProposalState.OPEN) == CALLS - USES
        with in_tenant(cast.tenant_id, read_only=True):
            assert Standing.objects.get(pk=standing.id).uses_left == 0
            uses = StandingUse.objects.filter(standing_id=standing.id)
            assert uses.count() == USES
            decided = Decision.objects.filter(basis=Basis.STANDING.value)
            assert set(decided.values_list("proposal_id", flat=True)) == set(
                uses.values_list("proposal_id", flat=True)
            )
            assert not uses.values("proposal_id").annotate(n=Count("id")).filter(n__gt=1)

    def test_revoked_meanwhile_runs_nothing_afterwards(self, cast: Cast) -> None:
        standing = made(cast, uses=USES)
        cards = [opened(cast, **like(f"#X{n}")) for n in range(USES)]
        acts: list[Any] = [
            partial(claim, cast, one, **like(f"#X{n}")) for n, one in enumerate(cards)
        ]
        acts.append(
            partial(
                commands.revoke_standing, actor=cast.noor, standing_id=standing.id, reason="Fraud."
            )
        )
        *claims, revoked = at_once(acts)

        assert isinstance(revoked, StandingCard)
        assert all(isinstance(one, Claimed | NotClaimed) for one in claims)
        with in_tenant(cast.tenant_id, read_only=True):
            late = Dispatch.objects.filter(claimed_at__gt=revoked.revoked_at)
            assert late.count() == 0
            ran = Dispatch.objects.count()
        assert ran == sum(isinstance(one, Claimed) for one in claims)
