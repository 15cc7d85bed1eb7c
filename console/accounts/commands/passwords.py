"""Passwords: a person's own change, and a new initial one from an administrator."""

from dataclasses import replace
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from audit.commands import record
from console.accounts import events, queries
from console.accounts.cards import NewPerson
from console.accounts.commands.people import new_password
from console.accounts.commands.sessions import end_sessions, sign_out_everywhere
from console.accounts.commands.sign_in import prove
from console.accounts.errors import NotOurs
from console.accounts.models import Person
from console.accounts.states import Permission
from console.kernel.actors import Actor
from console.kernel.errors import BadInput
from console.kernel.transactions import command


def change_password(*, actor: Actor, current: str, new: str) -> None:
    """Set the person's own password and end their other sessions, in every tenant.

    Knowing the current one is proved like a sign-in: counted, and locked after five wrong answers.

    Raises:
        WrongCredentials, TooManyAttempts: the current password is wrong.
        BadInput: the new one is too weak.
    """
    email = queries.person_card(actor=actor, person_id=UUID(actor.id)).email
    prove(actor=replace(queries.DOOR, address=actor.address), email=email, password=current)
    try:
        validate_password(new)
    except ValidationError as error:
        raise BadInput(error.messages[0], fields={"new": error.messages}) from error
    _store_own(actor=actor, password_hash=make_password(new))
    sign_out_everywhere(actor=actor, keep=actor.session, cause="password")


@command
def _store_own(*, actor: Actor, password_hash: str) -> None:
    Person.objects.filter(pk=UUID(actor.id)).update(password=password_hash)
    record(events.PasswordChanged(person_id=UUID(actor.id)), actor=actor)


@command
def reset_password(*, actor: Actor, person_id: UUID) -> NewPerson:
    """Give a member of this tenant alone a new initial password, shown once; end their sessions.

    Raises:
        NotFound: no such person here.
        NotOurs: the account belongs to other tenants too; an administrator of one of them must
            not be able to enter the others with it.
    """
    queries.require(actor, Permission.ACCOUNTS_MANAGE)
    person = queries.person_card(actor=actor, person_id=person_id)
    if queries.belongs_elsewhere(actor=actor, person_id=person_id):
        raise NotOurs(
            "This account belongs to other organisations too; its owner has to change the password."
        )
    password = new_password()
    Person.objects.filter(pk=person_id).update(password=make_password(password))
    record(events.PasswordReset(person_id=person_id), actor=actor)
    end_sessions(actor=actor, person_id=person_id, cause="password")
    return NewPerson(person=person, password=password)
