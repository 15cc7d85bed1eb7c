"""Versions of policies: drafts, the shadow, and who lets them speak."""

from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from approvals import commands, queries
from approvals.cards import PolicyVersionCard, Subject
from approvals.commands.versioning import ACTIVATE, RETIRE, SUBJECT
from approvals.errors import PolicyConflict, PolicyInvalid
from approvals.states import NEXT_POLICY, PolicyState
from console.kernel.errors import ConsoleError, NotAllowed, NotFound
from tests.accounts import trail
from tests.approvals import desk
from tests.approvals.policies.rules import body, carried_out, rule, silenced, spoken
from tests.approvals.sql import as_owner, refused, run
from tests.cast import Cast
from tests.races.test_votes import at_once


def drafted(cast: Cast, name: str = "shop-writes", effect: str = "deny") -> PolicyVersionCard:
    return commands.add_version(actor=cast.noor, body=body(rule("a", effect), name=name))


class TestAddVersion:
    def test_numbers_versions_and_keeps_them(self, cast: Cast) -> None:
        one, two = drafted(cast), drafted(cast, effect="allow")
        assert (one.no, two.no, two.state) == (1, 2, PolicyState.DRAFT)
        assert queries.version(actor=cast.noor, version_id=one.id).body == body(rule("a", "deny"))
        assert trail.actions(cast, "policy.") == ["policy.drafted"] * 2

    def test_returns_the_newest_for_the_same_body(self, cast: Cast) -> None:
        assert drafted(cast).id == drafted(cast).id

    def test_refuses_a_body_with_a_fault(self, cast: Cast) -> None:
        with pytest.raises(PolicyInvalid, match="/rules/0/effect"):
            drafted(cast, effect="perhaps")

    def test_needs_the_right(self, cast: Cast) -> None:
        for actor in (cast.ruth, cast.omar):
            with pytest.raises(NotAllowed, match=r"policies\.manage"):
                commands.add_version(actor=actor, body=body(rule("a", "deny")))


class TestActivateVersion:
    def test_lets_a_version_speak(self, cast: Cast) -> None:
        one = spoken(cast, rule("a", "deny"))
        found = queries.version(actor=cast.noor, version_id=one.id)
        assert (found.state, found.digest) == (PolicyState.ACTIVE, one.digest)

    def test_retires_the_one_before_in_the_same_act(self, cast: Cast) -> None:
        refund = {"match": {"tool": "refund.*"}}
        one = spoken(cast, rule("a", "deny", **refund))
        two = spoken(cast, rule("b", "deny", **refund))
        states = {v.no: v.state for v in queries.policy_versions(actor=cast.noor)}
        assert states == {1: PolicyState.RETIRED, 2: PolicyState.ACTIVE}
        assert [v.id for v in queries.active_policies(actor=cast.noor)] == [two.id]
        told = [e for e in trail.events(cast) if e["action"] == "policy.activated"]
        assert told[-1]["bind"]["retired_id"] == str(one.id)

    def test_is_the_same_twice(self, cast: Cast) -> None:
        version = drafted(cast)
        proposal_id = carried_out(cast, version)
        first, again = (
            commands.activate_version(
                actor=cast.system, version_id=version.id, proposal_id=proposal_id
            )
            for _ in range(2)
        )
        assert first == again
        assert trail.actions(cast, "policy.activated") == ["policy.activated"]

    def test_refuses_everybody_whom_nobody_agreed_with(self, cast: Cast) -> None:
        version, other = drafted(cast), drafted(cast, name="other")
        ticket: dict[str, Any] = {"tool": ACTIVATE, "args": {}, "before": {}, "after": {}}
        mine = Subject(kind=SUBJECT, id=version.id)
        opened = desk.opened(cast, tier=2, subject=mine, **ticket)
        about_another = carried_out(cast, other)
        to_retire = carried_out(cast, version, RETIRE)
        low = desk.opened(cast, tier=1, subject=Subject(kind="tool_call", id=version.id), **ticket)
        for proposal_id in (opened.id, about_another, to_retire, low.id):
            with pytest.raises(PolicyConflict, match="Nobody agreed"):
                commands.activate_version(
                    actor=cast.noor, version_id=version.id, proposal_id=proposal_id
                )
        with pytest.raises(NotFound):
            commands.activate_version(actor=cast.noor, version_id=version.id, proposal_id=uuid4())

    def test_lets_one_of_two_at_once_speak(self, cast: Cast) -> None:
        versions = [drafted(cast), drafted(cast, effect="allow")]
        agreed = [carried_out(cast, version) for version in versions]
        acts = [
            partial(
                commands.activate_version,
                actor=cast.system,
                version_id=version.id,
                proposal_id=proposal_id,
            )
            for version, proposal_id in zip(versions, agreed, strict=True)
        ]
        assert not [one for one in at_once(acts) if isinstance(one, ConsoleError)]
        assert len(queries.active_policies(actor=cast.noor)) == 1


class TestRetireVersion:
    def test_takes_back_a_rule_that_denies_everything(self, cast: Cast) -> None:
        version = spoken(cast, rule("nothing", "deny"))
        assert desk.opened(cast).state == "blocked"
        silenced(cast, version)
        assert desk.opened(cast).state == "open"

    def test_needs_whom_a_rule_about_rules_asks_for_as_well(self, cast: Cast) -> None:
        legal = {"all": [{"slots": [{"groups": ["legal"]}]}]}
        spoken(cast, rule("lawyers", "hold", match={"tool": "policy.*"}, require=legal))
        version = drafted(cast, name="other")
        subject = Subject(kind=SUBJECT, id=version.id)
        card = desk.opened(cast, tier=2, subject=subject, tool=ACTIVATE)
        blocks = desk.now(cast, card).requirement.blocks
        assert [block.people for block in blocks] == [1, 2]

    def test_silences_a_version_with_the_word_of_people(self, cast: Cast) -> None:
        version = spoken(cast, rule("a", "deny", match={"tool": "refund.*"}))
        assert silenced(cast, version).state is PolicyState.RETIRED
        assert queries.active_policies(actor=cast.noor) == ()

    def test_is_not_had_by_discarding(self, cast: Cast) -> None:
        version = spoken(cast, rule("a", "allow"))
        with pytest.raises(PolicyConflict, match="propose to retire"):
            commands.discard_version(actor=cast.noor, version_id=version.id)


class TestShadowVersion:
    def test_takes_one_of_each_policy(self, cast: Cast) -> None:
        one, two = drafted(cast), drafted(cast, effect="allow")
        commands.shadow_version(actor=cast.noor, version_id=one.id, on=True)
        with pytest.raises(PolicyConflict, match="in the shadow"):
            commands.shadow_version(actor=cast.noor, version_id=two.id, on=True)
        commands.shadow_version(actor=cast.noor, version_id=one.id, on=False)
        commands.shadow_version(actor=cast.noor, version_id=two.id, on=True)

    def test_refuses_a_version_that_was_put_away(self, cast: Cast) -> None:
        one = drafted(cast)
        commands.discard_version(actor=cast.noor, version_id=one.id)
        with pytest.raises(PolicyConflict, match="write a new version"):
            commands.shadow_version(actor=cast.noor, version_id=one.id, on=True)


class TestConstraints:
    """What raw SQL cannot do either."""

    @pytest.mark.parametrize("before", list(PolicyState))
    def test_moves_are_those_of_the_table(self, cast: Cast, before: PolicyState) -> None:
        version = at_state(cast, before)
        sql = "UPDATE approvals_policyversion SET state = %(state)s WHERE id = %(id)s"
        for after in set(PolicyState) - {before}:
            allowed = after in NEXT_POLICY[before]
            agreed = "policy_was_agreed" if after is PolicyState.ACTIVE else "SB001"
            # What is a legal move fails for want of people's word, or of an audit event.
            with refused(agreed if allowed else "policy_only_moves"):
                run(cast, sql, state=after.value, id=version.id)

    def test_a_version_is_born_a_draft(self, cast: Cast) -> None:
        one = drafted(cast)
        sql = (
            "INSERT INTO approvals_policyversion (id, tenant_id, policy, no, body, digest, state, "
            "note, author, author_id, moved_at) SELECT gen_random_uuid(), tenant_id, policy, 9, "
            "body, digest, 'shadow', '', '', '', now() FROM approvals_policyversion "
            "WHERE id = %(id)s"
        )
        with refused("policy_only_moves"):
            run(cast, sql, id=one.id)

    def test_a_body_never_changes(self, cast: Cast) -> None:
        one = drafted(cast)
        with as_owner() as owner, pytest.raises(Exception, match="policy_only_moves"):
            owner.execute(
                "UPDATE approvals_policyversion SET state = 'shadow', body = '{}', "
                "digest = sha256('{}') WHERE id = %s",
                [one.id],
            )

    @pytest.mark.parametrize("table", ["evaluation", "policyversion"])
    def test_nothing_is_deleted(self, cast: Cast, table: str) -> None:
        drafted(cast)
        desk.opened(cast)
        with as_owner() as owner, pytest.raises(Exception, match=r"refused|append"):
            owner.execute(f"DELETE FROM approvals_{table} WHERE tenant_id = %s", [cast.tenant_id])

    def test_evaluations_never_change(self, cast: Cast) -> None:
        desk.opened(cast)
        with as_owner() as owner, pytest.raises(Exception, match=r"append|refused"):
            owner.execute(
                "UPDATE approvals_evaluation SET outcome = 'allow' WHERE tenant_id = %s",
                [cast.tenant_id],
            )

    def test_one_of_a_policy_speaks(self, cast: Cast) -> None:
        spoken(cast, rule("a", "allow"))
        other = drafted(cast)
        agreed = carried_out(cast, other)
        with refused("policy_one_active"):
            run(
                cast,
                "UPDATE approvals_policyversion SET state = 'active', activated_by = %(by)s "
                "WHERE id = %(id)s",
                by=agreed,
                id=other.id,
            )


def at_state(cast: Cast, state: PolicyState) -> PolicyVersionCard:
    if state is PolicyState.ACTIVE:
        return spoken(cast, rule("a", "allow"))
    version = drafted(cast)
    if state is PolicyState.SHADOW:
        commands.shadow_version(actor=cast.noor, version_id=version.id, on=True)
    if state is PolicyState.RETIRED:
        commands.discard_version(actor=cast.noor, version_id=version.id)
    return version
