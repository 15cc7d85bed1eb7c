"""A site that embeds an agent: its key, and visitors who call the API as the frame does."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from agents.runtime.commands import register_agent, register_agent_version
from console.kernel.ids import uuid7
from console.widget import commands
from console.widget.cards import WidgetKeyCard
from tests.cast import Cast

WIDGET_HOST = "127.0.0.1"


@dataclass
class Visitor:
    """An end user in a browser: the frame's calls, on the widget's own origin."""

    key: WidgetKeyCard
    token: str = ""
    client: Client = field(default_factory=lambda: Client(SERVER_NAME=WIDGET_HOST))

    def call(self, path: str, **values: Any) -> HttpResponse:
        return self.client.post(  # type: ignore[return-value]
            f"/widget/api/{path}",
            json.dumps(values),
            content_type="application/json",
            headers={"Authorization": f"Bearer {self.token}"},
        )

    def arrive(self) -> "Visitor":
        answer = self.call("session", key=self.key.public)
        assert answer.status_code == 201, answer.content
        self.token = json.loads(answer.content)["token"]
        return self

    def say(self, text: str, client_id: str = "") -> HttpResponse:
        return self.call("messages", client_id=client_id or str(uuid7()), text=text)


@pytest.fixture
def key(cast: Cast) -> WidgetKeyCard:
    register_agent(actor=cast.system, slug="support", title="Support")
    register_agent_version(actor=cast.system, agent="support", prompt="Help.", tools=["calculate"])
    return commands.create_key(
        actor=cast.noor, title="Shop help", agent="support", origins="https://shop.example"
    )


@pytest.fixture
def visitor(key: WidgetKeyCard) -> Visitor:
    return Visitor(key).arrive()
