"""The oracle's word on questions, more time, what is handed back, and broken glass."""

from dataclasses import dataclass, field

from tests.approvals.oracle import LIVE, UNDECIDED, WINDOW, Oracle

MOST_OPEN = 5  # questions
QUESTIONS = 30  # minutes for which they hold the clock of one window
MOST_EXTENSIONS = 2


@dataclass
class Asked(Oracle):
    """One proposal about which people ask, and for which one of them may decide alone."""

    unanswered: int = 0
    extensions: int = 0
    grants: dict[str, int] = field(default_factory=dict)  # until when who may break glass
    broke: str = ""  # who did, last
    broke_until: int = 0  # when the right ended by which they did: no two of them end together
    barred: set[str] = field(default_factory=set)  # until somebody has looked at it

    # -- questions -------------------------------------------------------------------------------

    def ask(self, who: str, *, pause: bool) -> str:
        self.settle()
        if self.state not in LIVE:
            return "proposal.expired" if self.ended_by == "decide" else "proposal.decided"
        if self.unanswered >= MOST_OPEN:
            return "comment.too_many"
        if pause and (code := self.may_change(who)) != "ok":
            return code
        self.unanswered += 1
        if pause and self.state in UNDECIDED and self.still() <= 0 and self.pause_left():
            self.pauses.append((self.now, self.now + self.pause_left()))
        return "ok"

    def pause_left(self) -> int:
        """Return for how long questions may still hold the clock of this window."""
        mine = [end - start for start, end in self.pauses if start >= self.window_from]
        return max(0, QUESTIONS - sum(mine))

    def answer(self) -> None:
        self.unanswered -= 1
        if self.unanswered == 0 and self.still() > 0:
            self.settle()
            start, _end = self.pauses.pop()
            self.pauses.append((start, self.now))

    def revise_when_asked(self, *, version: int, changed: bool) -> str:
        before = self.kept()
        if self.settle():
            return "proposal.expired"
        if self.state not in UNDECIDED:
            return self.undone(before, "proposal.decided")
        if not changed:
            return self.undone(before, "edit.unchanged")
        if self.denies:
            return self.undone(before, "policy.denied")
        self.revise(version)
        self.answer()
        return "ok"

    # -- a target that changed -------------------------------------------------------------------

    def hand_back(self, who: str) -> str:
        before = self.kept()
        if (code := self.may_change(who)) != "ok":
            return code
        self.settle()
        if self.state != "stale":
            return self.undone(before, "proposal.not_stale")
        self.move("withdrawn")
        return "ok"

    def rebase(self, who: str, *, version: int) -> str:
        before = self.kept()
        if (code := self.may_change(who)) != "ok":
            return code
        code = self.refresh(version=version)
        return code if code == "ok" else self.undone(before, code)

    # -- time ------------------------------------------------------------------------------------

    def extend(self, who: str) -> str:
        if self.settle():
            return "proposal.expired"
        refusals = {
            "extend.not_eligible": who in self.editors,
            "proposal.decided": self.state not in UNDECIDED,
            "proposal.frozen": bool(self.since),
            "extend.spent": self.extensions == MOST_EXTENSIONS,
        }
        code = next((code for code, applies in refusals.items() if applies), "ok")
        if code == "ok":
            self.extensions += 1
            self.window += WINDOW[self.tier] // 2
        return code

    # -- glass -----------------------------------------------------------------------------------

    def may_break(self, who: str) -> bool:
        return self.grants.get(who, self.now) > self.now

    def lend_glass(self, who: str, *, minutes: int) -> str:
        if self.may_break(who):
            return "break_glass.granted"
        self.grants[who] = self.now + minutes
        return "ok"

    def take_glass(self, who: str) -> str:
        if not self.may_break(who):
            return "break_glass.over"
        used = (self.broke, self.broke_until) == (who, self.grants.pop(who))
        self.stands &= not used
        return "ok"

    def break_glass(self, who: str) -> str:
        carries = self.state in {"approved", "dispatched"} and self.basis == "break_glass"
        if carries and self.broke == who:
            return "same"
        if self.settle():
            return "proposal.expired"
        principal = who in self.editors or self.is_joined_to_an_editor(who)
        refusals = {
            "break_glass.not_granted": not self.may_break(who),
            "vote.principal": principal,
            "break_glass.barred": who in self.barred,
            "proposal.decided": self.state != "open",
            "proposal.frozen": bool(self.since),
        }
        code = next((code for code, applies in refusals.items() if applies), "ok")
        if code == "ok":
            self.broke, self.broke_until, self.stands = who, self.grants[who], True
            self.barred.add(who)
            self.approve("break_glass")
        return code

    def is_joined_to_an_editor(self, who: str) -> bool:
        return any(self.are_one(who, editor, self.now) for editor in self.editors)

    def close(self, by: str, about: str) -> str:
        """Look at what somebody decided alone."""
        reviewer = self.is_reviewer(by) and not self.is_one_with_an_editor(by, self.now)
        if by == about or not reviewer:
            return "review_task.not_eligible"
        if about not in self.barred:
            return "review_task.closed"
        self.barred.remove(about)
        return "ok"
