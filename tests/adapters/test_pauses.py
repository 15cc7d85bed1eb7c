"""The adapter as an agent uses it: over HTTP, with pauses as AG-UI and LangChain write them."""

import importlib.util
import json
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from typing_extensions import override

from approvals import commands, queries
from approvals.cards import ProposalCard
from approvals.states import Choice, DispatchState, ProposalState
from console.kernel import clock
from tests.approvals import outsider as them
from tests.approvals.desk import now, shown, vote
from tests.approvals.outsider import CONTRACT, TOOL, named
from tests.approvals.web import server, until
from tests.cast import Cast

__all__ = ["server"]  # a fixture

FILE = Path(settings.BASE_DIR) / "deploy" / "adapters" / "signalbox_pauses.py"
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["customer", "phone"],
    "properties": {"customer": {"type": "string"}, "phone": {"type": "string"}},
}
NEW = "+1 555 0100"
APPROVES: dict[str, Any] = {"type": "object", "properties": {"approved": {"type": "boolean"}}}
EDITS = {"type": "object", "properties": {**APPROVES["properties"], "editedArgs": {}}}


def pauses() -> Any:
    spec = importlib.util.spec_from_file_location("signalbox_pauses", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


P = pauses()


class Agent:
    """An agent with one tool, which changes the phones of its own system."""

    def __init__(self, url: str, key: str) -> None:
        self.phones = {"c-17": "+1 555 0199", "c-18": "+1 555 0198"}
        self.runs: list[dict[str, Any]] = []
        tool = P.Tool(
            name="update_phone",
            registered=TOOL,
            contract=CONTRACT,
            title=lambda args: f"Change the phone of customer {args['customer']}",
            before=lambda args: self.image(args["customer"]),
            after=lambda args, _before: {"customer": {args["customer"]: {"phone": args["phone"]}}},
        )
        self.desk = P.Desk(url, key, [tool])
        self.agui = P.AgUi(self.desk)

    def image(self, customer: str) -> dict[str, Any]:
        return {"customer": {customer: {"phone": self.phones[customer]}}}

    def update_phone(self, **args: Any) -> Any:
        return self.desk.perform("update_phone", args, self.write)

    def write(self, args: dict[str, Any]) -> str:
        self.runs.append(args)
        self.phones[args["customer"]] = args["phone"]
        return "done"

    def paused(self, *interrupts: dict[str, Any], phone: str = NEW) -> dict[str, Any]:
        """Stream one call of the tool, and end the run with interrupts; return its last event."""
        args = json.dumps({"customer": "c-17", "phone": phone})
        self.agui.see({"type": "RUN_STARTED", "threadId": "t1", "runId": "r1"})
        self.agui.see(
            {"type": "TOOL_CALL_START", "toolCallId": "tc-1", "toolCallName": "update_phone"}
        )
        for delta in (args[:9], args[9:]):
            self.agui.see({"type": "TOOL_CALL_ARGS", "toolCallId": "tc-1", "delta": delta})
        outcome = {"type": "interrupt", "interrupts": list(interrupts)}
        return {"type": "RUN_FINISHED", "threadId": "t1", "runId": "r1", "outcome": outcome}


class InBetween(BaseHTTPRequestHandler):
    """What stands before a server that is away."""

    def do_POST(self) -> None:
        self.send_error(502)

    @override
    def log_message(self, *_words: object) -> None:
        """Say nothing; the test does."""


def interrupt(**other: Any) -> dict[str, Any]:
    values = {"id": "i-1", "reason": "tool_call", "toolCallId": "tc-1", "responseSchema": APPROVES}
    return {**values, **other}


@pytest.fixture
def cast() -> Cast:
    return them.with_tool(SCHEMA)


@pytest.fixture
def agent(cast: Cast, server: str) -> Agent:
    return Agent(server, them.outsider(cast).secret)


@pytest.fixture
def crew(cast: Cast) -> Iterator[ThreadPoolExecutor]:
    """Give threads for what waits for people; a test that fails leaves nobody waiting."""
    with ThreadPoolExecutor(max_workers=2) as found:
        yield found
        for one in queries.live_outside(actor=cast.system):
            commands.withdraw(actor=cast.system, proposal_id=one, cause="over")


def asked(cast: Cast, count: int = 1) -> list[ProposalCard]:
    """Wait until so many requests wait for people."""
    until(lambda: len(queries.live_outside(actor=cast.system)) == count)
    cards = [now(cast, named(one)).card for one in queries.live_outside(actor=cast.system)]
    return sorted(cards, key=lambda card: card.title)


def say(cast: Cast, card: ProposalCard, choice: Choice) -> None:
    vote(shown(card, cast.ruth), cast.ruth, choice)


def entry(answering: "Future[Any]") -> dict[str, Any]:
    (found,) = answering.result(timeout=30)
    return dict(found)


class TestAgUi:
    def test_resumes_with_what_people_agreed_to_and_runs_it_once(
        self, cast: Cast, agent: Agent, crew: ThreadPoolExecutor
    ) -> None:
        finished = agent.paused(interrupt())
        with pytest.raises(P.NotAgreed):
            agent.update_phone(customer="c-17", phone=NEW)
        answering = crew.submit(agent.agui.resume, finished)
        (card,) = asked(cast)
        assert card.title == "Change the phone of customer c-17"
        say(cast, card, Choice.APPROVE)

        found = entry(answering)
        assert found.keys() == {"interruptId", "status", "payload", "metadata"}
        assert (found["interruptId"], found["status"]) == ("i-1", "resolved")
        assert found["payload"] == {"approved": True}
        assert found["metadata"]["signalbox"]["proposal"] == str(card.id)
        # A resent resume asks nobody again, and its answer is the same.
        assert agent.agui.resume(finished)[0]["payload"] == {"approved": True}
        assert agent.update_phone(customer="c-17", phone=NEW) == "done"
        dispatch = now(cast, card).dispatch
        assert dispatch is not None
        assert dispatch.state is DispatchState.SUCCEEDED
        agent.agui.resume(finished)
        with pytest.raises(P.NotAgreed, match="taken up before"):
            agent.update_phone(customer="c-17", phone=NEW)
        assert agent.runs == [{"customer": "c-17", "phone": NEW}]

    def test_denies_inside_the_payload_and_answers_nothing_else(
        self, cast: Cast, agent: Agent, crew: ThreadPoolExecutor
    ) -> None:
        other = {"id": "i-2", "reason": "input_required", "message": "Which one?"}
        answering = crew.submit(agent.agui.resume, agent.paused(interrupt(), other))
        (card,) = asked(cast)
        say(cast, card, Choice.REJECT)

        denied, left = answering.result(timeout=30)
        assert (denied["status"], denied["payload"]) == ("resolved", {"approved": False})
        assert "People rejected it" in denied["metadata"]["signalbox"]["told"]
        assert left == {"interruptId": "i-2", "status": "cancelled"}
        with pytest.raises(P.NotAgreed):
            agent.update_phone(customer="c-17", phone=NEW)
        assert agent.runs == []

    @pytest.mark.parametrize("schema", [EDITS, APPROVES], ids=["takes edits", "takes none"])
    def test_never_approves_the_original_of_what_people_changed(
        self, cast: Cast, agent: Agent, crew: ThreadPoolExecutor, schema: dict[str, Any]
    ) -> None:
        changed = {"customer": "c-17", "phone": "+1 555 0111"}
        answering = crew.submit(agent.agui.resume, agent.paused(interrupt(responseSchema=schema)))
        (card,) = asked(cast)
        edited = commands.edit(
            actor=cast.ines,
            proposal_id=card.id,
            revision_no=1,
            seen_digest=card.digest,
            args=changed,
        )
        say(cast, edited, Choice.APPROVE)

        payload = entry(answering)["payload"]
        with pytest.raises(P.NotAgreed):
            agent.update_phone(customer="c-17", phone=NEW)
        if schema is EDITS:
            assert payload == {"approved": True, "editedArgs": changed}
            assert agent.update_phone(**changed) == "done"
        else:
            assert payload == {"approved": False}
        assert agent.runs == ([changed] if schema is EDITS else [])

    def test_takes_back_what_nobody_answered_in_time(self, cast: Cast, agent: Agent) -> None:
        ended = (clock.now() - timedelta(seconds=1)).isoformat()
        found = agent.agui.resume(agent.paused(interrupt(expiresAt=ended)))
        assert found == [{"interruptId": "i-1", "status": "cancelled"}]
        assert not queries.live_outside(actor=cast.system)

    def test_says_nothing_to_a_run_that_asked_nothing(self, agent: Agent) -> None:
        ended = {"type": "RUN_FINISHED", "threadId": "t1", "runId": "r1"}
        assert agent.agui.resume(ended) == []
        assert agent.agui.resume({**ended, "outcome": {"type": "success"}}) == []


class TestDecisions:
    def test_are_in_the_order_of_the_actions(
        self, cast: Cast, agent: Agent, crew: ThreadPoolExecutor
    ) -> None:
        customers = ("c-18", "c-17")
        request = {
            "action_requests": [
                {"name": "update_phone", "args": {"customer": one, "phone": NEW}}
                for one in customers
            ],
            "review_configs": [
                {
                    "action_name": "update_phone",
                    "allowed_decisions": ["approve", "edit", "reject"],
                }
            ],
        }
        answering = crew.submit(P.decisions, agent.desk, request, pause="int-1")
        first, second = asked(cast, 2)
        say(cast, first, Choice.REJECT)  # of c-17
        say(cast, second, Choice.APPROVE)

        approve, reject = answering.result(timeout=30)["decisions"]
        assert approve == {"type": "approve"}
        assert reject["type"] == "reject"
        assert reject["message"]
        assert agent.update_phone(customer="c-18", phone=NEW) == "done"
        assert [run["customer"] for run in agent.runs] == ["c-18"]

    def test_are_refused_for_what_nobody_described(self, cast: Cast, agent: Agent) -> None:
        request = {"action_requests": [{"name": "wipe", "args": {}}], "review_configs": []}
        with pytest.raises(ValueError, match="not described"):
            P.decisions(agent.desk, request, pause="int-1")
        assert not queries.live_outside(actor=cast.system)


class TestPerform:
    def test_refuses_a_target_that_people_did_not_see(
        self, cast: Cast, agent: Agent, crew: ThreadPoolExecutor
    ) -> None:
        answering = crew.submit(agent.agui.resume, agent.paused(interrupt()))
        (card,) = asked(cast)
        say(cast, card, Choice.APPROVE)
        entry(answering)
        agent.phones["c-17"] = "+1 555 0000"
        with pytest.raises(P.Refused) as refused:
            agent.update_phone(customer="c-17", phone=NEW)
        assert refused.value.code == "proposal.stale"
        assert agent.runs == []
        assert now(cast, card).card.state is ProposalState.STALE

    def test_reports_unknown_when_the_tool_breaks_off(
        self, cast: Cast, agent: Agent, crew: ThreadPoolExecutor
    ) -> None:
        answering = crew.submit(agent.agui.resume, agent.paused(interrupt()))
        (card,) = asked(cast)
        say(cast, card, Choice.APPROVE)
        entry(answering)

        def breaks(_args: Any) -> None:
            raise ConnectionResetError

        with pytest.raises(ConnectionResetError):
            agent.desk.perform("update_phone", {"customer": "c-17", "phone": NEW}, breaks)
        dispatch = now(cast, card).dispatch
        assert dispatch is not None
        assert dispatch.state is DispatchState.UNKNOWN


class TestRefused:
    def test_is_said_where_something_in_between_answers_with_a_page(self, agent: Agent) -> None:
        with ThreadingHTTPServer(("127.0.0.1", 0), InBetween) as between:
            threading.Thread(target=between.serve_forever).start()
            away = Agent(f"http://127.0.0.1:{between.server_port}", "sk")
            with pytest.raises(P.Refused) as refused:
                away.desk.ask("update_phone", {"customer": "c-17", "phone": NEW}, pause="i-1")
            between.shutdown()

        assert (refused.value.status, refused.value.code) == (502, "answer.unreadable")
        assert agent.runs == []
