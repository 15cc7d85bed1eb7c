"""Writes of accounts: people and groups, rights on objects, service keys, sign-in and sessions."""

from console.accounts.commands.grants import give_grant, take_grant
from console.accounts.commands.keys import create_key, note_key_use, revoke_key
from console.accounts.commands.passwords import change_password, reset_password
from console.accounts.commands.people import (
    add_person,
    create_group,
    create_tenant,
    set_membership,
)
from console.accounts.commands.sessions import (
    end_own_session,
    end_sessions_of,
    note_seen,
    open_session,
    sign_out,
    sign_out_everywhere,
    sweep,
)
from console.accounts.commands.sign_in import note_refusals, prove

__all__ = [
    "add_person",
    "change_password",
    "create_group",
    "create_key",
    "create_tenant",
    "end_own_session",
    "end_sessions_of",
    "give_grant",
    "note_key_use",
    "note_refusals",
    "note_seen",
    "open_session",
    "prove",
    "reset_password",
    "revoke_key",
    "set_membership",
    "sign_out",
    "sign_out_everywhere",
    "sweep",
    "take_grant",
]
