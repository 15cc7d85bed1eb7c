"""Mail, through Django's e-mail backend."""

import smtplib
from typing import Final

from django.conf import settings
from django.core.mail import EmailMessage, get_connection

from approvals.cards import Parcel
from approvals.couriers.errors import NotSent

_REFUSED_FOR_GOOD: Final = 500


def send(parcel: Parcel) -> None:
    """Hand one message to the mail server.

    Its Message-ID is that of the first notice in it, so that a copy sent after a crash can be told.
    """
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip("<> ") or "localhost"
    message = EmailMessage(
        parcel.subject,
        parcel.text,
        settings.DEFAULT_FROM_EMAIL,
        [parcel.address],
        headers={
            "Message-ID": f"<{parcel.notice_ids[0]}@{domain}>",
            "Auto-Submitted": "auto-generated",  # RFC 3834: nobody's absence note answers it
        },
        connection=get_connection(fail_silently=False),
    )
    try:
        message.send()
    except smtplib.SMTPRecipientsRefused as refused:
        codes = [code for code, _said in refused.recipients.values()]
        raise _not_sent(refused, max(codes, default=0)) from refused
    except smtplib.SMTPAuthenticationError as refused:
        # Ours to repair, so it is tried again.
        raise NotSent("SMTPAuthenticationError") from refused
    except smtplib.SMTPResponseException as refused:
        raise _not_sent(refused, refused.smtp_code) from refused


def _not_sent(refused: smtplib.SMTPException, code: int) -> NotSent:
    return NotSent(f"{type(refused).__name__} {code}", final=code >= _REFUSED_FOR_GOOD)
