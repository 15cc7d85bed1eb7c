"""`/api/v1/me`, `/people`, `/keys`, `/sessions`."""

from datetime import datetime
from uuid import UUID

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from console.accounts import commands, queries
from console.accounts.assertions import PasskeyAnswer
from console.accounts.cards import NewPasskey
from console.accounts.middleware import site_of
from console.accounts.serializers import (
    ChangedOut,
    CreationOut,
    EndedOut,
    KeyIn,
    KeyOut,
    MeOut,
    NewKeyOut,
    NewPersonOut,
    NothingIn,
    PasskeyIn,
    PasskeyOut,
    PersonChangeIn,
    PersonIn,
    PersonOut,
    RequestOut,
    SessionOut,
    SignInProofOut,
    StepUpIn,
    StepUpPasskeyIn,
)
from console.accounts.states import Permission
from console.kernel.errors import NotAllowed
from console.kernel.rest import (
    PAGE_ASKS,
    PAGE_PARAMETERS,
    ApiView,
    actor_of,
    keyset,
    page,
    paged,
    take,
)


class Me(ApiView):
    """Who asks, and what they may."""

    permission = ""

    @extend_schema(operation_id="me", responses=MeOut)
    def get(self, request: Request) -> Response:
        actor = actor_of(request)
        values = {
            "tenant_id": actor.tenant_id,
            "kind": actor.kind,
            "id": actor.id,
            "label": actor.label,  # `name` in the answer
            "permissions": sorted(actor.permissions),
            "groups": sorted(actor.groups),
        }
        return Response(MeOut(values).data)


class People(ApiView):
    """The tenant's people. Adding one gives an initial password.

    Not behind an idempotency key: an answer with a secret is never stored.
    """

    permission = Permission.ACCOUNTS_MANAGE
    people_only = True
    asks = PAGE_ASKS
    repeatable = False

    @extend_schema(
        operation_id="people_list", parameters=PAGE_PARAMETERS, responses=paged(PersonOut)
    )
    def get(self, request: Request) -> Response:
        cards, following = keyset(
            request,
            lambda after, limit: queries.people(actor=actor_of(request), after=after, limit=limit),
            key=lambda card: (card.name, card.id),
            kinds=(str, UUID),
        )
        return page(PersonOut, cards, following)

    @extend_schema(operation_id="people_add", request=PersonIn, responses={201: NewPersonOut})
    def post(self, request: Request) -> Response:
        made = commands.admit_person(actor=actor_of(request), **take(PersonIn, request))
        return Response(NewPersonOut(made).data, status=201)


class OnePerson(ApiView):
    """One person of the tenant."""

    permission = Permission.ACCOUNTS_MANAGE
    people_only = True

    @extend_schema(operation_id="people_read", responses=PersonOut)
    def get(self, request: Request, person_id: UUID) -> Response:
        card = queries.person_card(actor=actor_of(request), person_id=person_id)
        return Response(PersonOut(card).data)

    @extend_schema(operation_id="people_change", request=PersonChangeIn, responses=ChangedOut)
    def put(self, request: Request, person_id: UUID) -> Response:
        changed = commands.change_person(
            actor=actor_of(request), person_id=person_id, **take(PersonChangeIn, request)
        )
        return Response(ChangedOut(changed).data)


class Keys(ApiView):
    """The tenant's service keys.

    Not behind an idempotency key: an answer with a secret is never stored.
    """

    permission = Permission.KEYS_MANAGE
    people_only = True
    asks = PAGE_ASKS
    repeatable = False

    @extend_schema(operation_id="keys_list", parameters=PAGE_PARAMETERS, responses=paged(KeyOut))
    def get(self, request: Request) -> Response:
        cards, following = keyset(
            request,
            lambda before, limit: queries.service_keys(
                actor=actor_of(request), before=before, limit=limit
            ),
            key=lambda card: (card.created_at, card.id),
            kinds=(datetime, UUID),
        )
        return page(KeyOut, cards, following)

    @extend_schema(operation_id="keys_create", request=KeyIn, responses={201: NewKeyOut})
    def post(self, request: Request) -> Response:
        made = commands.create_key(actor=actor_of(request), **take(KeyIn, request))
        return Response(NewKeyOut(made).data, status=201)


class OneKey(ApiView):
    """One service key."""

    permission = Permission.KEYS_MANAGE
    people_only = True

    @extend_schema(operation_id="keys_revoke", responses={204: None})
    def delete(self, request: Request, key_id: UUID) -> Response:
        commands.revoke_key(actor=actor_of(request), key_id=key_id)
        return Response(status=204)


class Sessions(ApiView):
    """The sessions of the person who asks.

    Not behind an idempotency key: ending them all spans tenants, one transaction each.
    """

    permission = ""
    people_only = True
    asks = PAGE_ASKS
    repeatable = False

    @extend_schema(
        operation_id="sessions_list", parameters=PAGE_PARAMETERS, responses=paged(SessionOut)
    )
    def get(self, request: Request) -> Response:
        if not actor_of(request).is_person:
            raise NotAllowed("Only a person has sessions.")
        cards, following = keyset(
            request,
            lambda before, limit: queries.own_sessions(
                actor=actor_of(request), before=before, limit=limit
            ),
            key=lambda card: (card.created_at, card.id),
            kinds=(datetime, UUID),
        )
        return page(SessionOut, cards, following)

    @extend_schema(operation_id="sessions_end_all", responses=EndedOut)
    def delete(self, request: Request) -> Response:
        ended = commands.sign_out_everywhere(actor=actor_of(request))
        return Response(EndedOut({"ended": ended}).data)


class OneSession(ApiView):
    """One session of the person who asks."""

    permission = ""
    people_only = True

    @extend_schema(operation_id="sessions_end", responses={204: None})
    def delete(self, request: Request, session_id: UUID) -> Response:
        commands.end_own_session(actor=actor_of(request), session_id=session_id)
        return Response(status=204)


class StepUp(ApiView):
    """Proving once more who one is. Wrong passwords are counted with those of the sign-in.

    Several transactions, hence no idempotency key: a wrong answer has to stay counted.
    """

    permission = ""
    people_only = True
    repeatable = False

    @extend_schema(operation_id="step_up", request=StepUpIn, responses=SignInProofOut)
    def post(self, request: Request) -> Response:
        proof = commands.step_up(actor=actor_of(request), **take(StepUpIn, request))
        return Response(SignInProofOut(proof).data)


class StepUpChallenges(ApiView):
    """What a passkey of the person who asks has to sign to step up; good once, for two minutes.

    Not behind an idempotency key: an answer that is good once is not given twice.
    """

    permission = ""
    people_only = True
    repeatable = False

    @extend_schema(operation_id="step_up_challenge", request=None, responses={201: RequestOut})
    def post(self, request: Request) -> Response:
        take(NothingIn, request)
        options = commands.challenge_step_up(actor=actor_of(request), site=site_of(request))
        return Response(RequestOut({"options": options}).data, status=201)


class StepUpByPasskey(ApiView):
    """Proving once more who one is, by what a passkey signed.

    Not behind an idempotency key: what was signed counts once, and a wrong answer stays counted.
    """

    permission = ""
    people_only = True
    repeatable = False

    @extend_schema(
        operation_id="step_up_by_passkey", request=StepUpPasskeyIn, responses=SignInProofOut
    )
    def post(self, request: Request) -> Response:
        answer = PasskeyAnswer(**take(StepUpPasskeyIn, request))
        proof = commands.step_up_by_passkey(
            actor=actor_of(request), answer=answer, site=site_of(request)
        )
        return Response(SignInProofOut(proof).data)


class PasskeyChallenges(ApiView):
    """What a browser needs to make a passkey for the person who asks; good for two minutes.

    Not behind an idempotency key: an answer that is good once is not given twice.
    """

    permission = ""
    people_only = True
    repeatable = False

    @extend_schema(operation_id="passkeys_challenge", request=None, responses={201: CreationOut})
    def post(self, request: Request) -> Response:
        take(NothingIn, request)
        options = commands.challenge_passkey(actor=actor_of(request), site=site_of(request))
        return Response(CreationOut({"options": options}).data, status=201)


class Passkeys(ApiView):
    """The passkeys of the person who asks. A new one needs a sign-in of the last five minutes.

    Not behind an idempotency key: a new one answers a challenge, which counts once.
    """

    permission = ""
    people_only = True
    repeatable = False

    @extend_schema(operation_id="passkeys_list", responses=PasskeyOut(many=True))
    def get(self, request: Request) -> Response:
        return Response(PasskeyOut(queries.passkeys(actor=actor_of(request)), many=True).data)

    @extend_schema(operation_id="passkeys_add", request=PasskeyIn, responses={201: PasskeyOut})
    def post(self, request: Request) -> Response:
        values = take(PasskeyIn, request)
        name = values.pop("name")
        values["transports"] = tuple(values["transports"])
        card = commands.add_passkey(
            actor=actor_of(request), name=name, made=NewPasskey(**values), site=site_of(request)
        )
        return Response(PasskeyOut(card).data, status=201)


class OnePasskey(ApiView):
    """One passkey of the person who asks."""

    permission = ""
    people_only = True

    @extend_schema(operation_id="passkeys_remove", responses={204: None})
    def delete(self, request: Request, passkey_id: UUID) -> Response:
        commands.remove_passkey(actor=actor_of(request), passkey_id=passkey_id)
        return Response(status=204)


urlpatterns = [
    path("me", Me.as_view()),
    path("people", People.as_view()),
    path("people/<uuid:person_id>", OnePerson.as_view()),
    path("keys", Keys.as_view()),
    path("keys/<uuid:key_id>", OneKey.as_view()),
    path("step-up", StepUp.as_view()),
    path("step-up/challenges", StepUpChallenges.as_view()),
    path("step-up/passkey", StepUpByPasskey.as_view()),
    path("passkeys", Passkeys.as_view()),
    path("passkeys/challenges", PasskeyChallenges.as_view()),
    path("passkeys/<uuid:passkey_id>", OnePasskey.as_view()),
    path("sessions", Sessions.as_view()),
    path("sessions/<uuid:session_id>", OneSession.as_view()),
]
