"""System checks of accounts."""

from django.conf import settings
from django.core import checks

WEAK = {"MD5PasswordHasher", "SHA1PasswordHasher", "UnsaltedMD5PasswordHasher"}


@checks.register(checks.Tags.security)
def passwords_are_hashed_slowly(**_scope: object) -> list[checks.CheckMessage]:
    """Refuse a hasher that a stolen table would not survive."""
    names = {path.rpartition(".")[2] for path in settings.PASSWORD_HASHERS}
    if not names & WEAK:
        return []
    hint = "Put Argon2PasswordHasher first in PASSWORD_HASHERS."
    return [
        checks.Error("Passwords are hashed with a fast function.", hint=hint, id="accounts.E001")
    ]


@checks.register(checks.Tags.security, deploy=True)
def session_cookie_is_secure(**_scope: object) -> list[checks.CheckMessage]:
    if settings.SESSION_COOKIE_SECURE and settings.CSRF_COOKIE_SECURE:
        return []
    hint = "Set SIGNALBOX_BEHIND_TLS=1 once a proxy speaks HTTPS for you."
    return [checks.Warning("Session cookies travel without TLS.", hint=hint, id="accounts.W002")]
