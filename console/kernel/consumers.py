"""The one socket: it passes on hints for the topics a person may follow, and no more."""

from collections.abc import Mapping
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from typing_extensions import override

from console.kernel import live
from console.kernel.actors import Actor

MOST_TOPICS = 50
SIGNED_OUT = 4401  # close code: sign in again
BAD_MESSAGE = 4400


class HintConsumer(AsyncJsonWebsocketConsumer):
    """Pass on hints; every message that a page sends looks up anew who it is."""

    actor: Actor

    @override
    async def connect(self) -> None:
        await self.accept()
        actor = await self._actor()
        if actor is None:
            await self.close(code=SIGNED_OUT)
            return
        # No topic that a page can ask for: it only tells that this very session has ended.
        await self._follow(live.group_of(actor.tenant_id, f"session:{actor.session}"))

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
                await self._follow(live.group_of(actor.tenant_id, name))
            newest = await database_sync_to_async(live.newest)(actor.tenant_id, names)
            await self.send_json({"newest": newest})

    async def _follow(self, group: str) -> None:
        self.groups = self.groups or []
        if group not in self.groups:
            await self.channel_layer.group_add(group, self.channel_name)
            self.groups.append(group)

    async def _actor(self) -> Actor | None:
        return await database_sync_to_async(live.actor_of)(self.scope)

    async def hint(self, message: Mapping[str, Any]) -> None:
        if message["hint"]["topic"].startswith("session:"):
            await self.close(code=SIGNED_OUT)
            return
        await self.send_json(message["hint"])

    @override
    async def decode_json(self, text_data: str) -> Any:  # type: ignore[override]
        try:
            return await super().decode_json(text_data)
        except ValueError:
            return None
