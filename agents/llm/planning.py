"""The next move of the provider `rules`: one look at a transcript, over the tools there are.

Who writes comes first, then what was asked for, each with its arguments and its confirmation, then
what is left to say.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from agents.llm import intents, matching, slots, wording
from agents.llm.answers import agreement
from agents.llm.filling import Ask, Filling, Look, Quote
from agents.llm.history import Called, History, at_pointer
from agents.llm.intents import Task
from agents.llm.ports import ModelRequest, ToolSpec

THANKS: Final = ("thanks", "thank you", "bye", "goodbye", "that is all", "that's all")
MOST_WORDS: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    tool: str
    args: Mapping[str, Any]


Move = Say | Call


class Plan:
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
        return Say(text=wording.who(resolvers, tried))

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
        if text.startswith((wording.WHO, wording.WHICH)) or wording.SHALL_I in text:
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
                return Say(text=wording.which(task))
        if not complete:
            _, question = max(questions, key=lambda one: one[0])
            return Say(text=wording.asked(question))
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
            return Say(text=wording.shown(spec, before))
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
        question = f"{wording.details(filling.spec, filling.args)}\n{wording.SHALL_I}"
        for said in reversed(self.history.answers_to(question)):
            if said.place > task.place and agreement(said.text) is True:
                return Call(tool=filling.spec.name, args=filling.args)
        return Say(text=question)

    def _was_refused(self, task: Task) -> bool:
        """Tell whether the last question about a write was answered with no."""
        last = self.history.last
        titles = tuple(f"{spec.title}:" for spec in task.specs)
        asked = last.question.startswith(titles) and wording.SHALL_I in last.question
        return asked and last.place > task.place and agreement(last.text) is False

    # --- the end

    def _nothing_open(self) -> Move:
        if (handed := self._handed_over()) is not None:
            return handed
        told = [self._told(call) for call in self._fresh_calls()]
        told = [text for text in told if text]
        if told:
            return Say(text=" ".join([*told, wording.ELSE]))
        last = self.history.last
        if wording.SHALL_I in last.question and agreement(last.text) is False:
            return Say(text=f"{wording.NOT_DONE} {wording.ELSE}")
        if agreement(last.text) is False or any(matching.says(last.text, w) for w in THANKS):
            return Say(text=wording.WELCOME)
        if self._just_identified():
            return Say(text=wording.help_with(list(self.tools.values()), wording.FOUND))
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
            told = wording.filled(done, call.meant) if done else f"Done: {spec.title}."
            return told if call.meant is call.args else f"{wording.CHANGED} {told}"
        code = str(call.error.get("code", ""))
        if code in wording.CLOSED:
            return wording.CLOSED[code].format(title=spec.title)
        return f"{wording.quoted(str(call.error.get('message', '')))} {wording.NOT_DONE}"

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
        if hand_off is not None and self.history.last.question.startswith(wording.UNCLEAR):
            return self._hand_over(hand_off)
        return Say(text=wording.help_with(list(self.tools.values()), wording.UNCLEAR))
