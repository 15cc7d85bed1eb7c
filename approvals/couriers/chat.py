"""Chat rooms, through apprise. Only services that go over HTTPS or to a host that we check."""

import re
from collections.abc import Mapping
from typing import Any, Final

from approvals.cards import Parcel
from approvals.couriers.addresses import is_literal_private, public_address
from approvals.couriers.errors import NotSent

LIMIT_S: Final = 10.0
MOST: Final = 32_768
# What apprise speaks and we let it: by plugin, and whether its address names a host of one's own.
# The others run programs of this machine, send mail or text messages, or log in as a person.
SERVICES: Final = {
    "NotifySlack": False,
    "NotifyWorkflows": True,  # Teams: a workflow took the place of its connectors
    "NotifyDiscord": False,
    "NotifyGoogleChat": False,
    "NotifyTelegram": False,
    "NotifyWebexTeams": False,
    "NotifyZulip": False,
    "NotifyPagerDuty": False,
    "NotifyOpsgenie": False,
    "NotifyPushover": False,
    "NotifyMattermost": True,
    "NotifyRocketChat": True,
    "NotifyNtfy": True,
    "NotifyGotify": True,
    "NotifyJSON": True,
}
_CALLED: Final[Mapping[str, str]] = {"NotifyWorkflows": "Teams workflow"}
# How many characters one message takes, where apprise counts as for what went before.
_TAKES: Final[Mapping[str, int]] = {"NotifyWorkflows": 20_000}  # 28 KB with the card around it
_MARGIN: Final = 0.9  # what a service adds: a footer, one sign that becomes five
_CONNECTOR: Final = re.compile(r"msteams://|https://[^/?#]+\.office\.com/webhook", re.IGNORECASE)


def service_of(address: str) -> str:
    """Return what an address is called: the service, and its host where it is one's own.

    Raises:
        ValueError: apprise does not know it, or we do not let it; the text says which.
    """
    plugin = _plugin(address)
    name = _CALLED.get(type(plugin).__name__) or str(plugin.service_name).partition(" (")[0]
    host = _own_host(plugin)
    return f"{name} at {host}" if host else name


def room(address: str, subject: str) -> int:
    """Return how many characters of text one message takes beside its subject.

    Services refuse a longer one, or cut it where it happens to end. An address that is none any
    more takes anything: sending says what is wrong with it.
    """
    try:
        plugin = _plugin(address)
    except ValueError:
        return MOST
    most = _TAKES.get(type(plugin).__name__, int(plugin.body_maxlen))
    return int(most * _MARGIN) - len(subject)


def send(parcel: Parcel) -> None:
    """Post one message.

    A host of one's own is looked up twice, here and by apprise; unlike a webhook's it may change
    its address in between.
    """
    try:
        plugin = _plugin(parcel.address)
    except ValueError as error:
        raise NotSent("chat.unusable", final=True) from error
    host = _own_host(plugin)
    if host:
        public_address(host, int(plugin.port or 443))
    if not plugin.notify(title=parcel.subject, body=parcel.text):
        raise NotSent("chat.refused")


def _plugin(address: str) -> Any:
    # Some 300 modules of regular expressions; only who sends to a chat waits for them.
    from apprise import Apprise, AppriseAsset  # noqa: PLC0415
    from apprise.logger import logger  # noqa: PLC0415

    logger.setLevel("WARNING")  # below that it writes addresses and messages
    asset = AppriseAsset(
        app_id="Signalbox",
        app_desc="Signalbox",
        image_url_mask="",  # no picture of somebody else's server in a message of ours
        image_url_logo="",
        async_mode=False,
        http_redirects=False,
        storage_mode="memory",
        timezone="UTC",
        service_timeout=LIMIT_S,
    )
    plugin: Any = Apprise.instantiate(address, asset=asset, suppress_exceptions=True)
    if plugin is None and _CONNECTOR.match(address):
        raise ValueError(
            "Microsoft ended the connectors of Teams; add a workflow for webhooks to the channel, "
            "and use its address."
        )
    if plugin is None:
        raise ValueError("This is no address of a chat; look up its form at appriseit.com.")
    if type(plugin).__name__ not in SERVICES:
        raise ValueError("This service is not offered here; use a chat or a webhook.")
    _require_plain(plugin)
    return plugin


def _require_plain(plugin: Any) -> None:
    """Refuse what an address can ask of apprise besides where a message goes.

    It is looked for in what apprise understood: it reads an address in more ways than we would.
    """
    if not plugin.verify_certificate or plugin.redirects:
        raise ValueError("Leave verify and redirect out of the address.")
    usual = type(plugin)
    if plugin.request_timeout != (usual.socket_connect_timeout, usual.socket_read_timeout):
        raise ValueError("Leave time limits out of the address; there is one of ten seconds.")
    if plugin.retry or plugin.optional:
        raise ValueError("Leave retry and optional out of the address; what fails is sent again.")
    if getattr(plugin, "template", None):
        raise ValueError("Leave template out of the address; no file is read to write a message.")


def _own_host(plugin: Any) -> str:
    """Return the host that the address names, or "" where the service is at a fixed one."""
    host = getattr(plugin, "host", None) if SERVICES[type(plugin).__name__] else None
    return str(host) if host else ""


def is_private(address: str) -> bool:
    """Say whether an address names a private host without looking it up."""
    host = _own_host(_plugin(address))
    return bool(host) and is_literal_private(host)
