"""From an empty database to one with today's tables, its roles and the demo people."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any

from console.local import banner, databases, processes
from console.local.environment import Environment, Source
from console.local.errors import CannotStart
from console.local.places import ROOT, Place, read_json, write
from console.local.product import Product

STEP_S = 300.0
ROLES_REFUSED = 3  # the exit code of `manage.py roles` when the owner may not prepare them
TAIL_LINES = 15


class Preparation:
    """The steps before the programs start. `check` raises when we are told to end meanwhile."""

    def __init__(
        self, place: Place, found: Environment, product: Product, check: Callable[[], None]
    ) -> None:
        self.place = place
        self.found = found
        self.product = product
        self.check = check
        self.log = place.logs / "prepare.log"
        self._record = place.run / f"prepared-{found.database}.json"

    def run(self, *, seed: bool) -> None:
        """Do what is not done yet; a warm start finds nothing to do."""
        if self.found.source is Source.EMBEDDED:
            databases.ensure(self.found.owner_url)
        known = read_json(self._record)
        applied = databases.state(self.found.owner_url)
        if known.get("files") != databases.files() or known.get("applied") != applied:
            self._migrate()
            known = {"seeded": known.get("seeded") if applied else False}
        if seed and not known.get("seeded"):
            self.manage("seed_demo", says="Writing the demo data.")
        write(self._record, json.dumps(self._now(seeded=seed or bool(known.get("seeded")))))

    @contextmanager
    def asking_for_people(self) -> Iterator[Callable[[], list[dict[str, Any]]]]:
        """Ask who the demo people are in the background, while the programs start.

        Yields a function that waits for the answer. No answer is no reason not to start.
        """
        path = self.place.run / "people.json"
        with path.open("wb") as answer, self.log.open("ab") as log:
            asked = self._manage(("demo_people", "--json"), answer, log)

        def people() -> list[dict[str, Any]]:
            known = [] if self._wait(asked) else json.loads(path.read_text(encoding="utf-8"))
            return known if isinstance(known, list) else []

        try:
            yield people
        finally:
            if asked.poll() is None:
                asked.kill()
            asked.wait()

    def manage(self, *arguments: str, says: str, allowed: tuple[int, ...] = (0,)) -> int:
        """Run one management command, its output to the log; returns its exit code."""
        print(says, flush=True)
        with self.log.open("ab") as log:
            step = self._manage(arguments, log, log)
        code = self._wait(step)
        if code not in allowed:
            raise CannotStart(
                f"manage.py {arguments[0]} failed; {self.log} ends with:\n{self._tail()}"
            )
        return code

    def _migrate(self) -> None:
        self.manage("migrate", "--noinput", says="Bringing the tables up to date.")
        if self.found.source is Source.ALL_GIVEN:
            return
        self.found.mark_unbound(unbound=False)
        code = self.manage(
            "roles", says="Preparing the roles that log in.", allowed=(0, ROLES_REFUSED)
        )
        if code == ROLES_REFUSED:
            self.found.mark_unbound(unbound=True)
            print("\n".join(banner.unbound()), flush=True)

    def _now(self, *, seeded: bool) -> dict[str, Any]:
        applied = databases.state(self.found.owner_url)
        return {"files": databases.files(), "applied": applied, "seeded": seeded}

    def _manage(
        self, arguments: tuple[str, ...], output: IO[bytes], errors: IO[bytes]
    ) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [*self.product.manage, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            cwd=ROOT,
            env={**os.environ, **self.found.urls()},
            start_new_session=True,
        )

    def _wait(self, step: "subprocess.Popen[bytes]") -> int:
        """Wait for a step; when told to end, the step ends with us."""
        try:
            while not processes.until(lambda: step.poll() is not None, timeout_s=0.2):
                self.check()
        except BaseException:
            step.terminate()
            step.wait(STEP_S)
            raise
        return int(step.returncode)

    def _tail(self) -> str:
        return "\n".join(
            self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL_LINES:]
        )
