"""Provider `rules`: a planner over tool contracts. It is no language model and says so.

It finds the request by the phrases of the contracts, the arguments by their slots, the records
through lookups, asks one question at a time, has every write confirmed, quotes what tools said,
and hands over to a person when it cannot go on. The words come from the contracts and from this
file, never from data.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from agents.llm import explaining, intents, matching, slots
from agents.llm import history as transcript
from agents.llm.answers import agreement
from agents.llm.history import Called, History, at_pointer
from agents.llm.intents import Task
from agents.llm.ports import (
    ModelEvent,
    ModelRequest,
    Opened,
    Stopped,
    Text,
    ToolSpec,
    ToolUse,
    Usage,
)
from agents.llm.slots import Ask, Filling, Look, Quote

ELSE: Final = "Is there anything else I can do for you?"
HELP: Final = "I can help with this: "
UNCLEAR: Final = "I did not understand what you would like."
WHO: Final = "So that I can help, I need to know who you are."
FOUND: Final = "Thank you, I found your account."
SHALL_I: Final = "Shall I go ahead? Please answer yes or no."
WHICH: Final = "Which of these do you mean?"
NOT_DONE: Final = "Nothing was changed."
THANKS: Final = ("thanks", "thank you", "bye", "goodbye", "that is all", "that's all")
WELCOME: Final = "You are welcome. Write again whenever you need something."
PIECE: Final = 24  # characters of live text at a time
MOST_WORDS: Final = 300

# What a customer is told of a call that people, a clock or they themselves stopped.
CLOSED: Final[Mapping[str, str]] = {
    "approval.rejected": "Our team declined this: {title}. Nothing was changed.",
    "approval.blocked": "Our rules do not allow this: {title}. Nothing was changed.",
    "approval.repeated": "Our team declined the same request a short while ago: {title}. "
    "Nothing was changed.",
    "approval.expired": "Nobody of our team decided in time: {title}. Nothing was changed.",
    "approval.returned": "Our team did not decide in time: {title}. Nothing was changed.",
    "approval.parked": "Our team let this go undecided: {title}. Nothing was changed.",
    "approval.lapsed": "The time to carry this out ran out: {title}. Nothing was changed.",
    "approval.handed_back": "The record changed before our team decided: {title}. Nothing was "
    "changed; please tell me again what you would like.",
    "approval.withdrawn": "This was taken back undecided: {title}. Nothing was changed.",
    "approval.superseded": "A newer request took its place: {title}.",
    "approval.drift": "The record changed while this was decided: {title}. Nothing was changed.",
    "user.refused": "All right, I left it as it is: {title}.",
    "user.moved_on": "I have not done this, as you did not confirm it: {title}.",
    "call.edited": "Our team had changed this request, and the change is what counts: {title}.",
    "run.ended": "This was not done: {title}.",
    "approval.plan_broken": "This was not done, because not all of what was agreed to together "
    "went as planned: {title}.",
}
CHANGED: Final = "Our team changed your request before it was done."


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    tool: str
    args: Mapping[str, Any]


Move = Say | Call


@dataclass(slots=True)
class Rules:
    """The provider; one answer per request, always the same for the same transcript."""

    provider: str = field(default="rules", init=False)
    live: bool = field(default=True, init=False)

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        yield Opened(model="rules")
        moves = [plan(request), *besides(request)]
        place = sum(1 for turn in request.turns if hasattr(turn, "calls"))
        for no, move in enumerate(moves):
            if isinstance(move, Say):
                for start in range(0, len(move.text), PIECE):
                    yield Text(text=move.text[start : start + PIECE])
                continue
            name = f"rules_{place}_{no}" if no else f"rules_{place}"
            yield ToolUse(id=name, name=move.tool, args=dict(move.args))
        yield Usage(input_tokens=None, output_tokens=None)
        yield Stopped(reason="end" if isinstance(moves[0], Say) else "tools")


def plan(request: ModelRequest) -> Move:
    """Return the next move for a transcript: one call, or one message."""
    if request.inquiry is not None:
        return Say(text=explaining.answer(request.inquiry))
    history = transcript.read(request)
    if not history.said:
        return Say(text=_help(request.tools, UNCLEAR))
    return _Plan(request, history).move()


def besides(request: ModelRequest) -> list[Call]:
    """Return the writes that go into the same answer, where the version plans its writes."""
    history = transcript.read(request)
    if not request.plans or request.inquiry is not None or not history.said:
        return []
    return _Plan(request, history).writes()[1:]


class _Plan:
    """One look at a transcript."""

    def __init__(self, request: ModelRequest, history: History) -> None:
        self.tools = {spec.name: spec for spec in request.tools}
        self.history = history
        self.customer = request.customer or self._resolved()
        self.tasks = intents.tasks(request.tools, history)
        self.plans = request.plans

    def move(self) -> Move:
        handed = self._wants_person()
        if handed is not None:
            return handed
        who = self._identify()
        if who is not None:
            return who
        moves = (self._work_on(task) for task in self._open_tasks())
        first = next((move for move in moves if move is not None), None)
        if self.plans and first is not None and self._is_write(first):
            # What another change still needs, a look or a question, comes before the first write.
            first = next((one for one in self._changes() if not self._is_write(one)), first)
        return first or self._nothing_open()

    def writes(self) -> list[Call]:
        """Return the writes of all that was asked for, once nothing else is needed for any."""
        if not self._is_write(self.move()):
            return []
        return [move for move in self._changes() if isinstance(move, Call)]

    def _changes(self) -> list[Move]:
        """Return the next move of every open request for a change."""
        asked = (task for task in self._open_tasks() if task.spec.effect == "write")
        return [move for task in asked if (move := self._work_on(task)) is not None]

    def _is_write(self, move: Move) -> bool:
        return isinstance(move, Call) and self.tools[move.tool].effect == "write"

    # --- who

    def _resolvers(self) -> list[ToolSpec]:
        found = [spec for spec in self.tools.values() if spec.resolves == "customer"]
        return sorted(found, key=lambda spec: len(spec.input_schema.get("required", ())))

    def _resolved(self) -> str:
        for call in self.history.called:
            spec = self.tools.get(call.tool)
            if spec is not None and spec.resolves == "customer" and not call.failed:
                return str(at_pointer(call.result, spec.resolves_at) or "")
        return ""

    def _identify(self) -> Move | None:
        """Find out who writes before anything is told or done."""
        resolvers = self._resolvers()
        if self.customer or not resolvers:
            return None
        tried: Called | None = None
        for spec in resolvers:
            filling = Filling(
                spec=spec, text=self.history.last.text, place=-1, history=self.history, customer=""
            )
            if slots.fill(filling) is not None:
                continue
            before = self.history.look(spec.name, filling.args)
            if before is None:
                return Call(tool=spec.name, args=filling.args)
            tried = before
        return Say(text=_who(resolvers, tried))

    # --- what

    def _wants_person(self) -> Move | None:
        for task in self.tasks:
            asked_now = task.spec.hands_off and task.place == self.history.last.place
            if asked_now and intents.call_of(task, self.history) is None:
                return self._hand_over(task.spec)
        return self._handed_over()

    def _hand_over(self, spec: ToolSpec) -> Call:
        said = " / ".join(one.text for one in self.history.said)[-MOST_WORDS:]
        required = spec.input_schema.get("required", ())
        return Call(tool=spec.name, args=dict.fromkeys(required, said))

    def _open_tasks(self) -> list[Task]:
        """Return the requests that have had no end yet, oldest first."""
        done = self._last_answered()
        return [
            task
            for task in self.tasks
            if not task.spec.hands_off
            and (task.place > done or task.spec.effect == "write")
            and not self._is_over(task)
        ]

    def _is_over(self, task: Task) -> bool:
        call = intents.call_of(task, self.history)
        if task.spec.effect == "write":
            return call is not None or self._was_refused(task)
        return any(
            place > (call.place if call else task.place) and not self._is_question(text)
            for place, text in self.history.answers
        )

    def _last_answered(self) -> int:
        """Return the place of the last message whose answer was no question."""
        answered = [p for p, text in self.history.answers if not self._is_question(text)]
        last = answered[-1] if answered else -1
        return max((one.place for one in self.history.said if one.place < last), default=-1)

    def _is_question(self, text: str) -> bool:
        if text.startswith((WHO, WHICH)) or SHALL_I in text:
            return True
        asks = (
            slot.get("ask", "")
            for spec in self.tools.values()
            for slot in spec.phrases.get("slots", {}).values()
        )
        return any(ask and text.startswith(ask) for ask in asks)

    def _work_on(self, task: Task) -> Move | None:
        """Fill the arguments; of equally fitting tools, the one that needs no question wins."""
        task = intents.narrowed(task, self._statuses(task))
        questions: list[tuple[int, Ask | Quote]] = []
        complete: list[Filling] = []
        for spec in task.specs:
            filling = self._filling(task, spec)
            missing = slots.fill(filling)
            if isinstance(missing, Look):
                return Call(tool=missing.tool, args=missing.args)
            if missing is None:
                complete.append(filling)
            else:
                questions.append((len(filling.args), missing))
        if len(task.specs) > 1 and not intents.names_thing(task):
            # Only a verb that several tools share was said: a record that was named has to decide.
            complete = [filling for filling in complete if filling.named]
            if not complete:
                return Say(text=_which(task))
        if not complete:
            _, question = max(questions, key=lambda one: one[0])
            return Say(text=_asked(question))
        if len(complete) > 1 and (look := self._tell_apart(complete[0])) is not None:
            return look
        return self._carry_out(task, complete[0])

    def _filling(self, task: Task, spec: ToolSpec) -> Filling:
        return Filling(
            spec=spec,
            text=task.text,
            place=task.place,
            history=self.history,
            customer=self.customer,
            floor=self._floor(task),
        )

    def _carry_out(self, task: Task, filling: Filling) -> Move:
        if filling.spec.effect == "write" and not filling.spec.asks_user:
            return self._confirmed(task, filling)
        return self._called(filling.spec, filling.args)

    def _called(self, spec: ToolSpec, args: Mapping[str, Any]) -> Move:
        before = self.history.look(spec.name, args)
        if spec.effect != "write" and before is not None:
            return Say(text=_shown(spec, before))
        return Call(tool=spec.name, args=args)

    def _floor(self, task: Task) -> int:
        """Return the newest message before this task whose own requests are over."""
        over = [t.place for t in self.tasks if t.place < task.place and self._is_over(t)]
        return max(over, default=-1)

    def _statuses(self, task: Task) -> list[Any]:
        """Return the plain fields of records that were read for this message."""
        read = [call for call in self.history.called if call.place > task.place and not call.failed]
        return [value for call in read for value in call.result.values()]

    def _tell_apart(self, filling: Filling) -> Move | None:
        """Read the record that tells two equally fitting tools apart, if there is one."""
        for spec in self.tools.values():
            required = set(spec.input_schema.get("required", ()))
            if spec.effect == "write" or spec.resolves or not required or spec.hands_off:
                continue
            if required <= set(filling.args):
                args = {name: filling.args[name] for name in required}
                if self.history.look(spec.name, args) is None:
                    return Call(tool=spec.name, args=args)
        return None

    # --- confirmation, where the console does not ask itself

    def _confirmed(self, task: Task, filling: Filling) -> Move:
        question = f"{_details(filling.spec, filling.args)}\n{SHALL_I}"
        for said in reversed(self.history.answers_to(question)):
            if said.place > task.place and agreement(said.text) is True:
                return Call(tool=filling.spec.name, args=filling.args)
        return Say(text=question)

    def _was_refused(self, task: Task) -> bool:
        """Tell whether the last question about a write was answered with no."""
        last = self.history.last
        titles = tuple(f"{spec.title}:" for spec in task.specs)
        asked = last.question.startswith(titles) and SHALL_I in last.question
        return asked and last.place > task.place and agreement(last.text) is False

    # --- the end

    def _nothing_open(self) -> Move:
        if (handed := self._handed_over()) is not None:
            return handed
        told = [self._told(call) for call in self._fresh_calls()]
        told = [text for text in told if text]
        if told:
            return Say(text=" ".join([*told, ELSE]))
        last = self.history.last
        if SHALL_I in last.question and agreement(last.text) is False:
            return Say(text=f"{NOT_DONE} {ELSE}")
        if agreement(last.text) is False or any(matching.says(last.text, w) for w in THANKS):
            return Say(text=WELCOME)
        if self._just_identified():
            return Say(text=_help(list(self.tools.values()), FOUND))
        return self._not_understood()

    def _handed_over(self) -> Move | None:
        """A person takes over: the agent has nothing more to say than that."""
        for call in self.history.called:
            spec = self.tools.get(call.tool)
            if spec and spec.hands_off and not call.failed and call.place > self.history.last.place:
                return Say(text=spec.phrases.get("done", "") or "A person will take over.")
        return None

    def _fresh_calls(self) -> list[Called]:
        """Return the writes since the last answer; one that waited long is told of all the same."""
        answered = [place for place, text in self.history.answers if not self._is_question(text)]
        last = answered[-1] if answered else -1
        return [
            call
            for call in self.history.called
            if call.place >= last
            and call.place > last
            and (spec := self.tools.get(call.tool)) is not None
            and spec.effect == "write"
        ]

    def _told(self, call: Called) -> str:
        spec = self.tools[call.tool]
        if not call.failed:
            done = spec.phrases.get("done", "")
            told = _filled(done, call.meant) if done else f"Done: {spec.title}."
            return told if call.meant is call.args else f"{CHANGED} {told}"
        code = str(call.error.get("code", ""))
        if code in CLOSED:
            return CLOSED[code].format(title=spec.title)
        return f"{_quoted(str(call.error.get('message', '')))} {NOT_DONE}"

    def _just_identified(self) -> bool:
        last = self.history.last.place
        return any(
            call.place > last and self.tools[call.tool].resolves
            for call in self.history.called
            if call.tool in self.tools
        )

    def _not_understood(self) -> Move:
        """Say what there is; the second time in a row a person takes over."""
        hand_off = next((spec for spec in self.tools.values() if spec.hands_off), None)
        if hand_off is not None and self.history.last.question.startswith(UNCLEAR):
            return self._hand_over(hand_off)
        return Say(text=_help(list(self.tools.values()), UNCLEAR))


def _which(task: Task) -> str:
    titles = "\n".join(f"- {spec.title}" for spec in task.specs)
    return f"{WHICH}\n{titles}"


def _asked(question: Ask | Quote) -> str:
    return question.text if isinstance(question, Ask) else f"{_quoted(question.text)} {NOT_DONE}"


def _help(tools: Any, first: str) -> str:
    titles = [spec.title for spec in tools if spec.effect == "write"]
    offered = "; ".join(title[:1].lower() + title[1:] for title in titles)
    return f"{first} {HELP}{offered}. What would you like?" if offered else first


def _who(resolvers: list[ToolSpec], tried: Called | None) -> str:
    """Ask who writes: the first way as a question, the others as what else would do."""
    first, *others = resolvers
    asks = [slot["ask"] for slot in first.phrases.get("slots", {}).values() if slot.get("ask")]
    words = [
        ", ".join(name.replace("_", " ") for name in spec.input_schema.get("required", ()))
        for spec in others
    ]
    instead = f" Or tell me: {'; or '.join(words)}." if words else ""
    failed = f" {_quoted(str(tried.error.get('message', '')))}" if tried and tried.failed else ""
    return f"{WHO}{failed} {' '.join(asks)}{instead}"


def _quoted(message: str) -> str:
    return f"“{message}”" if message else "That did not work."


def _details(spec: ToolSpec, args: Mapping[str, Any]) -> str:
    lines = [f"- {name.replace('_', ' ')}: {_plain(value)}" for name, value in args.items()]
    return "\n".join([f"{spec.title}:", *lines])


def _filled(template: str, args: Mapping[str, Any]) -> str:
    text = template
    for name, value in args.items():
        text = text.replace("{" + name + "}", _plain(value))
    return text


def _plain(value: Any) -> str:
    match value:
        case list():
            return ", ".join(_plain(item) for item in value)
        case Mapping():
            return ", ".join(f"{key.replace('_', ' ')} {_plain(v)}" for key, v in value.items())
        case bool():
            return "yes" if value else "no"
        case _:
            return str(value)


def _shown(spec: ToolSpec, call: Called) -> str:
    """Quote what a read gave, with its source."""
    if call.failed:
        return _quoted(str(call.error.get("message", "")))
    # What is said in a word comes first: a status is not to be looked for below a list of items.
    fields = sorted(call.result.items(), key=lambda field: isinstance(field[1], list | Mapping))
    lines = [line for key, value in fields for line in _lines(key, value)]
    source = f"(Source: {spec.title.lower()}.)"
    return "\n".join([*lines, source, ELSE])


def _lines(key: str, value: Any) -> list[str]:
    name = key.replace("_", " ")
    rows = list(value.values()) if isinstance(value, Mapping) else value
    if isinstance(rows, list) and rows and isinstance(rows[0], Mapping):
        return [f"{name}:", *(f"- {_plain(row)}" for row in rows[: slots.MOST_OFFERED])]
    text = _plain(value)
    return [f"{name}: {text}"] if text and matching.tokens(text) else []
