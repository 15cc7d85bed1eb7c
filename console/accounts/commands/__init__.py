"""Writes of accounts: people and groups, rights on objects, service keys, sign-in and sessions."""

from console.accounts.commands.consequences import when_people_change
from console.accounts.commands.entrusting import (
    admit_person,
    change_person,
    entrust,
    give_right,
)
from console.accounts.commands.grants import give_grant, take_grant
from console.accounts.commands.keys import create_key, note_key_use, revoke_key
from console.accounts.commands.locking import lock_people
from console.accounts.commands.passkey_proofs import challenge_step_up, step_up_by_passkey
from console.accounts.commands.passkeys import (
    add_passkey,
    challenge_passkey,
    remove_passkey,
    use_passkey,
)
from console.accounts.commands.passwords import change_password, reset_password
from console.accounts.commands.people import (
    add_person,
    create_group,
    create_tenant,
    set_membership,
)
from console.accounts.commands.proofs import renew_proof, step_up
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
    "add_passkey",
    "add_person",
    "admit_person",
    "challenge_passkey",
    "challenge_step_up",
    "change_password",
    "change_person",
    "create_group",
    "create_key",
    "create_tenant",
    "end_own_session",
    "end_sessions_of",
    "entrust",
    "give_grant",
    "give_right",
    "lock_people",
    "note_key_use",
    "note_refusals",
    "note_seen",
    "open_session",
    "prove",
    "remove_passkey",
    "renew_proof",
    "reset_password",
    "revoke_key",
    "set_membership",
    "sign_out",
    "sign_out_everywhere",
    "step_up",
    "step_up_by_passkey",
    "sweep",
    "take_grant",
    "use_passkey",
    "when_people_change",
]
