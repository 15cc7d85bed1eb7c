"""Reads of conversations, for the widget and for people."""

from uuid import UUID

from agents.cards import ConversationCard, FrameCard
from agents.errors import NotYours, UnknownConversation
from agents.models import Conversation, Handoff, Message, Run
from agents.runtime.queries import badge, frame
from agents.states import FINAL_RUN
from console.kernel.actors import Actor
from console.kernel.transactions import query

MOST_FRAMES = 500


@query
def transcript(
    *,
    actor: Actor,
    conversation_id: UUID,
    after_seq: int = 0,
    end_user: str | None = None,
) -> list[FrameCard]:
    """Return the frames after a number, in order and without gaps.

    Args:
        end_user: who asks, by the channel; None for people of the console.

    Raises:
        UnknownConversation, NotYours
    """
    _found(conversation_id, end_user)
    rows = Message.objects.filter(conversation_id=conversation_id, seq__gt=after_seq)
    return [frame(message) for message in rows.order_by("seq")[:MOST_FRAMES]]


@query
def standing(
    *, actor: Actor, conversation_id: UUID, end_user: str | None = None
) -> ConversationCard:
    """Return where a conversation stands: its run, who answers, what it waits for.

    Raises:
        UnknownConversation, NotYours
    """
    found = _found(conversation_id, end_user)
    runs = Run.objects.filter(conversation=found, parent__isnull=True).order_by("-created_at")
    run = runs.exclude(state__in=FINAL_RUN).first() or runs.first()
    return ConversationCard(
        id=found.pk,
        agent=found.agent.slug,
        agent_title=found.agent.title,
        channel=found.channel,
        end_user=found.end_user,
        customer=found.customer,
        identity_state=found.identity_state,
        head_seq=found.head_seq,
        run_id=run.pk if run else None,
        run_state=run.state if run else "",
        epoch=run.epoch if run else 0,
        handed_off=Handoff.objects.filter(conversation=found, state="open").exists(),
        badge=badge(run.model_badge if run else {}),
    )


def _found(conversation_id: UUID, end_user: str | None) -> Conversation:
    found = Conversation.objects.select_related("agent").filter(pk=conversation_id).first()
    if found is None:
        raise UnknownConversation("There is no such conversation; start a new one.")
    if end_user is not None and found.end_user != end_user:
        raise NotYours("There is no such conversation; start a new one.")
    return found
