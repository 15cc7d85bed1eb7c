"""Addresses of accounts."""

from django.urls import path

from console.accounts.views import account, api_manual, door, keys, people, proofs

app_name = "accounts"
urlpatterns = [
    path("api/", api_manual.manual, name="api-manual"),
    path("api/openapi.yaml", api_manual.file, name="api-file"),
    path("sign-in/", door.sign_in, name="sign-in"),
    path("sign-in/tenant/", door.choose_tenant, name="choose-tenant"),
    path("sign-in/demo/", door.demo, name="demo-sign-in"),
    path("sign-out/", door.sign_out, name="sign-out"),
    path("account/sessions/", account.sessions, name="sessions"),
    path("account/sessions/end/", account.end_all_sessions, name="end-all-sessions"),
    path("account/sessions/<uuid:session_id>/end/", account.end_session, name="end-session"),
    path("account/password/", account.password, name="password"),
    path("account/step-up/", proofs.step_up, name="step-up"),
    path("account/passkeys/", proofs.passkeys, name="passkeys"),
    path(
        "account/passkeys/<uuid:passkey_id>/remove/", proofs.remove_passkey, name="remove-passkey"
    ),
    path("people/", people.people, name="people"),
    path("people/groups/", people.add_group, name="add-group"),
    path("people/<uuid:person_id>/", people.person, name="person"),
    path("people/<uuid:person_id>/grants/", people.grant, name="grant"),
    path("people/<uuid:person_id>/password/", people.reset_password, name="reset-password"),
    path("people/<uuid:person_id>/sessions/end/", people.end_sessions, name="end-sessions-of"),
    path("keys/", keys.keys, name="keys"),
    path("keys/<uuid:key_id>/revoke/", keys.revoke, name="revoke-key"),
]
