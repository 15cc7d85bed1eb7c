"""Standing approvals: which later calls one covers, and whose place it may take. Pure.

It covers a call when every condition holds and every argument of the call was spoken of: by a
condition, or by name as one that may be anything. What cannot be answered is not covered.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from approvals.cards import Principal, Requirement, Voter
from approvals.errors import (
    PolicyInvalid,
    StandingInvalid,
    StandingNotAllowed,
    StandingNotApproved,
)
from approvals.policies.asking import Facts, holds
from approvals.policies.comparing import Truth
from approvals.policies.evaluating import GUARDRAIL, Verdict
from approvals.policies.language import ONLY, Condition, Every, Op, Path
from approvals.policies.matching import assignment
from approvals.policies.people import who_refusal
from approvals.policies.reading import conditions
from approvals.states import Says

# Bounded so that a forgotten one ends soon by itself: about a day's work of one kind of request,
# and a month, after which whoever said yes has seen the answer to none of it.
MOST_USES: Final = 50
MOST_DAYS: Final = 30
MOST_TIER: Final = 1
_ABOUT_THE_CALL: Final = frozenset({"args", "target", "before"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a later call has to be like."""

    when: tuple[Condition, ...]  # all of them have to hold
    free: tuple[Path, ...]  # arguments that may be anything, with all that is below them

    def covers(self, facts: Facts) -> bool:
        """Say whether this call was foreseen; what is unclear was not."""
        spoken_of = all(self._speaks_of(path) for path, _ in leaves(facts.args, ("args",)))
        return spoken_of and holds(Every(parts=self.when), facts) is Truth.TRUE

    def _speaks_of(self, leaf: Path) -> bool:
        return any(_is_at(leaf, one.path) for one in self.when) or any(
            _is_at(leaf[: len(path)], path) for path in self.free
        )


def terms_of(when: Sequence[Mapping[str, Any]], free: Sequence[str]) -> Terms:
    """Read what a person wrote.

    Args:
        when: {path, op, value} each, as in a policy.
        free: paths of arguments.

    Raises:
        StandingInvalid: it says nothing, or cannot be read; `details["pointer"]` says where.
    """
    found = _read("when", list(when))
    named = _read("free", [{"path": path, "op": Op.EXISTS.value} for path in free]) if free else ()
    if not any(one.path[0] in _ABOUT_THE_CALL for one in found):
        raise StandingInvalid(
            "Say at least one thing about the arguments, the target or the record before; "
            "else every call would be covered.",
            pointer="/when",
        )
    if any(one.path[0] != "args" or len(one.path) == 1 for one in named):
        raise StandingInvalid(
            "Only single arguments may be anything; name them as /args/amount.", pointer="/free"
        )
    return Terms(when=found, free=tuple(one.path for one in named))


def leaves(value: Any, at: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield every value with its path but for objects and lists; null is the same as nothing."""
    if isinstance(value, Mapping):
        for name in sorted(value):
            yield from leaves(value[name], (*at, str(name)))
    elif isinstance(value, list | tuple):
        for place, one in enumerate(value):
            yield from leaves(one, (*at, str(place)))
    elif value is not None:
        yield at, value


def stands_in(
    maker: Voter | None,
    made_fresh_s: int,
    requirement: Requirement,
    principals: Collection[Principal],
) -> bool:
    """Say whether the maker alone could give all that is asked, as it was given in advance.

    Args:
        made_fresh_s: how fresh the sign-in had to be when it was made; 0: nobody asked.
    """
    if maker is None or not requirement.standing or requirement.people > 1:
        return False
    if requirement.stepup_s and not 0 < made_fresh_s <= requirement.stepup_s:
        return False
    if who_refusal(maker, requirement, principals) is not None:
        return False
    return assignment(requirement, [maker]) is not None


def is_plain_hold(verdict: Verdict) -> bool:
    """Say whether rules hold a call that they understood, and nothing else does.

    A hold of a guardrail, of rules that failed, or of one that could not be answered is for people.
    """
    unclear = any(line["counts"] and line["result"] == Truth.ERROR for line in verdict.trace)
    return (
        verdict.says is Says.HOLD
        and not verdict.flag
        and not unclear
        and GUARDRAIL not in verdict.rules
    )


def require_standing_allowed(tier: int, requirement: Requirement) -> None:
    """Raise unless requests like this may be approved in advance at all."""
    why = ""
    if tier > MOST_TIER:
        why = "In the highest tier every request is decided by itself"
    elif requirement.people > 1:
        why = "It takes more than one person, so nobody can agree for all of them in advance"
    elif not requirement.standing:
        why = "A rule wants each request like this decided by itself"
    if why:
        raise StandingNotAllowed(f"{why}; vote on each as it comes.")


def _is_at(leaf: Path, path: Path) -> bool:
    return len(leaf) == len(path) and all(
        part in (ONLY, one) for one, part in zip(leaf, path, strict=True)
    )


def _read(name: str, body: Any) -> tuple[Condition, ...]:
    try:
        return conditions(body)
    except PolicyInvalid as error:
        place = str(error.details.get("pointer", ""))
        said = error.message.removeprefix(f"{place}: ")
        raise StandingInvalid(
            f"Condition {place or 'list'}: {said}", pointer=f"/{name}{place}"
        ) from error


def standing_not_approved() -> StandingNotApproved:
    return StandingNotApproved(
        "You have no approval of this that counts; approve a request first, and then more like it."
    )
