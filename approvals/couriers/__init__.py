"""How a message leaves: mail, signed webhooks, chat. Nothing here touches the database.

A courier is called between transactions. It answers with the class of what went wrong and never
with what an error says: texts of errors hold addresses and tokens.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from approvals.cards import Failure, Parcel
from approvals.couriers import chat, mail, webhook
from approvals.couriers.describing import described
from approvals.couriers.errors import NotSent
from approvals.couriers.strongbox import Lost, seal, unseal
from approvals.couriers.webhook import new_secret
from approvals.states import ChannelKind

PATIENCE_S: Final = 60  # with one receiver in one round

_WAYS: Final[Mapping[ChannelKind, Callable[[Parcel], None]]] = {
    ChannelKind.EMAIL: mail.send,
    ChannelKind.WEBHOOK: webhook.send,
    ChannelKind.CHAT: chat.send,
}


def room(kind: ChannelKind, address: str, subject: str) -> int | None:
    """Return how many characters of text one message may have beside its subject; None: any."""
    return chat.room(address, subject) if kind is ChannelKind.CHAT else None


def send(parcel: Parcel) -> Failure | None:
    """Send one message; None says that the other side took it."""
    try:
        _WAYS[parcel.kind](parcel)
    except NotSent as refused:
        return Failure(error=refused.error, final=refused.final)
    except Exception as error:  # noqa: BLE001 - libraries and networks fail in every way there is
        return Failure(error=type(error).__name__)
    return None


def send_in_turn(parcels: Sequence[Parcel]) -> list[Failure | None]:
    """Send messages to one receiver, oldest first; what there is no time for counts as too late."""
    began = time.monotonic()
    return [
        send(one) if time.monotonic() - began < PATIENCE_S else Failure(error="timeout")
        for one in parcels
    ]


__all__ = ["Lost", "described", "new_secret", "room", "seal", "send", "send_in_turn", "unseal"]
