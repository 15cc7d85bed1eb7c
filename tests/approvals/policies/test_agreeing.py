"""C34: what rules would do is what they do.

Drawn rules are tried on drawn calls four ways before they speak (simulated on the call as it is
kept, simulated as it stands on the page, in the shadow, replayed) and then enforced on the same
calls; what a page explains of those is the fifth. All say the same, down to the places.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from approvals import commands, policies, queries
from approvals.cards import Claimed, PolicyVersionCard, ProposalCard
from approvals.models import Evaluation, RequirementRow
from approvals.states import ProposalState, Purpose, ReplaySays, Says
from console.kernel.transactions import in_tenant
from tests.approvals import desk
from tests.approvals.policies.rules import body, carried_out
from tests.approvals.policies.test_evaluating import drawn_rules, values
from tests.cast import Cast

TOOL: Final = "cancel_pending_order"  # other tools are not for these rules to say
AT_ONCE: Final = 5  # calls that one set of rules is tried on
calls = st.lists(
    st.fixed_dictionaries(
        {
            "tier": st.sampled_from([1, 1, 2]),
            "args": st.dictionaries(st.sampled_from("abc"), values, max_size=3),
            "before": st.fixed_dictionaries(
                {},
                optional={"x": st.fixed_dictionaries({"n": st.fixed_dictionaries({"v": values})})},
            ),
        }
    ),
    min_size=AT_ONCE,
    max_size=AT_ONCE,
)
BECOMES: Final = {
    Says.ALLOW: ProposalState.APPROVED,
    Says.HOLD: ProposalState.OPEN,
    Says.DENY: ProposalState.BLOCKED,
}
OTHERWISE: Final = {
    Says.ALLOW: ReplaySays.RELEASED,
    Says.DENY: ReplaySays.DENIED,
}


@dataclass(frozen=True)
class Word:
    """What rules say of one call."""

    says: Says
    rules: tuple[str, ...]
    places: tuple[Any, ...]  # blocks, where they ask for people


def opened(cast: Cast, agent: str, call: dict[str, Any]) -> ProposalCard:
    after = {**call["before"], "y": {"m": {"v": 1}}}
    return desk.opened(
        cast,
        tier=call["tier"],
        facts_=desk.facts(call["tier"], agent_id=agent),
        args=call["args"],
        before=call["before"],
        after=after,
    )


def simulated(cast: Cast, version: PolicyVersionCard, card: ProposalCard) -> Word:
    call = queries.call_of(actor=cast.noor, proposal_id=card.id)
    found = queries.simulate(actor=cast.noor, call=call, version_id=version.id)
    asked = found.requirement
    places = policies.requirement_as_dict(asked) if asked and found.says is Says.HOLD else []
    return Word(found.says, found.rules, tuple(places))


def kept(cast: Cast, card: ProposalCard, purpose: Purpose) -> Word:
    with in_tenant(cast.tenant_id, read_only=True):
        row = Evaluation.objects.get(proposal_id=card.id, purpose=purpose.value)
    return Word(Says(row.outcome), tuple(row.rules), tuple(row.blocks))


def replayed(cast: Cast, version: PolicyVersionCard) -> dict[Any, ReplaySays]:
    """Return what a replay names as different, by proposal."""
    started = commands.start_replay(actor=cast.noor, version_id=version.id, days=1)
    commands.advance_replay(actor=cast.system, replay_id=started.id)
    found = queries.replayed_calls(actor=cast.noor, replay_id=started.id, limit=1000)
    return {one.proposal_id: one.difference for one in found}


def expected(card: ProposalCard, word: Word) -> ReplaySays | None:
    """Return how a replay has to name it: before, the tier alone asked for people."""
    if word.says is not Says.HOLD:
        return OTHERWISE[word.says]
    blocks = policies.blocks_from(word.places)
    people = max(block.people for block in blocks)
    if people == card.needs:
        return None
    return ReplaySays.MORE_PEOPLE if people > card.needs else ReplaySays.FEWER_PEOPLE


class TestRules:
    @pytest.mark.parametrize("no", range(3))
    def test_do_what_was_foreseen(self, cast: Cast, no: int) -> None:
        tried: list[Says] = []

        @seed(no)
        @settings(
            max_examples=2,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(rules=drawn_rules.filter(lambda rules: len(rules) > 1), drawn=calls)
        def play(rules: list[dict[str, Any]], drawn: list[dict[str, Any]]) -> None:
            tried.extend(self.play(cast, len(tried), rules, drawn))

        play()
        assert len(tried) == 2 * AT_ONCE

    def play(
        self, cast: Cast, no: int, rules: Sequence[dict[str, Any]], drawn: list[dict[str, Any]]
    ) -> list[Says]:
        mine = [
            {**one, "match": {**one["match"], "tool": TOOL},
             **({"sample": "0"} if one["effect"] == "allow" else {})}
            for one in rules
        ]  # fmt: skip
        policy = body(*mine, name=f"drawn-{no}")
        version = commands.add_version(actor=cast.noor, body=policy)
        commands.shadow_version(actor=cast.noor, version_id=version.id, on=True)
        before = [opened(cast, f"before-{no}", call) for call in drawn]
        foreseen = [simulated(cast, version, card) for card in before]
        assert [kept(cast, card, Purpose.SHADOW) for card in before] == foreseen
        told = replayed(cast, version)
        named = [expected(card, word) for card, word in zip(before, foreseen, strict=True)]
        assert [told.get(card.id) for card in before] == named

        agreed = carried_out(cast, version)
        commands.activate_version(actor=cast.system, version_id=version.id, proposal_id=agreed)
        for call, word in zip(drawn, foreseen, strict=True):
            self.enforced(cast, opened(cast, f"after-{no}", call), word)
        over = carried_out(cast, version, "policy.retire")
        commands.retire_version(actor=cast.system, version_id=version.id, proposal_id=over)
        return [word.says for word in foreseen]

    def enforced(self, cast: Cast, card: ProposalCard, word: Word) -> None:
        """See to it that the gate does what was said, and that the page explains just that."""
        assert kept(cast, card, Purpose.PROPOSE) == word
        assert card.state is BECOMES[word.says]
        shown = queries.explain(actor=cast.ruth, proposal_id=card.id)
        assert shown.evaluation is not None
        assert (shown.evaluation.says, shown.evaluation.rules) == (word.says, word.rules)
        with in_tenant(cast.tenant_id, read_only=True):
            asked = RequirementRow.objects.get(proposal_id=card.id)
            parts = queries.proposal(actor=cast.system, proposal_id=card.id).content
        if word.says is Says.HOLD:
            assert tuple(asked.blocks) == word.places
        answer = commands.claim_dispatch(
            actor=desk.agent(cast), proposal_id=card.id, call_key=card.id, content=parts
        )
        assert isinstance(answer, Claimed) == (word.says is Says.ALLOW)
