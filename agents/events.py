"""What happened to agents, conversations, runs and calls."""

from dataclasses import dataclass
from uuid import UUID

from audit.events import Event

_RUN_TOPICS = ("runs.list", "run:{run_id}", "conversation:{conversation_id}")


@dataclass(frozen=True, kw_only=True)
class AgentRegistered(Event):
    """An agent got its name and its owner."""

    name = "agent.registered"
    subject = "agent_id"

    agent_id: UUID
    slug: str
    title: str
    owner_label: str


@dataclass(frozen=True, kw_only=True)
class AgentVersionRegistered(Event):
    """An agent got a new version; nothing about it will ever change."""

    name = "agent.version_registered"
    subject = "agent_id"

    agent_id: UUID
    version_id: UUID
    number: int
    content_hash: str  # SHA-256, 64 hex characters
    tools: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ConversationOpened(Event):
    """An end user began to talk to an agent; the version is pinned from here on."""

    name = "conversation.opened"
    subject = "conversation_id"

    conversation_id: UUID
    agent: str
    version_no: int
    channel: str


@dataclass(frozen=True, kw_only=True)
class ConversationIdentified(Event):
    """The end user was found to be one customer; no other can be served in this conversation."""

    name = "conversation.identified"
    subject = "conversation_id"

    conversation_id: UUID
    customer: str
    tool: str


@dataclass(frozen=True, kw_only=True)
class MessageReceived(Event):
    """An end user said something; the text stays in the conversation."""

    name = "message.received"
    subject = "conversation_id"
    topics = ("runs.list", "conversation:{conversation_id}")

    conversation_id: UUID
    seq: int
    characters: int
    run_id: UUID


@dataclass(frozen=True, kw_only=True)
class RunQueued(Event):
    """A turn of work was accepted."""

    name = "run.queued"
    subject = "run_id"
    topics = _RUN_TOPICS

    run_id: UUID
    conversation_id: UUID
    agent: str
    version_no: int


@dataclass(frozen=True, kw_only=True)
class RunWaits(Event):
    """A run gave back its worker and waits for people, for the end user or for a time."""

    name = "run.waits"
    subject = "run_id"
    topics = _RUN_TOPICS

    run_id: UUID
    conversation_id: UUID
    state: str
    cause: str


@dataclass(frozen=True, kw_only=True)
class RunResumed(Event):
    """What a run waited for has come."""

    name = "run.resumed"
    subject = "run_id"
    topics = _RUN_TOPICS

    run_id: UUID
    conversation_id: UUID
    before: str
    cause: str


@dataclass(frozen=True, kw_only=True)
class RunPaused(Event):
    """A switch parked a run; it keeps what it had."""

    name = "run.paused"
    subject = "run_id"
    topics = _RUN_TOPICS

    run_id: UUID
    conversation_id: UUID
    before: str
    switch_id: UUID | None
    cause: str


@dataclass(frozen=True, kw_only=True)
class RunEnded(Event):
    """A run is over."""

    name = "run.ended"
    subject = "run_id"
    topics = _RUN_TOPICS

    run_id: UUID
    conversation_id: UUID
    state: str
    stop_reason: str


@dataclass(frozen=True, kw_only=True)
class ModelAnswered(Event):
    """A model's answer was kept, with the calls it asks for; its words stay in the conversation."""

    name = "model.answered"
    subject = "run_id"
    topics = _RUN_TOPICS

    run_id: UUID
    conversation_id: UUID
    step: int
    provider: str
    model: str
    calls: tuple[str, ...]
    answer_digest: str  # SHA-256 of the text, 64 hex characters


@dataclass(frozen=True, kw_only=True)
class _CallEvent(Event):
    """What every fact about a tool call says."""

    subject = "call_id"
    target_type = "tool_call"
    topics = _RUN_TOPICS

    call_id: UUID
    run_id: UUID
    conversation_id: UUID
    tool: str
    args_digest: str  # SHA-256, 64 hex characters


@dataclass(frozen=True, kw_only=True)
class CallRefused(_CallEvent):
    """A call does not fit its contract, its scope or a limit, and never reached the tool."""

    name = "call.refused"

    code: str


@dataclass(frozen=True, kw_only=True)
class CallAsked(_CallEvent):
    """The end user was shown a change and asked to agree."""

    name = "call.asked"

    digest: str


@dataclass(frozen=True, kw_only=True)
class CallAnswered(_CallEvent):
    """The end user agreed to the change that was shown, or did not."""

    name = "call.answered"

    digest: str
    agreed: bool


@dataclass(frozen=True, kw_only=True)
class CallProposed(_CallEvent):
    """A write was put before people, or let through by a rule."""

    name = "call.proposed"

    proposal_id: UUID
    digest: str


@dataclass(frozen=True, kw_only=True)
class CallApproved(_CallEvent):
    """People agreed to a write; it is about to be dispatched."""

    name = "call.approved"

    proposal_id: UUID


@dataclass(frozen=True, kw_only=True)
class CallRevised(_CallEvent):
    """A call follows another revision of its proposal; `args_digest` is of what the model sent."""

    name = "call.revised"

    proposal_id: UUID
    revision_no: int
    digest: str  # of the revision, 64 hex characters
    cause: str  # edited, revised, drift


@dataclass(frozen=True, kw_only=True)
class CallClosed(_CallEvent):
    """People, a clock or a rule said no: the call will not run."""

    name = "call.closed"

    state: str
    code: str


@dataclass(frozen=True, kw_only=True)
class CallStarted(_CallEvent):
    """The write-ahead mark of a call whose effect lies outside our database."""

    name = "call.started"

    attempt: int


@dataclass(frozen=True, kw_only=True)
class CallSucceeded(_CallEvent):
    """A tool did what it promised."""

    name = "call.succeeded"

    effect: str
    result_digest: str


@dataclass(frozen=True, kw_only=True)
class CallFailed(_CallEvent):
    """A tool did not do it, and that is known."""

    name = "call.failed"

    code: str


@dataclass(frozen=True, kw_only=True)
class CallUnknown(_CallEvent):
    """Nobody can know whether it happened; a person has to find out."""

    name = "call.unknown"

    cause: str


@dataclass(frozen=True, kw_only=True)
class CallReconciled(_CallEvent):
    """A person found out whether it happened."""

    name = "call.reconciled"

    happened: bool


@dataclass(frozen=True, kw_only=True)
class HandoffOpened(Event):
    """A conversation waits for a person."""

    name = "handoff.opened"
    subject = "handoff_id"
    topics = _RUN_TOPICS

    handoff_id: UUID
    run_id: UUID
    conversation_id: UUID
    trigger: str


@dataclass(frozen=True, kw_only=True)
class HandoffClosed(Event):
    """A person ended a hand-off: the agent may speak again, or the matter is closed."""

    name = "handoff.closed"
    subject = "handoff_id"
    topics = _RUN_TOPICS

    handoff_id: UUID
    run_id: UUID
    conversation_id: UUID
    back: bool


@dataclass(frozen=True, kw_only=True)
class PersonReplied(Event):
    """A person answered an end user in place of the agent; the text stays in the conversation."""

    name = "conversation.replied"
    subject = "conversation_id"
    topics = _RUN_TOPICS

    conversation_id: UUID
    run_id: UUID
    seq: int
    characters: int
