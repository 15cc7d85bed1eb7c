"""The one socket: it passes on hints for the topics a person may follow, and no more."""

from collections.abc import Mapping
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from typing_extensions import override

from console.kernel import crowd, live
from console.kernel.actors import Actor

MOST_TOPICS = 50
SIGNED_OUT = 4401  # close code: sign in again
BAD_MESSAGE = 4400


class HintConsumer(AsyncJsonWebsocketConsumer):
    """Pass on hints; every message that a page sends looks up anew who it is."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._followed: dict[str, tuple[crowd.Followed, str]] = {}  # by topic, as which person

    @override
    async def __call__(self, *scope_and_ports: Any) -> None:
        try:
            await super().__call__(*scope_and_ports)
        finally:  # however the socket ended
            for followed, person in self._followed.values():
                crowd.here.leave(followed, person)

    @override
    async def dispatch(self, message: dict[str, Any]) -> None:
        """Pass a hint on at once: it asks no database, so no thread need look after connections.

        Channels has one do so before each message. A hint is one for each of hundreds of sockets.
        """
        if message["type"] == "hint":
            await self.hint(message)
        else:
            await super().dispatch(message)

    @override
    async def connect(self) -> None:
        await self.accept()
        actor = await self._actor()
        if actor is None:
            await self.close(code=SIGNED_OUT)
            return
        # No topic that a page can ask for: it only tells that this very session has ended.
        await self._follow(actor, f"session:{actor.session}")

    @override
    async def receive_json(self, content: Any, **_more: Any) -> None:
        """Answer {"sub": {topic: seen}} with the newest number of each topic, and {"ping": n}."""
        actor = await self._actor()
        if actor is None:
            await self.close(code=SIGNED_OUT)
            return
        if not isinstance(content, Mapping):
            await self.close(code=BAD_MESSAGE)
            return
        if "ping" in content:
            await self.send_json({"pong": content["ping"]})
        asked = content.get("sub")
        if isinstance(asked, Mapping):
            names = live.followable(actor, list(asked)[:MOST_TOPICS])
            for name in names:
                await self._follow(actor, name)
            newest = await database_sync_to_async(live.newest)(actor.tenant_id, names)
            await self.send_json({"newest": newest})

    async def _follow(self, actor: Actor, name: str) -> None:
        if name in self._followed:
            return
        followed = (actor.tenant_id, name)
        crowd.here.join(followed, actor.id)
        self._followed[name] = (followed, actor.id)  # known before its first hint comes
        group = live.group_of(*followed)
        await self.channel_layer.group_add(group, self.channel_name)
        self.groups.append(group)

    async def _actor(self) -> Actor | None:
        return await database_sync_to_async(live.actor_of)(self.scope)

    async def hint(self, message: Mapping[str, Any]) -> None:
        hint = dict(message["hint"])
        if hint["topic"].startswith("session:"):
            await self.close(code=SIGNED_OUT)
            return
        followed, person = self._followed[hint["topic"]]
        if turn := crowd.here.turn_ms(followed, person, hint["seq"]):
            hint["turn"] = turn
        await self.send_json(hint)

    @override
    async def decode_json(self, text_data: str) -> Any:  # type: ignore[override]
        try:
            return await super().decode_json(text_data)
        except ValueError:
            return None
