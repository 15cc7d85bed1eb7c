"""Conversations, the frames of their transcript, and hand-offs to people."""

from typing import ClassVar

from django.db import models

from agents.models.agent import Agent, AgentVersion
from agents.states import FrameKind, Identity, Role
from console.kernel.models import TenantRow


class Conversation(TenantRow):
    """A dialogue with one end user; the agent version is pinned by the first message."""

    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="conversations")
    agent_version = models.ForeignKey(AgentVersion, on_delete=models.PROTECT, related_name="+")
    channel = models.CharField(max_length=40)
    end_user = models.CharField(max_length=200)  # the visitor, as the channel names them
    identity_state = models.CharField(
        max_length=20,
        choices=[(s.value, s.value) for s in Identity],
        default=Identity.UNKNOWN.value,
    )
    customer = models.CharField(max_length=200, default="")  # the record the user was found to be
    held_by = models.UUIDField(null=True)
    head_seq = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "agents_conversation"
        constraints: ClassVar = [
            models.CheckConstraint(
                name="conversation_identified_has_customer",
                condition=~models.Q(identity_state=Identity.IDENTIFIED.value)
                | ~models.Q(customer=""),
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["tenant_id", "end_user"], name="conversation_end_user"),
        ]


class Message(TenantRow):
    """One frame of the transcript: something said, asked, decided or done, in order."""

    conversation = models.ForeignKey(
        Conversation, on_delete=models.PROTECT, related_name="messages"
    )
    seq = models.PositiveIntegerField()
    role = models.CharField(max_length=20, choices=[(r.value, r.value) for r in Role])
    kind = models.CharField(max_length=20, choices=[(k.value, k.value) for k in FrameKind])
    run = models.ForeignKey("agents.Run", on_delete=models.PROTECT, null=True, related_name="+")
    step_seq = models.PositiveIntegerField(null=True)
    text = models.TextField()
    parts = models.JSONField(default=dict)
    client_id = models.CharField(max_length=100, null=True)  # noqa: DJ001 - unique, so NULL is "none"

    class Meta:
        db_table = "agents_message"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["conversation", "seq"], name="message_seq_once"),
            models.UniqueConstraint(
                fields=["conversation", "client_id"], name="message_client_id_once"
            ),
        ]


class Handoff(TenantRow):
    """The conversation waits for a person; the packet is what that person needs to know."""

    conversation = models.ForeignKey(
        Conversation, on_delete=models.PROTECT, related_name="handoffs"
    )
    run = models.ForeignKey("agents.Run", on_delete=models.PROTECT, related_name="+")
    trigger = models.CharField(max_length=40)
    packet = models.JSONField()
    state = models.CharField(
        max_length=10, choices=[("open", "open"), ("closed", "closed")], default="open"
    )

    class Meta:
        db_table = "agents_handoff"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["conversation"],
                condition=models.Q(state="open"),
                name="handoff_one_open_per_conversation",
            ),
        ]
