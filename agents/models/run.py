"""Runs, their counters, their timeline and the calls they intend."""

from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from agents.models.agent import AgentVersion
from agents.models.conversation import Conversation
from agents.states import FINAL_RUN, CallState, Confirmation, RunState, StopReason
from console.kernel.models import DatabaseNow, TenantRow


class Run(TenantRow):
    """One turn of work; whoever raised `epoch` last and still has the lease may go on with it."""

    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, related_name="runs")
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="children")
    root = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+")
    agent_version = models.ForeignKey(AgentVersion, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(
        max_length=24, choices=[(s.value, s.value) for s in RunState], default=RunState.QUEUED.value
    )
    state_at = models.DateTimeField(db_default=DatabaseNow())
    parked_state = models.CharField(max_length=24, default="")  # what a paused run goes back to
    epoch = models.PositiveIntegerField(default=0)  # the fencing token
    lease_owner = models.CharField(max_length=120, default="")
    lease_until = models.DateTimeField(null=True)
    head_seq = models.PositiveIntegerField(default=0)
    snapshot = models.JSONField(default=dict)
    snapshot_version = models.PositiveSmallIntegerField(default=1)
    claims = models.PositiveSmallIntegerField(default=0)
    deadline_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)  # while waiting for a timer
    stop_reason = models.CharField(
        max_length=24, choices=[(r.value, r.value) for r in StopReason], default="", blank=True
    )
    error = models.TextField(default="")  # for operators: why it failed
    switch_id = models.UUIDField(null=True)
    starter = models.JSONField()  # the actor who set it off, as recorded
    model_badge = models.JSONField(default=dict)  # provider, model, live: who answered last
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "agents_run"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["conversation"],
                condition=Q(parent__isnull=True)
                & ~Q(state__in=sorted(state.value for state in FINAL_RUN)),
                name="run_one_active_root_per_conversation",
            ),
            models.CheckConstraint(
                name="run_lease_only_while_running",
                condition=Q(state=RunState.RUNNING.value, lease_until__isnull=False)
                | (~Q(state=RunState.RUNNING.value) & Q(lease_until__isnull=True, lease_owner="")),
            ),
            models.CheckConstraint(
                name="run_final_has_reason",
                condition=~Q(state__in=sorted(state.value for state in FINAL_RUN))
                | ~Q(stop_reason=""),
            ),
            models.CheckConstraint(
                name="run_timer_has_due",
                condition=~Q(state=RunState.WAITING_TIMER.value) | Q(due_at__isnull=False),
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["state", "lease_until"], name="run_state_lease"),
            models.Index(fields=["tenant_id", "-created_at", "-id"], name="run_newest"),
        ]


_COUNTERS = ("steps", "tool_calls", "retries", "active_ms", "tokens")


class RunTotal(TenantRow):
    """What a run tree has used, each with its cap; the database refuses to go over."""

    root = models.OneToOneField(Run, on_delete=models.PROTECT, related_name="total")
    steps = models.PositiveIntegerField(default=0)
    steps_cap = models.PositiveIntegerField()
    tool_calls = models.PositiveIntegerField(default=0)
    tool_calls_cap = models.PositiveIntegerField()
    retries = models.PositiveIntegerField(default=0)
    retries_cap = models.PositiveIntegerField()
    active_ms = models.PositiveIntegerField(default=0)
    active_ms_cap = models.PositiveIntegerField()
    tokens = models.PositiveIntegerField(default=0)
    tokens_cap = models.PositiveIntegerField()

    class Meta:
        db_table = "agents_run_total"
        constraints: ClassVar = [
            models.CheckConstraint(
                name=f"run_total_{name}_within_cap",
                condition=Q(**{f"{name}__lte": F(f"{name}_cap")}),
            )
            for name in _COUNTERS
        ]


class RunEvent(models.Model):
    """The operator's timeline of a run: numbered without gaps, never changed."""

    pk = models.CompositePrimaryKey("run_id", "seq")
    tenant_id = models.UUIDField()
    created_at = models.DateTimeField(db_default=DatabaseNow())
    # The primary key begins with it; a second index would only be one more to write.
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="events", db_index=False)
    seq = models.PositiveIntegerField()
    type = models.CharField(max_length=40)
    schema_version = models.PositiveSmallIntegerField(default=1)
    epoch = models.PositiveIntegerField()
    payload = models.JSONField()

    class Meta:
        db_table = "agents_run_event"


class ToolCall(TenantRow):
    """One intended invocation; this row is what makes a side effect happen once."""

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="calls")
    step_seq = models.PositiveIntegerField()
    index = models.PositiveSmallIntegerField()
    after_seq = models.PositiveIntegerField()  # the frame of the conversation it follows
    use_id = models.CharField(max_length=120)  # the model's own name for this call
    tool = models.CharField(max_length=100)
    contract_hash = models.BinaryField(
        max_length=32, null=True
    )  # None: no such tool in the version
    args = models.JSONField()
    args_digest = models.BinaryField(max_length=32)
    effective_args = models.JSONField(null=True)  # after a person's edit
    raw = models.TextField(default="")  # what the model sent, if it was no JSON object
    effect = models.CharField(max_length=10, default="")
    tier = models.PositiveSmallIntegerField(null=True)
    title = models.CharField(max_length=200, default="")
    state = models.CharField(
        max_length=24,
        choices=[(s.value, s.value) for s in CallState],
        default=CallState.PROPOSED.value,
    )
    confirmation = models.CharField(
        max_length=12,
        choices=[(c.value, c.value) for c in Confirmation],
        default=Confirmation.NOT_ASKED.value,
    )
    attempt = models.PositiveSmallIntegerField(default=0)
    epoch = models.PositiveIntegerField()
    switch_epoch = models.BigIntegerField(null=True)
    idempotency_key = models.UUIDField()
    before = models.JSONField(null=True)
    before_digest = models.BinaryField(max_length=32, null=True)
    after = models.JSONField(null=True)
    digest = models.BinaryField(max_length=32, null=True)  # of (tool, contract, args, before)
    result = models.JSONField(null=True)
    result_digest = models.BinaryField(max_length=32, null=True)
    error_code = models.CharField(max_length=80, default="")
    evidence = models.JSONField(default=list)
    proposal_id = models.UUIDField(null=True)
    told = models.CharField(max_length=40, default="")  # the last decision the end user heard of
    undo_of = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="undo")
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    duration_ms = models.PositiveIntegerField(null=True)
    notes = ArrayField(
        models.CharField(max_length=200), default=list
    )  # for the model, loop detector

    class Meta:
        db_table = "agents_tool_call"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["run", "step_seq", "index"], name="tool_call_place_once"
            ),
            models.UniqueConstraint(fields=["idempotency_key"], name="tool_call_key_once"),
            models.CheckConstraint(
                name="tool_call_waiting_has_proposal",
                condition=~Q(state=CallState.WAITING_APPROVAL.value) | Q(proposal_id__isnull=False),
            ),
            models.CheckConstraint(
                name="tool_call_success_has_result",
                condition=~Q(state=CallState.SUCCEEDED.value) | Q(result__isnull=False),
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["proposal_id"],
                name="tool_call_proposal",
                condition=Q(proposal_id__isnull=False),
            ),
        ]

    @property
    def runs_with(self) -> dict[str, Any]:
        """Return the arguments that would run: the model's, or what people made of them."""
        found: dict[str, Any] = self.args if self.effective_args is None else self.effective_args
        return found
