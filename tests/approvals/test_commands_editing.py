from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from approvals import commands, queries
from approvals.cards import Principal, ProposalDetail
from approvals.errors import (
    AlreadyDecided,
    DoesNotFit,
    EditByMachine,
    NotEditable,
    NothingChanged,
    PolicyDenied,
    ProposalExpired,
    StaleRevision,
    ToolChanged,
    VoteByPrincipal,
    VoteNotEligible,
)
from approvals.states import PrincipalRole, ProposalState
from console.kernel import clock
from console.kernel.actors import ActorKind
from console.kernel.errors import BadInput, NotAllowed, NotFound
from tests.approvals import desk, sql
from tests.approvals.desk import agent, approve, now
from tests.approvals.letters import ARGS, DRAWER, TOOL, edit, letter, opened
from tests.approvals.policies import rules
from tests.cast import Cast

MORE = {"to": "Mia", "stamps": 3}


def actions(detail: ProposalDetail) -> list[str]:
    return [line.action for line in detail.history]


class TestEdit:
    def test_makes_a_new_revision_with_the_changed_paths(self, cast: Cast) -> None:
        card = opened(cast)

        new = edit(card, cast.ruth, args={"to": "Noa", "stamps": 3})

        detail = now(cast, card)
        assert (new.revision_no, detail.card.revision_no) == (2, 2)
        assert new.digest == detail.content.digest.hex() != card.digest
        assert detail.content.args == {"to": "Noa", "stamps": 3}
        assert detail.card.title == "Post a letter to Noa"
        found = sql.run(
            cast,
            "SELECT cause, author, changed_paths FROM approvals_revision"
            " WHERE proposal_id = %(id)s AND no = 2",
            id=card.id,
        )
        assert found == [("edited", "Ruth", ["/stamps", "/to"])]
        assert actions(detail) == ["proposal.opened", "proposal.revised"]

    def test_voids_votes_and_bars_the_editor(self, cast: Cast) -> None:
        """I9: what was agreed to is not what would run any more."""
        card = opened(cast, tier=2)
        approve(card, cast.ruth)

        new = edit(card, cast.ines)

        with pytest.raises(VoteByPrincipal, match="You edited the proposal"):
            approve(new, cast.ines)
        detail = now(cast, card, cast.ruth)
        assert detail.my_voided is not None
        assert detail.my_voided.void_cause == "edited"
        assert [p.person_id for p in detail.principals if p.role is PrincipalRole.EDITOR] == [
            UUID(cast.ines.id)
        ]
        assert approve(new, cast.ruth).state is ProposalState.OPEN

    def test_bars_the_editor_by_raw_sql_too(self, cast: Cast) -> None:
        new = edit(opened(cast), cast.ruth)
        with sql.refused("vote_not_by_principal"):
            sql.run(
                cast,
                """INSERT INTO approvals_vote (id, tenant_id, proposal_id, revision_id, digest,
                     person_id, person_label, choice, reason_code, note, agent_message, session,
                     event_uid, cast_at, void_cause)
                   SELECT gen_random_uuid(), tenant_id, proposal_id, id, digest, %(who)s, 'R',
                     'approve', '', '', '', repeat('a', 64), gen_random_uuid(), now(), ''
                   FROM approvals_revision WHERE proposal_id = %(id)s AND no = 2""",
                who=cast.ruth.id,
                id=new.id,
            )

    def test_takes_an_approval_back_to_people_with_the_whole_time(self, cast: Cast) -> None:
        card = opened(cast)
        approve(card, cast.ruth)
        with clock.frozen(clock.later(card.opened_at, seconds=600)):
            new = edit(card, cast.ines)

        detail = now(cast, card)
        assert new.state is ProposalState.OPEN
        assert detail.decision is None
        assert new.decide_by == clock.later(card.decide_by, seconds=600)
        assert actions(detail)[-3:] == ["vote.voided", "proposal.reopened", "proposal.revised"]
        content = letter(detail.card.subject.id, ARGS)
        claimed = commands.claim_dispatch(
            actor=agent(cast), proposal_id=card.id, call_key=card.id, content=content
        )
        assert claimed.code == "proposal.open"  # type: ignore[union-attr]

    def test_keeps_the_time_of_an_open_one(self, cast: Cast) -> None:
        card = opened(cast)
        with clock.frozen(clock.later(card.opened_at, seconds=600)):
            assert edit(card, cast.ruth).decide_by == card.decide_by

    def test_puts_a_stale_one_on_the_new_base(self, cast: Cast) -> None:
        card = opened(cast, tier=2)
        DRAWER[card.subject.id]["state"] = "weighed"
        assert commands.probe(actor=cast.system, proposal_id=card.id, every_s=0)

        new = edit(card, cast.ruth)

        detail = now(cast, card)
        assert new.state is ProposalState.OPEN
        assert detail.content.before == {"letters": {"L1": {"state": "weighed"}}}
        assert detail.drift == ()

    def test_lets_an_editor_edit_again(self, cast: Cast) -> None:
        first = edit(opened(cast), cast.ruth)
        second = edit(first, cast.ruth, args={"to": "Mia", "stamps": 4})
        assert second.revision_no == 3
        roles = [p.role for p in now(cast, first).principals]
        assert roles.count(PrincipalRole.EDITOR) == 1

    def test_flags_that_nobody_eligible_is_left(self, cast: Cast) -> None:
        """Regression: gitlab work item 480412, a dead end after changes were requested."""
        card = opened(cast, tier=2)
        assert not now(cast, card).unfillable
        edit(card, cast.ines)
        detail = now(cast, card)
        assert detail.unfillable
        assert "proposal.unfillable" in actions(detail)

    def test_keeps_the_note_in_the_thread_and_the_trail(self, cast: Cast) -> None:
        card = opened(cast)
        edit(card, cast.ruth, note="  Two is too few.\r\nThree.  ")
        (line,) = queries.thread(actor=cast.ines, proposal_id=card.id)
        assert (line.comment.text, line.comment.revision_no) == ("Two is too few.\nThree.", 2)

    def test_works_under_a_stop(self, cast: Cast) -> None:
        card = opened(cast)
        commands.freeze(
            actor=cast.system, proposal_ids=[card.id], cause="a stop", since=clock.now()
        )
        assert edit(card, cast.ruth).revision_no == 2


class TestEditRefusals:
    def test_another_tool(self, cast: Cast) -> None:
        """Regression: langchain-ai/langchain#40166, an edit may switch the tool."""
        card = opened(cast)
        with pytest.raises(ToolChanged) as refused:
            edit(card, cast.ruth, tool="burn_letter")
        assert (refused.value.code, refused.value.status) == ("edit.tool_changed", 409)
        assert edit(card, cast.ruth, tool=TOOL).revision_no == 2

    @pytest.mark.parametrize(
        ("args", "pointers"),
        [
            ({"to": "Mia", "stamps": "3"}, {"/stamps"}),
            ({"stamps": 3}, {"/to"}),
            ({"to": "Mia", "stamps": 3, "x": 1}, {"/x"}),
            ({"to": "Mia", "stamps": 3.5}, {""}),
        ],
    )
    def test_values_of_another_type(
        self, cast: Cast, args: dict[str, Any], pointers: set[str]
    ) -> None:
        card = opened(cast)
        with pytest.raises(DoesNotFit) as refused:
            edit(card, cast.ruth, args=args)
        fields: Any = refused.value.details["fields"]
        assert (refused.value.code, set(fields)) == ("edit.schema", pointers)

    def test_what_has_no_canonical_form(self, cast: Cast) -> None:
        with pytest.raises(DoesNotFit):
            edit(opened(cast), cast.ruth, args={"to": "\ud800", "stamps": 3})

    def test_the_same_arguments(self, cast: Cast) -> None:
        card = opened(cast)
        with pytest.raises(NothingChanged):
            edit(card, cast.ruth, args={"stamps": 2, "to": "Mia"})
        assert actions(now(cast, card)) == ["proposal.opened"]

    def test_what_was_not_on_screen(self, cast: Cast) -> None:
        card = opened(cast)
        edit(card, cast.ines)
        with pytest.raises(StaleRevision) as refused:
            edit(card, cast.ruth, args={"to": "Mia", "stamps": 5})
        assert refused.value.details["revision"] == 2
        assert refused.value.details["changes"]

    def test_machines(self, cast: Cast) -> None:
        card = opened(cast)
        key = replace(cast.ruth, kind=ActorKind.KEY, session="")
        for machine in (key, agent(cast), cast.system, replace(cast.ruth, session="")):
            with pytest.raises(EditByMachine):
                edit(card, machine)

    def test_who_may_not_vote(self, cast: Cast) -> None:
        card = opened(cast)
        with pytest.raises(VoteByPrincipal):
            edit(card, cast.omar)
        auditor = cast.add("ada", roles=("auditor",))
        with pytest.raises(VoteNotEligible):
            edit(card, auditor)
        nobody = cast.add("nils", roles=())
        with pytest.raises(NotAllowed):
            edit(card, nobody)
        with pytest.raises(NotFound):
            edit(card, cast.mallory)

    def test_owners_who_review(self, cast: Cast) -> None:
        owner = Principal(
            role=PrincipalRole.OWNER,
            actor_kind="person",
            actor_id=cast.ruth.id,
            label="Ruth",
            person_id=UUID(cast.ruth.id),
        )
        card = opened(cast, chain=(owner,))
        with pytest.raises(VoteByPrincipal, match="own the agent"):
            edit(card, cast.ruth)

    def test_a_kind_that_offers_no_form(self, cast: Cast) -> None:
        card = desk.opened(cast)  # a tool call whose run is not there
        with pytest.raises(NotEditable):
            edit(card, cast.ruth, args={"order_id": "#W2"})

    def test_after_the_end(self, cast: Cast) -> None:
        card = opened(cast)
        desk.reject(card, cast.ruth)
        with pytest.raises(AlreadyDecided, match="rejected by Ruth"):
            edit(card, cast.ines)

    def test_too_late_and_keeps_the_expiry(self, cast: Cast) -> None:
        card = opened(cast)
        with clock.frozen(card.decide_by), pytest.raises(ProposalExpired):
            edit(card, cast.ruth)
        assert now(cast, card).card.state is ProposalState.EXPIRED

    def test_a_note_that_is_too_long(self, cast: Cast) -> None:
        with pytest.raises(BadInput):
            edit(opened(cast), cast.ruth, note="x" * 2001)

    def test_a_rule_of_the_target_in_its_own_words(self, cast: Cast) -> None:
        card = opened(cast)
        DRAWER[card.subject.id]["sealed"] = True
        with pytest.raises(BadInput, match="sealed already"):
            edit(card, cast.ruth)


class TestPreviewEdit:
    def test_says_what_would_change_and_stores_nothing(self, cast: Cast) -> None:
        card = opened(cast)
        found = commands.preview_edit(actor=cast.ruth, proposal_id=card.id, args=MORE)
        assert found.arguments == (("/stamps", 2, 3),)
        assert found.new.after["letters"]["L1"]["stamps"] == 3
        detail = now(cast, card)
        assert (detail.card.revision_no, actions(detail)) == (1, ["proposal.opened"])

    def test_refuses_as_the_edit_does(self, cast: Cast) -> None:
        card = opened(cast)
        for args, refusal in (({"to": 1}, DoesNotFit), (ARGS, NothingChanged)):
            with pytest.raises(refusal):
                commands.preview_edit(actor=cast.ruth, proposal_id=card.id, args=args)


class TestRules:
    """Another content is asked about anew; what was asked before stays asked."""

    def many(self, cast: Cast) -> None:
        rules.spoken(
            cast,
            rules.rule(
                "many",
                "hold",
                match={"tool": TOOL},
                when=rules.when("/args/stamps", "gt", "4"),
                require=rules.FINANCE,
            ),
            rules.rule(
                "too-many",
                "deny",
                match={"tool": TOOL},
                when=rules.when("/args/stamps", "gt", "7"),
            ),
        )

    def test_ask_whom_the_new_content_needs_as_well(self, cast: Cast) -> None:
        self.many(cast)
        card = opened(cast)
        pia = cast.add("pia", roles=("reviewer",), groups=("care",))

        more = edit(card, pia, args={"to": "Mia", "stamps": 5})

        assert approve(more, cast.ruth).state is ProposalState.OPEN
        assert approve(more, cast.ines).state is ProposalState.APPROVED

    def test_take_nothing_back_that_was_asked(self, cast: Cast) -> None:
        self.many(cast)
        card = opened(cast, args={"to": "Mia", "stamps": 5})
        pia = cast.add("pia", roles=("reviewer",), groups=("finance",))
        less = edit(card, pia, args={"to": "Mia", "stamps": 1})
        with pytest.raises(VoteNotEligible):
            approve(less, cast.ruth)
        assert approve(less, cast.ines).state is ProposalState.APPROVED

    def test_refuse_what_nobody_may_agree_to(self, cast: Cast) -> None:
        self.many(cast)
        card = opened(cast)
        with pytest.raises(PolicyDenied):
            edit(card, cast.ruth, args={"to": "Mia", "stamps": 8})
        assert now(cast, card).card.revision_no == 1
