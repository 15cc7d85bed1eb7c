"""Where notices go, how people want to be told, and one row for every delivery."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from approvals.cards import NoticeSettingCard
from approvals.models.columns import words
from approvals.states import ChannelKind, Digest, NoticeReason, NoticeState
from console.kernel.models import TenantRow

CHANNEL_TITLE_LENGTH = 80

SHOWN_LENGTH = 200


class Channel(TenantRow):
    """A way out. The one e-mail channel without an address is mail to people themselves."""

    kind = models.CharField(max_length=8)
    title = models.CharField(max_length=CHANNEL_TITLE_LENGTH)
    shown = models.CharField(max_length=SHOWN_LENGTH)  # what is no secret of the address
    sealed = models.BinaryField(null=True)  # address and secret, encrypted
    group = models.CharField(max_length=63)  # slug; "" for every group
    asks = models.BooleanField()
    outcomes = models.BooleanField()
    titles = models.BooleanField(default=False)  # whether a proposal's title may go out
    active = models.BooleanField(default=True)
    made_by = models.ForeignKey("accounts.Person", models.PROTECT, related_name="+")

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=words("kind", ChannelKind), name="channel_kind_known"),
            models.CheckConstraint(
                condition=Q(kind=ChannelKind.EMAIL.value) | Q(sealed__isnull=False),
                name="channel_has_address",
            ),
            models.UniqueConstraint(fields=["tenant_id", "title"], name="channel_title_once"),
            models.UniqueConstraint(
                fields=["tenant_id"], condition=Q(sealed__isnull=True), name="channel_own_mail_once"
            ),
            models.UniqueConstraint(fields=["tenant_id", "id"], name="channel_of_tenant"),
        ]


class NoticeSetting(TenantRow):
    """How a person wants to be told; without a row, at once and by mail."""

    person = models.ForeignKey("accounts.Person", models.PROTECT, related_name="+")
    email = models.BooleanField()
    digest = models.CharField(max_length=8)
    quiet_from = models.TimeField(null=True)
    quiet_until = models.TimeField(null=True)
    zone = models.CharField(max_length=64)
    automatic = models.BooleanField()

    class Meta:
        db_table = "approvals_notice_setting"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["tenant_id", "person"], name="notice_setting_once"),
            models.CheckConstraint(condition=words("digest", Digest), name="notice_digest_known"),
            models.CheckConstraint(
                condition=Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | Q(quiet_from__isnull=False, quiet_until__isnull=False),
                name="notice_quiet_from_and_until",
            ),
        ]

    def card(self) -> NoticeSettingCard:
        return NoticeSettingCard(
            email=self.email,
            digest=Digest(self.digest),
            quiet_from=self.quiet_from,
            quiet_until=self.quiet_until,
            zone=self.zone,
            automatic=self.automatic,
        )


class Notice(TenantRow):
    """One thing to tell one person or channel; it is told once, however often it is asked for."""

    person = models.ForeignKey("accounts.Person", models.PROTECT, null=True, related_name="+")
    channel = models.ForeignKey(
        "Channel", models.PROTECT, null=True, db_constraint=False, related_name="notices"
    )
    proposal = models.ForeignKey(
        "Proposal", models.PROTECT, null=True, db_constraint=False, related_name="notices"
    )
    reason = models.CharField(max_length=12)
    no = models.IntegerField()  # which of several of the same reason: of a clock, a revision
    detail = models.CharField(max_length=64)  # a word of ours, see `Note`
    state = models.CharField(max_length=8, default=NoticeState.QUEUED.value)
    attempts = models.SmallIntegerField(default=0)
    next_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=80, default="")  # a class of errors, nothing it says

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=words("reason", NoticeReason), name="notice_reason_known"
            ),
            models.CheckConstraint(
                condition=words("state", NoticeState), name="notice_state_known"
            ),
            models.CheckConstraint(
                condition=Q(person__isnull=True) ^ Q(channel__isnull=True), name="notice_to_one"
            ),
            models.CheckConstraint(
                condition=Q(state=NoticeState.SENT.value, sent_at__isnull=False)
                | (~Q(state=NoticeState.SENT.value) & Q(sent_at__isnull=True)),
                name="notice_sent_when",
            ),
            models.UniqueConstraint(
                fields=["tenant_id", "person", "channel", "proposal", "reason", "no"],
                nulls_distinct=False,
                name="notice_once",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            # Without the tenant: pulse asks one question for all of them.
            models.Index(
                fields=["next_at"],
                condition=Q(state=NoticeState.QUEUED.value),
                name="notice_due",
            ),
            models.Index(fields=["tenant_id", "-created_at", "-id"], name="notice_newest"),
            models.Index(fields=["tenant_id", "channel", "-created_at"], name="notice_of_channel"),
            models.Index(fields=["tenant_id", "person", "-created_at"], name="notice_of_person"),
            models.Index(fields=["tenant_id", "proposal"], name="notice_about"),
        ]
