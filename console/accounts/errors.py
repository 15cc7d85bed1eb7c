"""Refusals of accounts."""

from console.kernel.errors import ConsoleError, Refusal


class WrongCredentials(ConsoleError):
    """Address and password do not fit; the sentence never says which of them."""

    code = "sign_in.refused"
    kind = Refusal.INVALID

    def __init__(self) -> None:
        super().__init__("Address and password do not fit; check both and try again.")


class TooManyAttempts(ConsoleError):
    """Sign-in is locked for this account from this address, whether or not the account exists."""

    code = "sign_in.locked"
    kind = Refusal.THROTTLED

    def __init__(self, wait_s: int) -> None:
        minutes = max(1, -(-wait_s // 60))
        unit = "minute" if minutes == 1 else "minutes"
        super().__init__(
            f"Too many attempts from here; wait {minutes} {unit} and try again.",
            retry_after_s=wait_s,
        )


class NoMembership(ConsoleError):
    """The person belongs to no tenant, or not to the one that was asked for."""

    code = "membership.missing"
    kind = Refusal.FORBIDDEN


class LastAdmin(ConsoleError):
    """The change would leave the tenant without anybody who can undo it."""

    code = "membership.last_admin"
    kind = Refusal.CONFLICT


class NeedsAgreement(ConsoleError):
    """The change lets somebody decide more, and nobody agreed to it."""

    code = "membership.needs_two"
    kind = Refusal.FORBIDDEN

    def __init__(self) -> None:
        super().__init__(
            "Who may decide is not one person's to say; ask for it on the page of the person, so "
            "that two reviewers agree."
        )


class AlreadyThere(ConsoleError):
    """Something with this name is there already."""

    code = "accounts.duplicate"
    kind = Refusal.CONFLICT


class ScopeRefused(ConsoleError):
    """A service key may not carry this scope, or its maker does not have it."""

    code = "key.scope_refused"
    kind = Refusal.FORBIDDEN


class DemoOnly(ConsoleError):
    """One-click sign-in exists in the demo only."""

    code = "sign_in.demo_only"
    kind = Refusal.FORBIDDEN


class NotOurs(ConsoleError):
    """The account is not this tenant's alone."""

    code = "person.shared"
    kind = Refusal.CONFLICT


class StepUpRequired(ConsoleError):
    """The session proved too long ago who it is for what it asks now."""

    code = "stepup.required"
    kind = Refusal.FORBIDDEN

    def __init__(self, within_s: int) -> None:
        minutes = max(1, within_s // 60)
        unit = "minute" if minutes == 1 else "minutes"
        super().__init__(
            f"This needs a sign-in of the last {minutes} {unit}; confirm that it is you and "
            "send it again.",
            within_s=within_s,
        )


class WrongPassword(ConsoleError):
    """The password does not fit the account of the session that asks."""

    code = "stepup.refused"
    kind = Refusal.INVALID

    def __init__(self) -> None:
        sentence = "The password does not fit; check it and try again."
        super().__init__(sentence, fields={"password": [sentence]})


class PasskeyRefused(ConsoleError):
    """What a passkey signed is not what it should have signed, or not by that passkey."""

    code = "passkey.refused"
    kind = Refusal.FORBIDDEN


class NoPasskey(ConsoleError):
    """The person has no passkey to sign with."""

    code = "passkey.none"
    kind = Refusal.CONFLICT
