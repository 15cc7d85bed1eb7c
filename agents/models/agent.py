"""Agents, their immutable versions, and the tools and contracts that a version names."""

from typing import ClassVar

from django.db import models

from console.kernel.models import TenantRow


class Agent(TenantRow):
    """A named agent; `owner` is the person who answers for it and may not approve its writes."""

    slug = models.CharField(max_length=60)
    title = models.CharField(max_length=120)
    owner = models.UUIDField(null=True)
    owner_label = models.CharField(max_length=200, default="")

    class Meta:
        db_table = "agents_agent"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant_id", "slug"], name="agent_slug_once"),
        ]
        permissions: ClassVar = [("operate_agent", "Can operate this agent")]


class AgentVersion(TenantRow):
    """Prompt, model policy, tools, budgets: hashed as a whole, never changed."""

    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    content_hash = models.BinaryField(max_length=32)
    prompt = models.TextField()
    model_policy = models.JSONField()
    tools = models.JSONField()  # name to contract hash, hex
    budgets = models.JSONField()
    guardrails = models.JSONField()
    scopes = models.JSONField()  # what the agent may do; a contract asks for a part of them
    escalation = models.JSONField()  # confirm_tiers and other promises to the end user

    class Meta:
        db_table = "agents_version"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["agent", "number"], name="agent_version_number_once"),
            models.UniqueConstraint(
                fields=["agent", "content_hash"], name="agent_version_content_once"
            ),
        ]


class Tool(TenantRow):
    """A tool's name in a tenant: what object permissions hang on."""

    name = models.CharField(max_length=100)
    title = models.CharField(max_length=200)

    class Meta:
        db_table = "agents_tool"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant_id", "name"], name="tool_name_once"),
        ]
        permissions: ClassVar = [("review_tool", "Can review proposals of this tool")]


class ToolContract(TenantRow):
    """One version of a tool's promise, kept for as long as a call names it."""

    name = models.CharField(max_length=100)
    hash = models.BinaryField(max_length=32)
    body = models.JSONField()

    class Meta:
        db_table = "agents_tool_contract"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant_id", "name", "hash"], name="tool_contract_hash_once"
            ),
        ]
