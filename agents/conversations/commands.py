"""What the end user sets off: a message, a yes or no; and what a person does about a hand-off."""

from typing import Final
from uuid import UUID, uuid5

from agents.cards import MessageCard
from agents.controls.cards import Fields
from agents.controls.permits import require_permitted
from agents.controls.states import Point
from agents.errors import (
    BadMessage,
    ConfirmChanged,
    NothingToConfirm,
    NotYours,
    UnknownAgent,
    UnknownCall,
    UnknownConversation,
)
from agents.events import CallAnswered, ConversationOpened, HandoffClosed, MessageReceived
from agents.llm.answers import agreement
from agents.models import Agent, Conversation, Handoff, Message, Run, ToolCall
from agents.runtime import commands as runtime
from agents.runtime import fence, handoffs, timeline
from agents.states import (
    FINAL_RUN,
    CallState,
    Confirmation,
    FrameKind,
    Identity,
    Role,
    RunState,
    StopReason,
)
from audit.commands import record
from console.kernel.actors import Actor
from console.kernel.errors import NotAllowed
from console.kernel.transactions import command

MOST_CHARACTERS: Final = 4000
MOST_ID: Final = 100
STILL_WAITING: Final = (
    "Your request is still waiting for a person of our team. I will answer when it is decided."
)
WITH_A_PERSON: Final = "A person of our team will read this and answer you here."


@command
def receive_message(  # noqa: PLR0913 - one value of the intake each
    *,
    actor: Actor,
    conversation_id: UUID | None,
    agent_slug: str,
    client_id: str,
    text: str,
    channel: str,
    end_user: str,
    customer: str = "",
) -> MessageCard:
    """Take in one message of an end user: stored, and a run queued, in one transaction.

    Args:
        conversation_id: None opens a conversation; the same client id again finds the one it
        opened. client_id: chosen by the sender; a repeat returns the first receipt and stores
        nothing. end_user: who the channel says it is; a conversation belongs to one of them.
        customer: the record that the channel has proved the user to be, or "".

    Raises:
        Stopped: a switch stands against this agent; nothing was stored.
        BadMessage: the text or the client id is empty, too long or cannot be stored.
        UnknownAgent, UnknownConversation, NotYours
    """
    require_permitted(Point.INTAKE, Fields(tenant=actor.tenant_id, agent=agent_slug), guard=True)
    clean = checked(text, client_id)
    conversation = _conversation(
        actor, conversation_id, agent_slug, client_id, channel, end_user, customer
    )
    repeated = Message.objects.filter(conversation=conversation, client_id=client_id).first()
    if repeated is not None:
        return receipt(conversation, repeated, repeated=True)
    return _take_in(conversation, clean, client_id, actor=actor)


def checked(text: str, client_id: str) -> str:
    clean = text.strip()
    if not clean:
        raise BadMessage("The message is empty; write something.")
    if len(clean) > MOST_CHARACTERS:
        raise BadMessage(
            f"The message is too long; send at most {MOST_CHARACTERS} characters.",
            characters=len(clean),
        )
    if "\x00" in clean or not _storable(clean):
        raise BadMessage("The message holds a character that cannot be stored; remove it.")
    if not client_id or len(client_id) > MOST_ID or not client_id.isprintable():
        raise BadMessage(f"The client id has to be 1 to {MOST_ID} plain characters.")
    return clean


def _storable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _conversation(
    actor: Actor,
    conversation_id: UUID | None,
    agent_slug: str,
    client_id: str,
    channel: str,
    end_user: str,
    customer: str,
) -> Conversation:
    """Return the conversation, locked; the active run is locked first, as everywhere."""
    wanted = conversation_id or uuid5(
        actor.tenant_id, f"{agent_slug}/{channel}/{end_user}/{client_id}"
    )
    list(Run.objects.select_for_update().filter(conversation=wanted).exclude(state__in=FINAL_RUN))
    rows = Conversation.objects.select_for_update(of=("self",)).select_related(
        "agent_version__agent"
    )
    found = rows.filter(pk=wanted).first()
    if found is None and conversation_id is None:
        return _opened(actor, wanted, agent_slug, channel, end_user, customer)
    if found is None:
        raise UnknownConversation("There is no such conversation; start a new one.")
    if found.end_user != end_user or found.agent_version.agent.slug != agent_slug:
        raise NotYours("There is no such conversation; start a new one.")
    return found


def _opened(
    actor: Actor, key: UUID, agent_slug: str, channel: str, end_user: str, customer: str
) -> Conversation:
    agent = Agent.objects.filter(slug=agent_slug).first()
    version = agent.versions.order_by("-number").first() if agent else None
    if agent is None or version is None:
        raise UnknownAgent("There is no such agent here; check its name.", agent=agent_slug[:60])
    conversation = Conversation.objects.create(
        pk=key,
        tenant_id=actor.tenant_id,
        agent=agent,
        agent_version=version,
        channel=channel,
        end_user=end_user,
        customer=customer,
        identity_state=Identity.IDENTIFIED if customer else Identity.UNKNOWN,
    )
    event = ConversationOpened(
        conversation_id=key, agent=agent.slug, version_no=version.number, channel=channel
    )
    record(event, actor=actor)
    return conversation


def _take_in(conversation: Conversation, text: str, client_id: str, *, actor: Actor) -> MessageCard:
    run = (
        Run.objects.filter(conversation=conversation, parent__isnull=True)
        .exclude(state__in=FINAL_RUN)
        .first()
    )
    run = run or runtime.queue_run(conversation, actor=actor)
    conversation.refresh_from_db(fields=["head_seq"])
    conversation.head_seq += 1
    message = Message.objects.create(
        tenant_id=actor.tenant_id,
        conversation=conversation,
        seq=conversation.head_seq,
        role=Role.CUSTOMER,
        kind=FrameKind.TEXT,
        run=run,
        text=text,
        client_id=client_id,
    )
    conversation.save(update_fields=["head_seq"])
    event = MessageReceived(
        conversation_id=conversation.pk, seq=message.seq, characters=len(text), run_id=run.pk
    )
    record(event, actor=actor)
    notice = _answer_at_once(conversation, run, text, actor=actor)
    return receipt(conversation, message, repeated=False, notice=notice)


def _answer_at_once(conversation: Conversation, run: Run, text: str, *, actor: Actor) -> str:
    """Do what a message means for a run that waits; returns what the sender is told."""
    match RunState(run.state):
        case RunState.WAITING_USER:
            _answer_in_words(conversation, run, text, actor=actor)
            return ""
        case RunState.WAITING_APPROVAL:
            said = STILL_WAITING
        case RunState.ESCALATED:
            said = WITH_A_PERSON
        case _:
            return ""
    frame = timeline.notice(FrameKind.WAITING, said)
    timeline.say(conversation.pk, run.pk, run.tenant_id, frame)
    return said


def _answer_in_words(conversation: Conversation, run: Run, text: str, *, actor: Actor) -> None:
    """Take a plain yes or no for the open question; any other words set it aside."""
    asked = list(_asked(run))
    agreed = agreement(text)
    for call in asked:
        # A yes in words can only mean one question; with two open ones the buttons decide.
        yes = agreed is True and len(asked) == 1
        code = "" if yes else ("user.refused" if agreed is False else "user.moved_on")
        _answer(conversation, call, agree=yes, code=code, actor=actor)
    fence.resume_row(run, actor=actor, cause="the end user answered")


def _asked(run: Run) -> list[ToolCall]:
    rows = ToolCall.objects.select_for_update().filter(
        run=run, state=CallState.PROPOSED, confirmation=Confirmation.ASKED
    )
    return list(rows.order_by("step_seq", "index"))


def _answer(
    conversation: Conversation, call: ToolCall, *, agree: bool, code: str, actor: Actor
) -> None:
    call.confirmation = Confirmation.AGREED if agree else Confirmation.REFUSED
    call.error_code = code
    call.save(update_fields=["confirmation", "error_code"])
    text = f"You agreed: {call.title}." if agree else f"Not done: {call.title}."
    parts = {"call": str(call.pk), "agreed": agree}
    frame = timeline.notice(FrameKind.CONFIRMED, text, **parts)
    timeline.say(conversation.pk, call.run_id, call.tenant_id, frame)
    event = CallAnswered(
        call_id=call.pk,
        run_id=call.run_id,
        conversation_id=conversation.pk,
        tool=call.tool,
        args_digest=bytes(call.args_digest).hex(),
        digest=bytes(call.digest or b"").hex(),
        agreed=agree,
    )
    record(event, actor=actor)


@command
def confirm_call(
    *,
    actor: Actor,
    conversation_id: UUID,
    call_id: UUID,
    digest: str,
    agree: bool,
    end_user: str | None = None,
) -> MessageCard:
    """Take the end user's yes or no to exactly the change that the card showed.

    Args:
        digest: 64 hex characters of the card.
        end_user: who the channel says it is; None where the channel has checked already.

    Raises:
        UnknownConversation, NotYours, UnknownCall
        NothingToConfirm: it was answered, or the run went on.
        ConfirmChanged: the change is another one by now.
    """
    found = ToolCall.objects.filter(pk=call_id, run__conversation_id=conversation_id).first()
    if found is None:
        raise UnknownCall("There is no such question in this conversation; reload it.")
    run = Run.objects.select_for_update().get(pk=found.run_id)
    conversation = Conversation.objects.select_for_update().get(pk=conversation_id)
    if end_user is not None and conversation.end_user != end_user:
        raise NotYours("There is no such conversation; start a new one.")
    call = ToolCall.objects.select_for_update().get(pk=call_id)
    _require_open(run, call, digest)
    code = "" if agree else "user.refused"
    _answer(conversation, call, agree=agree, code=code, actor=actor)
    if run.state in (RunState.WAITING_USER, RunState.WAITING_APPROVAL):
        fence.resume_row(run, actor=actor, cause="the end user answered")
    conversation.refresh_from_db(fields=["head_seq"])
    return MessageCard(
        conversation_id=conversation.pk, run_id=run.pk, seq=conversation.head_seq, repeated=False
    )


def _require_open(run: Run, call: ToolCall, digest: str) -> None:
    waits = run.state not in FINAL_RUN and call.state == CallState.PROPOSED
    if not waits or call.confirmation != Confirmation.ASKED:
        raise NothingToConfirm("This question was answered already; look at the conversation.")
    if bytes(call.digest or b"").hex() != digest:
        raise ConfirmChanged("The change is another one by now; look at it again and answer then.")


@command
def close_handoff(*, actor: Actor, conversation_id: UUID, give_back: bool) -> None:
    """End a hand-off: the agent may speak again, or the matter is closed.

    A run that was parked because nobody decided in time goes on; any other has ended with it.

    Raises:
        NotAllowed, UnknownConversation
    """
    if not actor.has("runs.start"):
        raise NotAllowed(
            "This needs the permission runs.start; ask an admin of your organisation for it.",
            permission="runs.start",
        )
    runs = Run.objects.select_for_update().filter(
        conversation=conversation_id, state=RunState.ESCALATED
    )
    run = runs.first()
    handoff = (
        Handoff.objects.select_for_update()
        .filter(conversation=conversation_id, state="open")
        .first()
    )
    if handoff is None or run is None:
        raise UnknownConversation("Nobody has to take over this conversation; reload the page.")
    handoff.state = "closed"
    handoff.save(update_fields=["state"])
    if give_back and handoff.trigger == handoffs.PARKED:
        # The agent has still to learn that nobody decided, and other calls of the run may wait.
        run.stop_reason = StopReason.NONE
        fence.resume_row(run, actor=actor, cause="given back")
    else:
        fence.end_row(run, actor=actor, state=RunState.COMPLETED, reason=StopReason.HANDED_OFF)
    text = "The assistant is back." if give_back else "This request was closed by our team."
    frame = timeline.notice(FrameKind.HANDOFF, text, back=give_back)
    timeline.say(handoff.conversation_id, run.pk, run.tenant_id, frame)
    event = HandoffClosed(
        handoff_id=handoff.pk,
        run_id=run.pk,
        conversation_id=handoff.conversation_id,
        back=give_back,
    )
    record(event, actor=actor)


def receipt(
    conversation: Conversation, message: Message, *, repeated: bool, notice: str = ""
) -> MessageCard:
    return MessageCard(
        conversation_id=conversation.pk,
        run_id=message.run_id,
        seq=message.seq,
        repeated=repeated,
        notice=notice,
    )
