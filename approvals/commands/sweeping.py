"""Deleting what nothing can rest on any more: spent nonces, and notices of long ago."""

from datetime import timedelta
from typing import Final

from django.db.models import Q

from approvals.models import Notice, VoteNonce
from approvals.states import LIVE, NoticeState
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.transactions import command

# A nonce counts for two minutes and only while its row is there, so one without a row can never be
# used again; the day is for whoever looks into a refused signature.
NONCES_KEPT: Final = timedelta(days=1)
# `notice_once` needs the row while facts about its proposal may come; none do when it is over, and
# the outbox gives up within hours on what it cannot deliver.
NOTICES_KEPT: Final = timedelta(days=90)
MOST_AT_ONCE: Final = 1000

_LIVE: Final = sorted(state.value for state in LIVE)


@command
def sweep(*, actor: Actor) -> int:
    """Delete at most `MOST_AT_ONCE` of each; returns how many rows went."""
    at = clock.now()
    nonces = VoteNonce.objects.filter(
        tenant_id=actor.tenant_id, expires_at__lt=at - NONCES_KEPT
    ).values("pk")
    settled = Notice.objects.filter(
        ~Q(state=NoticeState.QUEUED.value),
        Q(proposal__isnull=True) | ~Q(proposal__state__in=_LIVE),
        tenant_id=actor.tenant_id,
        created_at__lt=at - NOTICES_KEPT,
    ).values("pk")
    gone, _by_model = VoteNonce.objects.filter(pk__in=nonces[:MOST_AT_ONCE]).delete()
    told, _by_model = Notice.objects.filter(pk__in=settled[:MOST_AT_ONCE]).delete()
    return gone + told
