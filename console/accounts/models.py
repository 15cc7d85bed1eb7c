"""Tables of accounts. People and tenants are shared; what binds them is under row security."""

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from guardian.models import UserObjectPermissionAbstract
from typing_extensions import override

from console.accounts.states import SCOPES, ChallengeFor, Role, Strength
from console.kernel.ids import uuid7
from console.kernel.models import DatabaseNow, TenantRow

NAME_LENGTH = 120
EMAIL_LENGTH = 254  # RFC 5321, section 4.5.3.1.3, less the angle brackets


class Tenant(models.Model):
    """An organisation; the directory of them is shared."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    slug = models.SlugField(max_length=63, unique=True)
    name = models.CharField(max_length=120)
    created_at = models.DateTimeField(db_default=DatabaseNow())


class PersonManager(BaseUserManager["Person"]):
    """Looks people up by address, which is stored in lower case."""

    @override
    def get_by_natural_key(self, username: str | None) -> "Person":
        return self.get(email=(username or "").lower())


class Person(AbstractBaseUser):
    """A human being with an address and a password; belongs to tenants by memberships.

    There is no superuser: rights come from memberships and from rights on single objects only.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.CharField(max_length=EMAIL_LENGTH, unique=True)
    name = models.CharField(max_length=NAME_LENGTH)
    is_active = models.BooleanField(default=True)
    last_login = None  # sessions say that, with address and browser
    # Who else last set the password, and could sign in with it; an own change does not clear it,
    # because whoever signed in with that password can make one.
    password_set_by = models.CharField(max_length=NAME_LENGTH, db_default="")
    password_set_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=DatabaseNow())

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]
    is_superuser = False
    is_staff = False

    objects = PersonManager()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(email=Lower("email")), name="person_email_is_lower")
        ]


class Membership(TenantRow):
    """What one person is in one tenant; never deleted, so that the trail keeps its names."""

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="memberships")
    roles = ArrayField(models.CharField(max_length=16))
    active = models.BooleanField(default=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["tenant_id", "person"], name="membership_once"),
            models.CheckConstraint(
                condition=Q(roles__contained_by=[role.value for role in Role]),
                name="membership_roles_known",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["person"], name="membership_person")
        ]


class ReviewGroup(TenantRow):
    """People who can fill the same slot of a requirement, for instance `finance`."""

    slug = models.SlugField(max_length=63)
    title = models.CharField(max_length=120)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["tenant_id", "slug"], name="group_slug_once")
        ]


class GroupMember(TenantRow):
    """One person in one review group."""

    group = models.ForeignKey(ReviewGroup, on_delete=models.PROTECT, related_name="members")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["group", "person"], name="group_member_once")
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["tenant_id", "person"], name="group_member_person")
        ]


class ObjectGrant(UserObjectPermissionAbstract):
    """guardian's right of one person on one object, under row-level security like everything else.

    guardian's own table has no tenant; this one takes its place (GUARDIAN_USER_OBJ_PERMS_MODEL).
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant_id = models.UUIDField(editable=False)
    created_at = models.DateTimeField(db_default=DatabaseNow())

    class Meta(UserObjectPermissionAbstract.Meta):
        abstract = False
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["user", "content_type", "object_pk"], name="grant_user_object")
        ]


class ServiceKey(TenantRow):
    """A program's way in: only the SHA-256 of the secret is kept."""

    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=12)
    key_hash = models.BinaryField(max_length=32, unique=True)
    scopes = ArrayField(models.CharField(max_length=32))
    issued_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(scopes__contained_by=[scope.value for scope in SCOPES]),
                name="key_scopes_known",
            ),
            models.UniqueConstraint(
                fields=["tenant_id", "name"],
                condition=Q(revoked_at__isnull=True),
                name="key_name_once",
            ),
        ]


class KeyUse(TenantRow):
    """When a key was last used, to the minute; apart, so that the key itself stays governed."""

    key = models.OneToOneField(ServiceKey, on_delete=models.PROTECT, related_name="use")
    used_at = models.DateTimeField()


class SessionRecord(models.Model):
    """One sign-in of one person to one tenant; looked up by digest before the tenant is known."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    digest = models.CharField(max_length=64, unique=True)  # SHA-256 of the session key, hex
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+")
    address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=200)
    created_at = models.DateTimeField(db_default=DatabaseNow())
    seen_at = models.DateTimeField(db_default=DatabaseNow())
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    proved_at = models.DateTimeField(db_default=DatabaseNow())  # who it is, by password or passkey
    proved_by = models.CharField(max_length=12, db_default="password")

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(proved_by__in=[strength.value for strength in Strength]),
                name="session_proved_by_known",
            )
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["person", "tenant"],
                condition=Q(ended_at__isnull=True),
                name="session_open_of_person",
            )
        ]


class Passkey(TenantRow):
    """A person's public key for signing votes; the private one never leaves their device."""

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=80)
    credential_id = models.BinaryField(max_length=1023)  # WebAuthn level 3, section 5.1
    public_key = models.BinaryField(max_length=2048)  # COSE, RFC 9052
    sign_count = models.BigIntegerField()
    transports = ArrayField(models.CharField(max_length=16), default=list)
    used_at = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["tenant_id", "credential_id"], name="passkey_once"),
            models.UniqueConstraint(
                fields=["tenant_id", "person", "name"],
                condition=Q(removed_at__isnull=True),
                name="passkey_name_once",
            ),
        ]


class PasskeyChallenge(TenantRow):
    """What a passkey has to sign: random, for one session and purpose, once, for two minutes."""

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    session = models.CharField(max_length=64)
    purpose = models.CharField(max_length=12, db_default="add")
    challenge = models.BinaryField(max_length=32, unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(purpose__in=[purpose.value for purpose in ChallengeFor]),
                name="challenge_purpose_known",
            )
        ]


class SignInAttempt(models.Model):
    """Wrong answers under one bucket: the digest of account and address, or of the address."""

    bucket = models.BinaryField(primary_key=True, max_length=32)
    failures = models.PositiveIntegerField()
    window_ends_at = models.DateTimeField()


class RefusedSignIn(models.Model):
    """A refused sign-in on its way to the trail; written for unknown accounts too.

    Recording it at once would take longer for an account that exists, and so tell that it does.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, null=True, on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey(Person, null=True, on_delete=models.PROTECT, related_name="+")
    code = models.CharField(max_length=40)
    address = models.CharField(max_length=45)
    request = models.CharField(max_length=64)
    created_at = models.DateTimeField(db_default=DatabaseNow())
