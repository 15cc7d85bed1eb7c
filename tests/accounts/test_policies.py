"""Rules of accounts as tables of cases; no database."""

import pytest

from console.accounts import policies
from console.accounts.errors import LastAdmin, ScopeRefused
from console.accounts.states import (
    NEVER_FOR_KEYS,
    PERMISSIONS_OF,
    SCOPES,
    ObjectKind,
    Permission,
    Role,
)
from console.kernel.errors import BadInput
from console.kernel.lines import is_plain_line


class TestPermissionsOf:
    @pytest.mark.parametrize(
        ("roles", "permission", "expected"),
        [
            ((), "runs.view", False),
            (("reviewer",), "approvals.vote", True),
            (("reviewer",), "controls.engage", False),
            (("operator",), "controls.engage", True),
            (("operator",), "approvals.vote", False),
            (("auditor",), "audit.export", True),
            (("auditor",), "runs.start", False),
            (("admin",), "accounts.manage", True),
            (("admin",), "approvals.vote", False),
            (("admin", "reviewer"), "approvals.vote", True),
        ],
    )
    def test_adds_roles_up(
        self, roles: tuple[str, ...], permission: str, *, expected: bool
    ) -> None:
        assert (permission in policies.permissions_of(roles)) is expected

    def test_every_role_has_a_row(self) -> None:
        assert set(PERMISSIONS_OF) == set(Role)

    def test_every_permission_is_given_by_some_role(self) -> None:
        lent = {Permission.APPROVALS_BREAK_GLASS}  # to one person for an hour, and never by a role
        given = {permission.value for permission in set(Permission) - lent}
        assert policies.permissions_of(Role) == given


class TestRequireScopes:
    @pytest.mark.parametrize("scope", sorted(NEVER_FOR_KEYS))
    def test_never_lets_a_machine_decide(self, scope: Permission) -> None:
        with pytest.raises(ScopeRefused, match=scope):
            policies.require_scopes(frozenset({scope}), held=frozenset(Permission))

    def test_refuses_what_the_maker_lacks(self) -> None:
        with pytest.raises(ScopeRefused, match=r"audit\.view"):
            policies.require_scopes(frozenset({"audit.view"}), held=frozenset({"runs.view"}))

    def test_takes_a_part_of_what_the_maker_has(self) -> None:
        policies.require_scopes(frozenset({"runs.view"}), held=frozenset(SCOPES))


class TestMayOnObject:
    @pytest.mark.parametrize(
        ("permission", "kind", "rights", "expected"),
        [
            ("controls.engage", ObjectKind.AGENT, ["operate_agent"], True),
            ("controls.release", ObjectKind.AGENT, ["operate_agent"], False),
            ("approvals.vote", ObjectKind.AGENT, ["operate_agent"], False),
            ("approvals.vote", ObjectKind.TOOL, ["review_tool"], True),
            ("approvals.vote", ObjectKind.TOOL, ["operate_agent"], False),
            ("approvals.vote", ObjectKind.TOOL, [], False),
            ("accounts.manage", ObjectKind.TOOL, ["review_tool"], False),
        ],
    )
    def test_answers_for_one_object(
        self, permission: str, kind: ObjectKind, rights: list[str], *, expected: bool
    ) -> None:
        assert policies.may_on_object(permission, kind, rights) is expected


class TestRequireAnAdminLeft:
    def test_refuses_the_last_one(self) -> None:
        with pytest.raises(LastAdmin):
            policies.require_an_admin_left(0)

        policies.require_an_admin_left(1)


class TestIsPlainLine:
    @pytest.mark.parametrize("text", ["Ruth", "Ines Müller", "李娜", "O'Neil, Dr.", "नूर"])
    def test_takes_names(self, text: str) -> None:
        assert is_plain_line(text)

    @pytest.mark.parametrize(
        "text",
        ["", "   ", "a\x00", "a\nb", "\u202eevil", "a\u200bb", "a\u2066b", "\ud800", "a\u2028b"],
    )
    def test_refuses_what_hides_or_reorders(self, text: str) -> None:
        assert not is_plain_line(text)


class TestRequireKeyDays:
    @pytest.mark.parametrize("days", [0, -1, 367, 10**9])
    def test_refuses_other_spans(self, days: int) -> None:
        with pytest.raises(BadInput):
            policies.require_key_days(days)


class TestBrowserName:
    @pytest.mark.parametrize(
        ("claim", "name"),
        [
            ("Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0 Safari/537.36", "Chrome on Linux"),
            ("Mozilla/5.0 (Windows NT 10.0) Chrome/156.0 Safari/537 Edg/156.0", "Edge on Windows"),
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 20 like Mac OS X) Safari/604", "Safari on iPhone"),
            ("curl/8.0", "curl"),
            ("", "Unknown browser"),
            ("<script>", "Unknown browser"),
        ],
    )
    def test_says_what_the_claim_sounds_like(self, claim: str, name: str) -> None:
        assert policies.browser_name(claim) == name
