"""Plans: whether changes follow one another, what all of them ask for, and what people see of it.

Pure. A plan binds its changes by their digests in their order; its images are those of its changes,
each under the number of its step, so that one difference covers all of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from hashlib import sha256
from typing import Any, Final

from approvals.cards import Content, Image, ProposalFacts, Requirement
from approvals.cards.content import PLAN_DIGEST_TYPE
from approvals.errors import PartOfPlan, PlanOfOthers, StepDoesNotFollow
from approvals.policies.composing import added, in_words
from approvals.states import FEWEST_STEPS, MOST_STEPS, PLAN

CONTRACT: Final = sha256(PLAN_DIGEST_TYPE.encode()).hexdigest()
TIER_2: Final = 2


def require_plan(contents: Sequence[Content], facts: Sequence[ProposalFacts]) -> None:
    """Raise unless these changes make a plan.

    Raises:
        PlanOfOthers: too few or too many, or of several agents or runs.
        StepDoesNotFollow: a change starts from something else than the earlier ones leave.
    """
    if not FEWEST_STEPS <= len(contents) <= MOST_STEPS:
        raise PlanOfOthers(
            f"A plan holds {FEWEST_STEPS} to {MOST_STEPS} changes, not {len(contents)}; send "
            "others, or propose a single change by itself."
        )
    if len({(one.agent_id, one.run_id, one.conversation_id) for one in facts}) > 1:
        raise PlanOfOthers("A plan is one agent's, in one run; propose the changes separately.")
    left: dict[str, dict[str, dict[str, Any]]] = {}
    for no, content in enumerate(contents, 1):
        _require_follows(no, content.before, left)
        left = overlaid(left, content)


def overlaid(
    left: Mapping[str, Mapping[str, Mapping[str, Any]]], content: Content
) -> dict[str, dict[str, dict[str, Any]]]:
    """Return the fields that are known after one more change, as far as changes tell them."""
    found = {
        kind: {key: dict(fields) for key, fields in rows.items()} for kind, rows in left.items()
    }
    for image in (content.before, content.after):
        for kind, rows in image.items():
            for key, fields in rows.items():
                known = found.setdefault(kind, {}).setdefault(key, {})
                # A field that only the before-image has is gone afterwards; missing is null.
                names = {*fields, *content.before.get(kind, {}).get(key, {})}
                now = content.after.get(kind, {}).get(key, {})
                known.update({name: now.get(name) for name in names})
    return found


def as_left(
    observed: Image, left: Mapping[str, Mapping[str, Mapping[str, Any]]]
) -> dict[str, dict[str, dict[str, Any]]]:
    """Return an image as it will be when the earlier changes of a plan were made.

    Only what the image holds anyway is replaced: which fields matter is the tool's own word.
    """
    return {
        kind: {
            key: {
                name: left.get(kind, {}).get(key, {}).get(name, value)
                for name, value in fields.items()
            }
            for key, fields in rows.items()
        }
        for kind, rows in observed.items()
    }


def combined(contents: Sequence[Content]) -> Content:
    """Return the content of the plan of these changes."""
    return Content(
        tool=PLAN,
        contract_hash=CONTRACT,
        args={"calls": [{"tool": one.tool, "args": one.args} for one in contents]},
        before=dict(_numbered([one.before for one in contents])),
        after=dict(_numbered([one.after for one in contents])),
        children=tuple(one.digest.hex() for one in contents),
    )


def require_whole(plan_pos: int | None) -> None:
    """Raise if this is one change of a plan: people decide about the plan."""
    if plan_pos is not None:
        raise PartOfPlan(
            f"This is change {plan_pos} of a plan; people decide about the plan as a whole. Open "
            "the plan."
        )


def step_of(kind: str) -> int:
    """Return to which step a kind of record in a plan's images belongs."""
    return int(kind.partition(".")[0])


def kind_of_step(kind: str) -> str:
    """Return a kind of record in a plan's images without the number of its step."""
    return kind.partition(". ")[2]


def united(requirements: Sequence[Requirement]) -> Requirement:
    """Return what several changes ask for together: every block, the strictest of the rest.

    A plan is never decided in a batch, nor by a standing approval.
    """
    # The longest first, so that a block which asks less is seen to be implied.
    ordered = sorted(requirements, key=lambda one: -one.people)
    whole = reduce(added, ordered[1:], ordered[0])
    asked = " and ".join(dict.fromkeys(in_words(block) for block in whole.blocks))
    return replace(
        whole,
        decide_s=min(one.decide_s for one in requirements),
        batch_most=0,
        standing=False,
        sample="0",
        explanation=f"A plan asks for what each of its changes asks: {asked}.",
    )


def title_of(titles: Sequence[str], most: int) -> str:
    """Return how a plan is named in lists: how many changes, and the first of them."""
    text = f"Plan of {len(titles)} changes: {titles[0]}"
    return text if len(text) <= most else f"{text[: most - 1]}…"


def undo_of(facts: Sequence[ProposalFacts]) -> str:
    """Return what undoes all of it, or "" as soon as one change cannot be undone."""
    if not all(one.undo for one in facts):
        return ""
    return "Each change is undone by itself, the last one first: " + " ".join(
        dict.fromkeys(one.undo for one in facts)
    )


def _numbered(images: Sequence[Image]) -> Iterator[tuple[str, Any]]:
    for no, image in enumerate(images, 1):
        for kind, rows in image.items():
            yield f"{no}. {kind}", rows


def _require_follows(
    no: int, before: Image, left: Mapping[str, Mapping[str, Mapping[str, Any]]]
) -> None:
    for kind, rows in before.items():
        for key, fields in rows.items():
            known = left.get(kind, {}).get(key, {})
            wrong = sorted(name for name in fields if name in known and known[name] != fields[name])
            if wrong:
                named = ", ".join(wrong[:3])
                raise StepDoesNotFollow(
                    f"Change {no} of this plan starts from another {named} of {kind} {key} than "
                    "the changes before it leave; plan it on what they leave, or propose it later.",
                    step=no,
                    record=f"{kind} {key}",
                    fields_that_differ=wrong[:10],
                )
