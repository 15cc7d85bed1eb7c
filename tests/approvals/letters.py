"""A kind of subject for tests: letters in a drawer of this process, which tests open and change."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from approvals import commands, kinds
from approvals.cards import Content, Image, ProposalCard, Subject
from approvals.errors import DoesNotFit
from console.kernel.actors import Actor
from console.kernel.errors import BadInput, NotFound
from console.kernel.ids import uuid7
from tests.approvals.desk import agent, facts, principals
from tests.cast import Cast

KIND = "letter"
TOOL = "post_letter"
CONTRACT = "1" * 64
SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["to", "stamps"],
    "properties": {
        "to": {"type": "string", "maxLength": 40, "description": "Who gets it."},
        "stamps": {"type": "integer", "minimum": 1, "maximum": 9},
        "class": {"type": "string", "enum": ["first", "second"]},
        "signed": {"type": "boolean"},
        "lines": {"type": "array", "items": {"type": "string"}, "maxItems": 5},
        "address": {
            "type": "object",
            "additionalProperties": False,
            "required": ["city"],
            "properties": {"city": {"type": "string"}, "zip": {"type": "string"}},
        },
    },
}
ARGS: dict[str, Any] = {"to": "Mia", "stamps": 2}

DRAWER: dict[UUID, dict[str, Any]] = {}  # what lies at the target of each subject
CONTRACTS: dict[UUID, str] = {}


class Letters:
    """The kind; its target is whatever the test put into the drawer."""

    name = KIND

    def schema(self, *, actor: Actor, tool: str) -> Mapping[str, Any]:
        return SCHEMA

    def content(
        self, *, actor: Actor, subject: Subject, tool: str, args: Mapping[str, Any]
    ) -> Content:
        self.observe(actor=actor, subject=subject, tool=tool, args=args)
        _require(args)
        if DRAWER[subject.id].get("sealed"):
            raise BadInput("The letter is sealed already.", fields={})
        return letter(subject.id, args)

    def observe(
        self, *, actor: Actor, subject: Subject, tool: str, args: Mapping[str, Any]
    ) -> Content:
        if subject.id not in DRAWER:
            raise NotFound("There is no such letter.")
        return Content(
            tool=tool,
            contract_hash=CONTRACTS.get(subject.id, CONTRACT),
            args=args,
            before=_image(subject.id),
            after={},
        )

    def apply(self, *, actor: Actor, subject: Subject, content: Content) -> Image | None:
        return None

    def title(self, *, tool: str, args: Mapping[str, Any]) -> str:
        return f"Post a letter to {args['to']}"

    def gap(self, *, tool: str) -> str:
        return "A moment remains."


def letter(subject: UUID, args: Mapping[str, Any]) -> Content:
    before = _image(subject)
    fields = before["letters"]["L1"]
    return Content(
        tool=TOOL,
        contract_hash=CONTRACTS.get(subject, CONTRACT),
        args=args,
        before=before,
        after={"letters": {"L1": {**fields, **args}}},
    )


def opened(cast: Cast, *, tier: int = 1, **more: Any) -> ProposalCard:
    """Open a proposal about a letter that nobody else has."""
    subject = Subject(kind=KIND, id=uuid7())
    chain = more.pop("chain", None) or principals(cast)
    DRAWER[subject.id] = {"state": "draft", **more.pop("target", {})}
    return commands.open_proposal(
        actor=agent(cast),
        subject=subject,
        content=letter(subject.id, more.pop("args", ARGS)),
        facts=facts(tier, title="Post a letter to Mia", **more),
        principals=chain,
    )


def edit(card: ProposalCard, actor: Actor, **other: Any) -> ProposalCard:
    values: dict[str, Any] = {
        "proposal_id": card.id,
        "revision_no": card.revision_no,
        "seen_digest": card.digest,
        "args": {"to": "Mia", "stamps": 3},
    }
    return commands.edit(actor=actor, **{**values, **other})


def _image(subject: UUID) -> dict[str, dict[str, dict[str, Any]]]:
    return {"letters": {"L1": dict(DRAWER[subject])}}


def _require(args: Mapping[str, Any]) -> None:
    fields = {
        f"/{name}": "this value is missing." for name in SCHEMA["required"] if name not in args
    }
    fields |= {f"/{n}": "this name is not known." for n in args if n not in SCHEMA["properties"]}
    if not isinstance(args.get("stamps", 1), int) or isinstance(args.get("stamps"), bool):
        fields["/stamps"] = "this has to be of type integer."
    if fields:
        first = next(iter(fields))
        raise DoesNotFit(f"{first}: {fields[first]}", fields=fields)


kinds.register(Letters())
