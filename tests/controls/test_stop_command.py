import io
import os

import pytest
from django.core.management import CommandError, call_command

from agents.controls import queries
from agents.controls.states import ScopeKind
from tests.cast import Cast
from tests.controls.conftest import recorded


def stop(*args: str) -> str:
    out = io.StringIO()
    call_command("stop", *args, stdout=out)
    return out.getvalue()


class TestStopCommand:
    def test_stops_and_says_switch_epoch_and_what_is_confirmed(self, cast: Cast) -> None:
        said = stop(
            "agent:refunds", "--reason", "Web is down.", "--tenant", cast.tenant.slug, "--wait", "0"
        )

        (card,) = queries.active(actor=cast.omar)
        assert card.scope.kind is ScopeKind.AGENT
        assert card.engaged_by.startswith("manage.py stop by ")
        assert str(card.id) in said
        assert f"epoch          {card.epoch}" in said
        assert "processes" in said
        (event,) = recorded(cast.tenant_id, "switch.engaged")
        assert event["reason"] == "Web is down."
        assert event["via"][0]["kind"] == "shell"

    def test_works_with_redis_down(
        self, cast: Cast, settings: object, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(os.environ, "REDIS_URL", "redis://127.0.0.1:1/0")
        settings.REDIS_URL = "redis://127.0.0.1:1/0"  # type: ignore[attr-defined]

        stop("tenant", "--reason", "Redis is down.", "--tenant", cast.tenant.slug, "--wait", "0")

        assert len(queries.active(actor=cast.omar)) == 1

    @pytest.mark.parametrize(
        ("scope", "says"),
        [
            ("everything", "stop.scope_invalid"),
            ("agent:", "stop.scope_invalid"),
            ("run:1", "stop.scope_invalid"),
            ("tenant:x", "stop.scope_invalid"),
        ],
    )
    def test_refuses_a_bad_scope_with_one_sentence(self, cast: Cast, scope: str, says: str) -> None:
        with pytest.raises(CommandError, match=says):
            stop(scope, "--reason", "Why.", "--tenant", cast.tenant.slug)

        assert queries.active(actor=cast.omar) == ()

    def test_asks_which_tenant_when_there_are_several(self, cast: Cast) -> None:
        with pytest.raises(CommandError, match="--tenant"):
            stop("tenant", "--reason", "Why.")

    def test_refuses_a_second_stop_and_an_empty_reason(self, cast: Cast) -> None:
        stop("tenant", "--reason", "Why.", "--tenant", cast.tenant.slug, "--wait", "0")

        with pytest.raises(CommandError, match="already"):
            stop("tenant", "--reason", "Again.", "--tenant", cast.tenant.slug)
        with pytest.raises(CommandError, match="reason"):
            stop("agent:a", "--reason", " ", "--tenant", cast.tenant.slug)

    def test_cannot_release(self) -> None:
        with pytest.raises(CommandError, match="unrecognized arguments"):
            stop("tenant", "--reason", "Why.", "--release")
