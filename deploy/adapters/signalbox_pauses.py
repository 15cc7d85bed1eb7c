"""Has people in Signalbox answer where an agent framework pauses; runs what they agreed to, once.

Copy this file next to your agent; it needs nothing but Python 3.11. A framework that stops before a
tool call (an AG-UI interrupt, LangChain's human in the loop) gets its answer from the people who
decide there: the call becomes a proposal of your service key, with the exact arguments and the
target as it is. The framework's word for "approved" is not enough to run it: `perform` takes the
one permission right before the change, with what it reads then, and reports what became of it.
"""

import json
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib import error, request

Args = Mapping[str, Any]
Image = Mapping[str, Mapping[str, Mapping[str, Any]]]  # {kind of record: {id: {field: value}}}

NAMESPACE = uuid.UUID("5b0c3f3e-6f0e-5e0b-9a53-0c7d2a8f4b11")  # of the ids that are made here
AGREED = frozenset({"approved", "dispatched"})
WAIT_S = 25  # one answer of the server
TRIES = 3  # of a call whose answer got lost; each of them may be sent again


class Refused(Exception):
    """Signalbox said no; the code never changes, the message says what to do next."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class NotAgreed(Exception):
    """Nobody agreed to this very call, or it was taken up already; it must not run."""


class NotDone(Exception):
    """For a tool to raise: it is certain that nothing was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tool of the framework, and how its calls are shown to people."""

    name: str  # as the framework calls it
    registered: str  # as it is registered under "Tools of external agents"
    contract: str  # what it promises; another text is another tool to those who agreed
    title: Callable[[Args], str]  # one line, verb and object
    before: Callable[[Args], Image]  # the target as it is now
    after: Callable[[Args, Image], Image]  # the same records as the call would leave them
    tier: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What people came to."""

    proposal: str
    state: str
    told: str  # one sentence for the agent
    args: Args  # that count
    changed: bool  # people changed arguments

    @property
    def agreed(self) -> bool:
        return self.state in AGREED

    @property
    def facts(self) -> dict[str, str]:
        return {"proposal": self.proposal, "state": self.state, "told": self.told}


class Desk:
    """Asks people, waits for them, and runs what they agreed to."""

    def __init__(self, url: str, key: str, tools: Iterable[Tool]) -> None:
        self._api = f"{url.rstrip('/')}/api/v1/approvals"
        self._key = key
        self._tools = {tool.name: tool for tool in tools}
        self._ready: dict[tuple[str, str], str] = {}
        self._asked: dict[tuple[str, str, str], str] = {}

    def knows(self, name: str) -> bool:
        return name in self._tools

    def ask(self, name: str, args: Args, *, pause: str) -> str:
        """Propose one call and return the proposal; the same pause and call get the same one.

        Args:
            pause: the framework's id of this pause, so that a resent one is not asked twice.
        """
        tool, args = self._tools[name], plain(args)
        asked = (pause, name, written(args))
        if asked in self._asked:  # also after the call moved its own target
            return self._asked[asked]
        before = tool.before(args)
        body = {
            "subject": str(uuid.uuid5(NAMESPACE, pause)),
            "tool": tool.registered,
            "tier": tool.tier,
            "title": tool.title(args),
            "contract": tool.contract,
            "args": args,
            "before": before,
            "after": tool.after(args, before),
        }
        once = str(uuid.uuid5(NAMESPACE, written(body)))
        found = self._call("POST", "/proposals", body, {"Idempotency-Key": once})
        self._asked[asked] = str(found["id"])
        return self._asked[asked]

    def wait(self, proposal: str, *, until: datetime | None = None) -> Answer | None:
        """Wait for people; after `until` the request is taken back and the answer is None."""
        found = self._look(proposal, 0)
        while not found["settled"]:
            left = (until - right_now()).total_seconds() if until else WAIT_S
            if left <= 0:
                self._call("POST", f"/proposals/{proposal}/withdraw", {})
                return None
            found = self._look(proposal, max(1, min(WAIT_S, int(left))), found["row_version"])
        return Answer(
            proposal=proposal,
            state=found["state"],
            told=found["agent_message"] or found["told"],
            args=found["args"],
            changed=bool(found["changed"]),
        )

    def remember(self, name: str, answer: Answer) -> None:
        """Let `perform` find an approved call by its name and the arguments that count."""
        if answer.agreed:
            self._ready[name, written(answer.args)] = answer.proposal

    def perform(
        self, name: str, args: Args, act: Callable[[Args], object], proposal: str | None = None
    ) -> object:
        """Run a call that people agreed to: once, and only on the target that they saw.

        Args:
            act: gets the arguments that people agreed to, and returns what the tool answers.
            proposal: where another process waited for it; else `remember` knows it.

        Raises:
            NotAgreed: nobody agreed to this call, or it was taken up before.
            Refused: the target is another one, a stop stands against it, or the time is over.
        """
        tool, args = self._tools[name], plain(args)
        found = proposal or self._ready.pop((name, written(args)), None)
        if found is None:
            raise NotAgreed(f"Nobody agreed to this call of {name}; it was not made.")
        if self._look(found, 0)["dispatch"] is not None:
            raise NotAgreed(f"This call of {name} was taken up before; look at what became of it.")
        body = {
            "call_key": str(uuid.uuid4()),
            "args": args,
            "before": tool.before(args),
            "contract": tool.contract,
        }
        ready = self._call("POST", f"/proposals/{found}/dispatch", body)
        try:
            said = act(ready["args"])
        except NotDone as why:
            self._report(ready["dispatch_id"], "failed", evidence={"why": str(why)})
            raise
        except BaseException as why:
            # Half of it may have happened, so a person looks.
            self._report(ready["dispatch_id"], "unknown", evidence={"why": type(why).__name__})
            raise
        self._report(ready["dispatch_id"], "succeeded", after=tool.before(ready["args"]))
        return said

    def _look(self, proposal: str, seconds: int, after: int | None = None) -> dict[str, Any]:
        known = f"&after={after}" if after is not None else ""
        found = self._call("GET", f"/proposals/{proposal}/wait?seconds={seconds}{known}")
        return dict(found["proposal"])

    def _report(self, dispatch: str, outcome: str, **more: Any) -> None:
        self._call("POST", f"/dispatches/{dispatch}/outcome", {"outcome": outcome, **more})

    def _call(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        asked = request.Request(self._api + path, data, method=method)  # noqa: S310
        asked.add_header("Authorization", f"Bearer {self._key}")
        asked.add_header("Content-Type", "application/json")
        for name, value in (headers or {}).items():
            asked.add_header(name, value)
        tried = 0
        while True:
            try:
                with request.urlopen(asked, timeout=WAIT_S + 35) as answer:  # noqa: S310
                    raw = answer.read()
                    return dict(json.loads(raw)) if raw else {}
            except error.HTTPError as refused:
                raise _refusal(refused) from None
            except (error.URLError, TimeoutError):
                tried += 1
                if tried == TRIES:
                    raise
                time.sleep(tried)


def _refusal(answer: error.HTTPError) -> Refused:
    """Read a refusal; what stands between us and Signalbox may answer with a page of its own."""
    try:
        said = json.load(answer)
        return Refused(answer.code, said["code"], said["message"])
    except (ValueError, KeyError, TypeError):
        return Refused(answer.code, "answer.unreadable", f"The server said {answer.code}.")


class AgUi:
    """Answers the interrupts of an AG-UI run; give it every event of the stream."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._calls: dict[str, tuple[str, str]] = {}  # of a tool call: its name, its arguments

    def see(self, event: Mapping[str, Any]) -> None:
        """Keep the tool calls of the stream: an interrupt names the id of one and no more."""
        if event.get("type") in {"TOOL_CALL_START", "TOOL_CALL_ARGS", "TOOL_CALL_CHUNK"}:
            name, args = self._calls.get(event["toolCallId"], ("", ""))
            name = event.get("toolCallName") or name
            self._calls[event["toolCallId"]] = (name, args + (event.get("delta") or ""))

    def resume(self, finished: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return `resume` of the next `RunAgentInput`: an entry for each interrupt of this run.

        All are asked before one is waited for. What is no call of a known tool is `cancelled`:
        people here decide about changes, and answer nothing else in somebody's place.
        """
        outcome = finished.get("outcome") or {}
        if outcome.get("type") != "interrupt":
            return []
        thread = finished["threadId"]
        asked = [(one, self._asked(one, thread)) for one in outcome["interrupts"]]
        return [self._entry(one, *found) for one, found in asked]

    def _asked(self, interrupt: Mapping[str, Any], thread: str) -> tuple[str, str | None]:
        name, raw = self._calls.get(interrupt.get("toolCallId") or "", ("", ""))
        if not self._desk.knows(name):
            return name, None
        return name, self._desk.ask(
            name, json.loads(raw or "{}"), pause=f"{thread}/{interrupt['id']}"
        )

    def _entry(
        self, interrupt: Mapping[str, Any], name: str, proposal: str | None
    ) -> dict[str, Any]:
        cancelled = {"interruptId": interrupt["id"], "status": "cancelled"}
        if proposal is None:
            return cancelled
        answer = self._desk.wait(proposal, until=moment(interrupt.get("expiresAt")))
        if answer is None:
            return cancelled
        takes = (interrupt.get("responseSchema") or {}).get("properties") or {}
        facts = answer.facts
        payload: dict[str, Any] = {"approved": answer.agreed}
        if answer.agreed and answer.changed:
            if "editedArgs" in takes:
                payload["editedArgs"] = answer.args
            else:  # the original is not what they agreed to
                payload["approved"] = False
                facts["told"] = (
                    "People changed the arguments, and this agent takes no changed ones."
                )
        if payload["approved"]:
            self._desk.remember(name, answer)
        return {
            "interruptId": interrupt["id"],
            "status": "resolved",
            "payload": payload,
            "metadata": {"signalbox": facts},
        }


def decisions(desk: Desk, asked: Mapping[str, Any], *, pause: str) -> dict[str, Any]:
    """Return what LangChain's `HumanInTheLoopMiddleware` resumes with, for what it paused at.

    Args:
        asked: the value of the interrupt: `action_requests` and `review_configs`.
        pause: the id of the interrupt.

    Raises:
        ValueError: an action is of no known tool, or its decision is not among the allowed ones.
    """
    allowed = {one["action_name"]: one["allowed_decisions"] for one in asked["review_configs"]}
    actions = asked["action_requests"]
    for action in actions:
        if not desk.knows(action["name"]):
            raise ValueError(f"The tool {action['name']} is not described; nobody can be asked.")
    waiting = [
        desk.ask(action["name"], action["args"], pause=f"{pause}/{no}")
        for no, action in enumerate(actions)
    ]
    made = [
        _decision(desk, action["name"], proposal, allowed[action["name"]])
        for action, proposal in zip(actions, waiting, strict=True)
    ]
    return {"decisions": made}


def _decision(desk: Desk, name: str, proposal: str, allowed: Iterable[str]) -> dict[str, Any]:
    answer = desk.wait(proposal)
    said: dict[str, Any] = {"type": "reject", "message": answer.told if answer else ""}
    if answer and answer.agreed and not answer.changed:
        said = {"type": "approve"}
    elif answer and answer.agreed and "edit" in allowed:
        said = {"type": "edit", "edited_action": {"name": name, "args": dict(answer.args)}}
    elif answer and answer.agreed:  # the original is not what they agreed to
        said["message"] = "People changed the arguments, and this agent takes no changed ones."
    if said["type"] not in allowed:
        raise ValueError(f"{name} does not allow {said['type']}, which people came to; end here.")
    if answer and said["type"] != "reject":
        desk.remember(name, answer)
    return said


def plain(value: Any) -> Any:
    """Return a value as Signalbox takes it: fractions as text, so that no digit is lost."""
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, Mapping):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value


def written(value: Any) -> str:
    """Return one text for equal values."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def right_now() -> datetime:
    """Return the time of this machine, which is the agent's."""
    return datetime.now(UTC)  # noqa: TID251 - this file runs elsewhere


def moment(text: str | None) -> datetime | None:
    """Return a time of the protocol; one without a zone is in UTC."""
    if not text:
        return None
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
