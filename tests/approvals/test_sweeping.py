from datetime import timedelta
from uuid import UUID

import pytest

from approvals import commands
from approvals.commands.sweeping import NONCES_KEPT, NOTICES_KEPT
from approvals.states import NoticeReason
from console.kernel import clock, pulse
from tests.approvals.desk import opened
from tests.approvals.sql import refused, run
from tests.approvals.test_signing import challenge
from tests.authenticator import Authenticator, registered
from tests.cast import Cast


def rows(cast: Cast, table: str) -> int:
    ((count,),) = run(cast, f"SELECT count(*) FROM {table}")
    return int(count)


def told(cast: Cast, proposal_id: UUID | None = None) -> None:
    reason = NoticeReason.OPENED if proposal_id else NoticeReason.CHECKS
    ruth = UUID(cast.ruth.id)
    assert (
        commands.notify(actor=cast.system, people=[ruth], reason=reason, proposal_id=proposal_id)
        == 1
    )


def later(cast: Cast) -> int:
    with clock.frozen(clock.now() + NOTICES_KEPT + timedelta(minutes=1)):
        return commands.sweep(actor=cast.system)


class TestSweep:
    def test_deletes_nonces_a_day_after_their_time_and_leaves_the_others(self, cast: Cast) -> None:
        registered(cast.ruth, Authenticator(), name="My ring")
        card = opened(cast, tier=2)
        for age in (NONCES_KEPT + timedelta(minutes=3), timedelta(minutes=3), timedelta()):
            with clock.frozen(clock.now() - age):
                challenge(card, cast.ruth)
        assert commands.sweep(actor=cast.system) == 1
        assert rows(cast, "approvals_nonce") == 2

    def test_never_reaches_a_nonce_that_is_still_good(self, cast: Cast) -> None:
        registered(cast.ruth, Authenticator(), name="My ring")
        challenge(opened(cast, tier=2), cast.ruth)
        with refused("swept_early"):
            run(cast, "DELETE FROM approvals_nonce")

    def test_deletes_old_notices_of_what_is_over(self, cast: Cast) -> None:
        card = opened(cast)
        told(cast)
        told(cast, card.id)
        with refused("swept_early"):
            run(cast, "DELETE FROM approvals_notice")
        assert later(cast) == 0
        run(cast, "UPDATE approvals_notice SET state = 'dropped'")
        assert commands.sweep(actor=cast.system) == 0
        assert later(cast) == 1
        commands.withdraw(actor=cast.omar, proposal_id=card.id, cause="over")
        assert later(cast) == 1
        assert rows(cast, "approvals_notice") == 0

    def test_is_done_by_pulse_in_every_tenant(
        self, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("console.kernel.tenancy._directory", [lambda: [cast.tenant_id]])
        told(cast)
        run(cast, "UPDATE approvals_notice SET state = 'dropped'")
        with clock.frozen(clock.now() + NOTICES_KEPT + timedelta(minutes=1)):
            assert pulse.run_once("approvals.sweep") == 1
