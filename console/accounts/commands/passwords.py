"""Passwords: a person's own change, and a new initial one from an administrator."""

from dataclasses import replace
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from audit.commands import record
from console.accounts import consent, events, queries
from console.accounts.cards import NewPerson
from console.accounts.commands.entrusting import take_say
from console.accounts.commands.locking import lock_people
from console.accounts.commands.people import new_password
from console.accounts.commands.sessions import end_sessions, sign_out_everywhere
from console.accounts.commands.sign_in import prove
from console.accounts.errors import NotOurs
from console.accounts.models import NAME_LENGTH, Person
from console.accounts.states import Permission
from console.kernel import clock
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

    Whoever sets it could sign in with it and decide as that person. So what the person may decide
    is taken away with it, at once, and two people are asked to give it back. Other roles stay: an
    administrator is not locked out by this, and a tenant that is still founding asks nobody.

    Raises:
        NotFound: no such person here.
        NotOurs: the account belongs to other tenants too; an administrator of one of them must
            not be able to enter the others with it.
    """
    queries.require(actor, Permission.ACCOUNTS_MANAGE)
    queries.person_card(actor=actor, person_id=person_id)
    if queries.belongs_elsewhere(actor=actor, person_id=person_id):
        raise NotOurs(
            "This account belongs to other organisations too; its owner has to change the password."
        )
    lock_people(actor)
    asked = consent.waiting(actor=actor, person_id=person_id)
    password = new_password()
    Person.objects.filter(pk=person_id).update(
        password=make_password(password),
        password_set_by=actor.label[:NAME_LENGTH],
        password_set_at=clock.now(),
    )
    record(events.PasswordReset(person_id=person_id), actor=actor)
    end_sessions(actor=actor, person_id=person_id, cause="password")
    lost = take_say(actor=actor, person_id=person_id)
    if asked is not None:  # whoever agreed to that did not know of this
        lost = lost.joined(asked.gain)
    waiting = consent.ask(actor=actor, person_id=person_id, gain=lost) if lost else None
    person = queries.person_card(actor=actor, person_id=person_id)
    return NewPerson(person=person, password=password, waiting=waiting)
