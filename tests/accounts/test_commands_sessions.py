"""Commands about one's own sessions and password."""

import pytest

from console.accounts import commands, queries
from console.kernel.errors import ConsoleError, NotFound
from tests.accounts.test_commands import at_once, is_open, open_session
from tests.accounts.trail import actions, events
from tests.cast import Cast


class TestOpenSession:
    def test_is_refused_to_strangers(self, cast: Cast) -> None:
        with pytest.raises(ConsoleError, match="not a member"):
            open_session(cast, "mallory")

    def test_records_address_but_no_secret(self, cast: Cast) -> None:
        key = open_session(cast, "ruth")

        event = events(cast)[-1]
        assert event["action"] == "session.started"
        assert key not in str(event)


class TestEndOwnSession:
    def test_ends_just_that_one(self, cast: Cast) -> None:
        here, there = open_session(cast, "ruth"), open_session(cast, "ruth")
        digest = queries.digest_of(there)
        listed = queries.own_sessions(actor=cast.ruth)
        assert len(listed) == 3  # the cast's own, and these two

        found = queries.presence(tenant_id=cast.tenant_id, session_key=there)
        assert found is not None
        mine = queries.own_sessions(actor=found.actor)
        commands.end_own_session(
            actor=cast.ruth, session_id=next(card.id for card in mine if card.here)
        )

        assert (is_open(cast, here), is_open(cast, there)) == (True, False)
        assert events(cast)[-1]["bind"]["digest"] == digest

    def test_is_no_way_to_end_a_colleagues(self, cast: Cast) -> None:
        key = open_session(cast, "ines")
        theirs = queries.own_sessions(actor=cast.ines)[0].id

        for stranger in (cast.ruth, cast.mallory):
            with pytest.raises(NotFound):
                commands.end_own_session(actor=stranger, session_id=theirs)
        assert is_open(cast, key)


class TestSignOutEverywhere:
    def test_covers_every_tenant(self, cast: Cast) -> None:
        commands.add_person(
            actor=cast.system, email=cast.email("mallory"), name="M", roles=["reviewer"]
        )
        here = open_session(cast, "mallory")
        there = open_session(cast, "mallory", tenant_id=cast.elsewhere.id)

        assert commands.sign_out_everywhere(actor=cast.mallory) == 3  # the cast's own is one

        assert not is_open(cast, here)
        assert queries.presence(tenant_id=cast.elsewhere.id, session_key=there) is None
        assert actions(cast, "session.") == ["session.started", "session.ended"]

    def test_two_at_once_end_each_session_once(self, cast: Cast) -> None:
        for _ in range(2):  # besides the cast's own
            open_session(cast, "ruth")

        at_once(*[lambda: commands.sign_out_everywhere(actor=cast.ruth)] * 3)

        assert actions(cast, "session.ended") == ["session.ended"] * 3


class TestChangePassword:
    def test_proves_the_old_one_and_ends_other_sessions(self, cast: Cast) -> None:
        other = open_session(cast, "ruth")
        member = cast.members["ruth"]

        commands.change_password(actor=cast.ruth, current=member.password, new="a fresh lever 99")

        assert not is_open(cast, other)
        commands.prove(actor=queries.DOOR, email=member.email, password="a fresh lever 99")
        assert "person.password_changed" in actions(cast)

    @pytest.mark.parametrize(
        ("current", "new", "code"),
        [("wrong", "a fresh lever 99", "sign_in.refused"), (None, "short", "invalid")],
    )
    def test_refuses(self, cast: Cast, current: str | None, new: str, code: str) -> None:
        member = cast.members["ruth"]

        with pytest.raises(ConsoleError) as refusal:
            commands.change_password(actor=cast.ruth, current=current or member.password, new=new)

        assert refusal.value.code == code
        commands.prove(actor=queries.DOOR, email=member.email, password=member.password)
