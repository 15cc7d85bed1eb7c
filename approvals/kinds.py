"""What a proposal can be about. Rooms above register their kinds; this room never imports them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol, runtime_checkable

from approvals.cards import Background, Content, Image, Subject, Variant
from approvals.errors import NotEditable, PartOfPlan
from approvals.states import PLAN, Act
from console.kernel.actors import Actor
from console.kernel.errors import Unavailable


class Kind(Protocol):
    """One kind of subject: how its arguments look, and what they would do to its target now."""

    name: str  # Proposal.subject_kind

    def schema(self, *, actor: Actor, tool: str) -> Mapping[str, Any]:
        """Return the JSON Schema of the arguments that this tool takes."""
        ...

    def content(
        self, *, actor: Actor, subject: Subject, tool: str, args: Mapping[str, Any]
    ) -> Content:
        """Return what these arguments would do to the target as it is at this moment.

        Read under the target's row lock where the target is ours, so that it holds until the
        transaction ends.

        Raises:
            DoesNotFit: the arguments do not fit the schema; `fields` has JSON pointers.
            NotFound: the subject is gone, or its tool is.
            ConsoleError: a rule of the target refuses them, in its own words.
        """
        ...

    def apply(self, *, actor: Actor, subject: Subject, content: Content) -> Image | None:
        """Make the change, in the transaction that dispatches it, and return the after-image.

        None for kinds that somebody else carries out: a tool call is run by its runtime.
        """
        ...


@runtime_checkable
class Watched(Protocol):
    """A kind whose target can be looked at without planning anything."""

    def observe(
        self, *, actor: Actor, subject: Subject, tool: str, args: Mapping[str, Any]
    ) -> Content:
        """Return what the target is now, as the before-image; the after-image is empty.

        Raises:
            NotFound: the subject is gone, or its tool is.
        """
        ...

    def gap(self, *, tool: str) -> str:
        """Return a sentence about the moment in which a target may still change, or ""."""
        ...


@runtime_checkable
class Elsewhere(Protocol):
    """A kind whose target may lie outside of this database."""

    def is_elsewhere(self, *, tool: str) -> bool:
        """Say whether it does: then it is looked at outside of every transaction."""
        ...


@runtime_checkable
class Titled(Protocol):
    """A kind whose title follows from the arguments."""

    def title(self, *, tool: str, args: Mapping[str, Any]) -> str:
        """Return verb and object, in our own words; "" keeps the title that there is."""
        ...


@runtime_checkable
class Reconciled(Protocol):
    """A kind whose own room has to know, too, what became of an unknown dispatch."""

    def reconcile(self, *, actor: Actor, subject: Subject, happened: bool, evidence: str) -> None:
        """Take a person's word for it, and report it as the outcome of the dispatch.

        Raises:
            ConsoleError: the outcome is known already, or the actor may not say it.
        """
        ...


@runtime_checkable
class Spoiled(Protocol):
    """A kind whose real changes can be made bad, for the checks that are planted among reviews."""

    name: str

    def bad_variants(self, *, content: Content, others: Sequence[Content]) -> Sequence[Variant]:
        """Return every way to make a content bad so that a careful reader rejects it.

        Args:
            others: contents of the same kind that people agreed to lately.
        """
        ...


_KINDS: Final[dict[str, Kind]] = {}


def register(kind: Kind) -> None:
    """Make a kind known; once for each name, when its app is ready."""
    if kind.name in _KINDS:
        raise RuntimeError(f"There are two kinds of the name {kind.name}.")
    _KINDS[kind.name] = kind


def kind_of(name: str) -> Kind | None:
    """Return the kind, or None if its room does not offer one: then its content is not edited."""
    return _KINDS.get(name)


def title_of(name: str, content: Content, old: str) -> str:
    """Return the title of a content; the old one where its kind has no words for it."""
    kind: object = kind_of(name)
    found = kind.title(tool=content.tool, args=content.args) if isinstance(kind, Titled) else ""
    return found or old


def gap_of(name: str, tool: str) -> str:
    """Return what may still happen between the last look at a target and the change, or ""."""
    kind: object = kind_of(name)
    return kind.gap(tool=tool) if isinstance(kind, Watched) else ""


def is_elsewhere(name: str, tool: str) -> bool:
    """Say whether a target lies outside, so that nothing may be held while it is looked at."""
    kind: object = kind_of(name)
    return kind.is_elsewhere(tool=tool) if isinstance(kind, Elsewhere) else False


def spoiled_kinds() -> list[str]:
    """Return the kinds of which checks can be made."""
    return sorted(name for name, kind in _KINDS.items() if isinstance(kind, Spoiled))


def bad_variants(name: str, content: Content, others: Sequence[Content]) -> Sequence[Variant]:
    """Return every way to make a content bad; none where its kind knows none."""
    kind: object = kind_of(name)
    if not isinstance(kind, Spoiled):
        return ()
    return kind.bad_variants(content=content, others=others)


class ReadBackground(Protocol):
    """Says where a proposal comes from: the last of what was said, and whose words it uses."""

    def __call__(
        self, *, actor: Actor, subject: Subject, args: Mapping[str, Any]
    ) -> Background | None:
        """Return it, or None if there is none or the actor may not read it."""
        ...


_BACKGROUNDS: Final[dict[str, ReadBackground]] = {}


def register_background(name: str, read: ReadBackground) -> None:
    """Make known who can say where proposals of a kind come from, when its app is ready."""
    _BACKGROUNDS[name] = read


def background_of(*, actor: Actor, subject: Subject, args: Mapping[str, Any]) -> Background | None:
    """Return where a proposal comes from, as the room says that made it."""
    read = _BACKGROUNDS.get(subject.kind)
    return read(actor=actor, subject=subject, args=args) if read else None


class Permit(Protocol):
    """Says whether a stop stands against an agent that runs elsewhere."""

    def __call__(
        self, *, actor: Actor, act: Act, agent: str, tool: str, tier: int, subject: Subject
    ) -> None:
        """Hold up every stop until the transaction ends, and raise if one stands against the act.

        Call it before anything else is locked.

        Raises:
            ConsoleError: a stop stands against it, or nobody can say.
        """
        ...


_PERMITS: Final[list[Permit]] = []


def register_permit(permit: Permit) -> None:
    """Make known who knows the stops, when its app is ready."""
    _PERMITS[:] = [permit]


def require_permit(
    *, actor: Actor, act: Act, agent: str, tool: str, tier: int, subject: Subject
) -> None:
    """Raise if a stop stands against an external agent's act, as `Permit` says."""
    if not _PERMITS:
        raise Unavailable("The stops cannot be looked up here, so nothing is done; try again.")
    for permit in _PERMITS:
        permit(actor=actor, act=act, agent=agent, tool=tool, tier=tier, subject=subject)


class Plans:
    """The kind `plan`: its changes have kinds of their own, and it is never changed in place."""

    name = PLAN

    def schema(self, *, actor: Actor, tool: str) -> Mapping[str, Any]:
        """Refuse: a changed plan is another plan."""
        del actor, tool
        raise _another_plan()

    def content(
        self, *, actor: Actor, subject: Subject, tool: str, args: Mapping[str, Any]
    ) -> Content:
        """Refuse: a changed plan is another plan."""
        del actor, subject, tool, args
        raise _another_plan()

    def apply(self, *, actor: Actor, subject: Subject, content: Content) -> Image | None:
        """Leave it to its changes."""
        del actor, subject, content
        return None

    def reconcile(self, *, actor: Actor, subject: Subject, happened: bool, evidence: str) -> None:
        """Refuse: what nobody knows is one change, and it is settled there."""
        del actor, subject, happened, evidence
        raise PartOfPlan("Nobody knows about one change of this plan; say it on the page of that.")


def _another_plan() -> NotEditable:
    return NotEditable(
        "A plan is not changed in place; ask for changes, or reject it, and the agent proposes "
        "another plan."
    )
