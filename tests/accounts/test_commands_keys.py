"""Commands about service keys: what they carry, who makes them, how they end."""

import pytest
from django.db import DatabaseError

from console.accounts import commands, queries
from console.accounts.errors import AlreadyThere, ScopeRefused
from console.accounts.models import ServiceKey
from console.kernel import tenancy
from console.kernel.errors import NotAllowed, NotFound
from tests.accounts.trail import actions, events
from tests.cast import Cast


class TestCreateKey:
    def test_keeps_only_a_hash(self, cast: Cast) -> None:
        made = commands.create_key(actor=cast.noor, name="ci", scopes=["runs.view"], days=7)

        assert made.secret.startswith("sb_")
        with tenancy.scope(cast.tenant_id, read_only=True):
            row = ServiceKey.objects.get(pk=made.key.id)
        assert made.secret.encode() not in bytes(row.key_hash)
        assert made.secret not in str(events(cast))
        actor = queries.actor_of_key(secret=made.secret)
        assert actor is not None
        assert actor.permissions == frozenset({"runs.view"})
        assert actor.via[0].id == cast.noor.id

    @pytest.mark.parametrize("scope", ["approvals.vote", "controls.engage", "accounts.manage"])
    def test_never_carries_decisions(self, cast: Cast, scope: str) -> None:
        with pytest.raises(ScopeRefused):
            commands.create_key(actor=cast.noor, name="ci", scopes=[scope], days=7)

    def test_the_database_refuses_such_a_row_too(self, cast: Cast) -> None:
        made = commands.create_key(actor=cast.noor, name="ci", scopes=["runs.view"], days=7)

        with pytest.raises(DatabaseError), tenancy.scope(cast.tenant_id):
            ServiceKey.objects.filter(pk=made.key.id).update(scopes=["approvals.vote"])

    def test_refuses_a_name_in_use_and_gives_it_back_after_revoking(self, cast: Cast) -> None:
        made = commands.create_key(actor=cast.noor, name="ci", scopes=["runs.view"], days=7)

        with pytest.raises(AlreadyThere):
            commands.create_key(actor=cast.noor, name="ci", scopes=["runs.view"], days=7)
        commands.revoke_key(actor=cast.noor, key_id=made.key.id)
        commands.create_key(actor=cast.noor, name="ci", scopes=["runs.view"], days=7)

    def test_a_key_makes_no_keys(self, cast: Cast) -> None:
        made = commands.create_key(actor=cast.noor, name="ci", scopes=["runs.view"], days=7)
        key = queries.actor_of_key(secret=made.secret)

        assert key is not None
        with pytest.raises(NotAllowed):
            commands.create_key(actor=key, name="more", scopes=["runs.view"], days=7)


class TestRevokeKey:
    def test_works_once_and_at_once(self, cast: Cast) -> None:
        made = commands.create_key(actor=cast.noor, name="ci", scopes=["runs.view"], days=7)

        assert commands.revoke_key(actor=cast.noor, key_id=made.key.id)
        assert not commands.revoke_key(actor=cast.noor, key_id=made.key.id)
        assert queries.actor_of_key(secret=made.secret) is None
        assert actions(cast, "key.") == ["key.created", "key.revoked"]

    def test_does_not_know_another_tenants_key(self, cast: Cast) -> None:
        made = commands.create_key(actor=cast.noor, name="ci", scopes=["runs.view"], days=7)

        with pytest.raises(NotFound):
            commands.revoke_key(actor=cast.mallory, key_id=made.key.id)


class TestNoteKeyUse:
    def test_notes_the_minute_only_once(self, cast: Cast) -> None:
        made = commands.create_key(actor=cast.noor, name="ci", scopes=["runs.view"], days=7)
        key = queries.actor_of_key(secret=made.secret)
        assert key is not None

        commands.note_key_use(actor=key)
        first = queries.service_keys(actor=cast.noor)[0].used_at
        commands.note_key_use(actor=key)

        assert first is not None
        assert queries.service_keys(actor=cast.noor)[0].used_at == first
