"""Leases of duties: one holder at a time, taken over only after they ran out."""

import threading
from uuid import uuid4

from django.db import connection

from console.kernel import pulse
from console.kernel.models import Lease


def rename_holder(name: str, *, lapsed: bool) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE kernel_lease SET holder = 'elsewhere:1', "
            "until = clock_timestamp() + make_interval(secs => %s) WHERE name = %s",
            [-1 if lapsed else 60, name],
        )


def a_duty(rounds: threading.Event | None = None) -> pulse.Duty:
    def run() -> int:
        if rounds:
            rounds.set()
        return 0

    return pulse.Duty(f"test.{uuid4()}", 0.01, run, leased=True)


class TestLease:
    def test_is_taken_and_renewed_by_its_holder(self) -> None:
        one = a_duty()
        assert pulse._take_lease(one)
        first = Lease.objects.get(name=one.name).until
        assert pulse._take_lease(one)
        assert Lease.objects.get(name=one.name).until > first

    def test_is_refused_while_another_holds_it(self) -> None:
        one = a_duty()
        pulse._take_lease(one)
        rename_holder(one.name, lapsed=False)
        assert not pulse._take_lease(one)

    def test_is_taken_over_once_it_ran_out(self) -> None:
        one = a_duty()
        pulse._take_lease(one)
        rename_holder(one.name, lapsed=True)
        assert pulse._take_lease(one)


class TestKeepDoing:
    def test_works_until_told_to_stop_and_gives_its_lease_up(self) -> None:
        stop, worked = threading.Event(), threading.Event()
        one = a_duty(worked)
        thread = threading.Thread(target=pulse._keep_doing, args=(one, stop))
        thread.start()
        assert worked.wait(10)
        stop.set()
        thread.join(10)
        assert not thread.is_alive()
        assert not Lease.objects.filter(name=one.name).exists()
