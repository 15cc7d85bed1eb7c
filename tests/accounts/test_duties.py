"""What pulse does for accounts; twice is as good as once."""

from datetime import timedelta

from console.accounts import duties
from console.kernel import clock, tenancy
from console.kernel.ids import uuid7
from console.kernel.models import IdempotencyKey
from tests.cast import Cast


class TestForgetAnswers:
    def test_deletes_what_is_over_a_day_old(self, cast: Cast) -> None:
        with tenancy.scope(cast.tenant_id):
            for age in (timedelta(hours=25), timedelta(hours=23)):
                row = IdempotencyKey.objects.create(
                    tenant_id=cast.tenant_id,
                    actor="x",
                    key=uuid7().hex,
                    route="r",
                    body_digest=b"0",
                )
                IdempotencyKey.objects.filter(pk=row.pk).update(created_at=clock.now() - age)

        assert duties.forget_answers() >= 1
        assert duties.forget_answers() == 0

        with tenancy.scope(cast.tenant_id, read_only=True):
            assert IdempotencyKey.objects.filter(tenant_id=cast.tenant_id).count() == 1


class TestSweep:
    def test_can_be_done_twice(self) -> None:
        duties.sweep()
        duties.sweep()
