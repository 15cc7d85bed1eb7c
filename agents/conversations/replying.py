"""What a person says to an end user while the conversation is handed to people."""

from uuid import UUID

from agents.cards import MessageCard
from agents.conversations.commands import checked, receipt
from agents.errors import NotHandedOff, UnknownConversation
from agents.events import PersonReplied
from agents.models import Conversation, Handoff, Message, Run
from agents.states import FrameKind, Role, RunState
from audit.commands import record
from console.kernel.actors import Actor
from console.kernel.errors import NotAllowed
from console.kernel.transactions import command


@command
def reply(*, actor: Actor, conversation_id: UUID, client_id: str, text: str) -> MessageCard:
    """Say something to the end user, who reads it under the person's name.

    Args:
        client_id: chosen by the page; a repeat returns the first receipt and says nothing again.

    Raises:
        NotAllowed: the actor is no person, or may not act on runs.
        BadMessage: the text or the client id is empty, too long or cannot be stored.
        NotHandedOff: the agent has the conversation.
        UnknownConversation
    """
    if not actor.is_person or not actor.has("runs.start"):
        raise NotAllowed(
            "Only people with the permission runs.start answer end users; ask an admin of your "
            "organisation for it.",
            permission="runs.start",
        )
    clean = checked(text, client_id)
    # In the order of every command here: the run, the conversation.
    run = (
        Run.objects.select_for_update()
        .filter(conversation=conversation_id, state=RunState.ESCALATED)
        .first()
    )
    conversation = Conversation.objects.select_for_update().filter(pk=conversation_id).first()
    if conversation is None:
        raise UnknownConversation("There is no such conversation here; look at the list of runs.")
    repeated = Message.objects.filter(conversation=conversation_id, client_id=client_id).first()
    if repeated is not None:
        return receipt(conversation, repeated, repeated=True)
    held = Handoff.objects.filter(conversation=conversation_id, state="open").exists()
    if run is None or not held:
        raise NotHandedOff(
            "This conversation is not with a person any more, so nothing was sent; reload the page."
        )
    conversation.head_seq += 1
    message = Message.objects.create(
        tenant_id=actor.tenant_id,
        conversation=conversation,
        seq=conversation.head_seq,
        role=Role.PERSON,
        kind=FrameKind.TEXT,
        run=run,
        text=clean,
        parts={"by": actor.label},
        client_id=client_id,
    )
    conversation.save(update_fields=["head_seq"])
    event = PersonReplied(
        conversation_id=conversation.pk, run_id=run.pk, seq=message.seq, characters=len(clean)
    )
    record(event, actor=actor)
    return receipt(conversation, message, repeated=False)
