"""When a notice leaves: digests, quiet hours, and how long to wait after a failure."""

from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from approvals.cards import NoticeSettingCard
from approvals.states import Digest

MOST_ATTEMPTS: Final = 8  # with the waits below about four hours
_FIRST_WAIT_S: Final = 15.0
_LONGEST_WAIT_S: Final = 3600.0
_DAILY_AT: Final = time(8)  # in the person's zone


def leaves_at(
    setting: NoticeSettingCard, *, at: datetime, decide_by: datetime | None, urgent: bool
) -> datetime:
    """Return when to tell somebody, at `at` or later.

    A digest that would come after the deadline is no use, so that notice leaves by itself. Quiet
    hours hold back everything but what is urgent, deadlines too: others are asked meanwhile.
    """
    if urgent:
        return at
    due = _digest_at(setting, at)
    if decide_by is not None and due >= decide_by:
        due = at
    return quiet_until(setting, at=due) or due


def quiet_until(setting: NoticeSettingCard, *, at: datetime) -> datetime | None:
    """Return when the quiet hours that hold at `at` end, or None if none do.

    They are hours of the wall clock: a night with a change of the clock is longer or shorter, and
    a time that a night skips is moved forward by as much as it skips.
    """
    begin, end = setting.quiet_from, setting.quiet_until
    if begin is None or end is None or begin == end:
        return None
    zone = ZoneInfo(setting.zone)
    local = at.astimezone(zone)
    for day in (local.date() - timedelta(days=1), local.date()):
        last = day if begin < end else day + timedelta(days=1)
        # Compared in UTC: two times of one zone are compared by their hands.
        starts = datetime.combine(day, begin, zone).astimezone(UTC)
        ends = datetime.combine(last, end, zone).astimezone(UTC)
        if starts <= at < ends:
            return ends
    return None


def wait_s(attempts: int, *, spread: float) -> float:
    """Return the seconds to wait after so many failures, each time four times as long.

    Args:
        spread: 0 to 1; half of the wait is scattered, so that what failed together does not come
            back together.
    """
    most = min(_FIRST_WAIT_S * 4.0 ** (attempts - 1), _LONGEST_WAIT_S)
    return most * (0.5 + spread / 2)


def _digest_at(setting: NoticeSettingCard, at: datetime) -> datetime:
    local = at.astimezone(ZoneInfo(setting.zone))
    match setting.digest:
        case Digest.INSTANT:
            return at
        case Digest.HOURLY:
            begun = local.replace(minute=0, second=0, microsecond=0)
            return at + timedelta(hours=1) - (local - begun)
        case Digest.DAILY:
            day = local.date() if local.time() < _DAILY_AT else local.date() + timedelta(days=1)
            return datetime.combine(day, _DAILY_AT, local.tzinfo).astimezone(UTC)
