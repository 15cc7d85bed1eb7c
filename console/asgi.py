"""The entry for HTTP and WebSocket."""

import os
import sys
from typing import Any

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.core.asgi import get_asgi_application
from django.urls import path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
# A hint is a write to each of hundreds of sockets, and each may stand this long behind a thread
# that computes a page: with Python's 5 ms, the last page heard of it a second after the first.
sys.setswitchinterval(0.001)

http = get_asgi_application()  # before anything that needs the apps

from agents.controls import acknowledge  # noqa: E402
from console.kernel.checks import require_sound  # noqa: E402
from console.kernel.consumers import HintConsumer  # noqa: E402
from console.kernel.sharing import Shared  # noqa: E402

require_sound()
hints: Any = HintConsumer.as_asgi()  # Django's `path` is typed for HTTP views only
sockets: list[Any] = [path("ws/live/", hints)]
application = ProtocolTypeRouter(
    {
        "http": Shared(http),
        "lifespan": acknowledge.lifespan,
        "websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(sockets))),
    }
)
