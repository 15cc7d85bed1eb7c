"""What `make run` runs: servers, tables, demo data, and the programs until told to end."""

import http.client
import json
import os
import signal
import time

from console.local import banner, environment, places, ports
from console.local.children import Children
from console.local.environment import Environment
from console.local.errors import CannotStart
from console.local.locks import Lock
from console.local.places import Place
from console.local.preparing import Preparation
from console.local.product import SIGNALBOX, Product
from console.local.told import Told

READY_S = 180.0
LOOK_S = 0.1
MEND_EVERY_S = 2.0
ASK_S = 5.0


class ToldToEnd(Exception):
    """Somebody asked us to end while we were starting."""


class Supervisor:
    """One run of everything, from the lock that makes it the only one to the last process ended."""

    def __init__(
        self, place: Place, *, first_port: int, seed: bool = True, product: Product = SIGNALBOX
    ) -> None:
        self.place = place
        self.first_port = first_port
        self.seed = seed
        self.product = product
        self.ending = Told()
        self.children = Children(place, os.environ, say)

    def run(self) -> None:
        """Serve until told to end; says where it is when it is running already."""
        note = self.place.run / "serve"
        lock = Lock(note)
        if not lock.try_take():
            say(banner.running_already(places.read_json(note), self.place))
            return
        self.ending.listen(signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        try:
            lock.write(json.dumps({"pid": os.getpid(), "url": ""}))
            self._serve(lock)
        except ToldToEnd:
            say("Ended before everything had started.")
        finally:
            lock.write("{}")
            lock.close()

    def _serve(self, lock: Lock) -> None:
        began = time.monotonic()
        found = environment.read(os.environ, self.place)
        if self.seed:
            found.offer_demo()
        for name in self.children.end_leftovers():
            say(f"An earlier start had left {name} running; ended it.")
        with found.servers:
            try:
                self._start(found, lock, began)
                self._watch(found)
            finally:
                if self.ending.by:
                    say(f"\n{self.ending.by}: ending what was started.")
                self.children.end()
        say("Everything that was started has ended.")

    def _start(self, found: Environment, lock: Lock, began: float) -> None:
        if found.servers.redis_refused:
            say(f"Going on without Redis, pages refresh more slowly. {found.servers.redis_refused}")
        preparation = Preparation(self.place, found, self.product, self._check)
        preparation.run(seed=self.seed)
        self.children.environment = {**os.environ, **found.urls()}
        with preparation.asking_for_people() as people:
            port = self._start_programs()
            self._wait_until_ready(port)
            shown = people()
        lock.write(json.dumps({"pid": os.getpid(), "url": f"http://localhost:{port}"}))
        say(banner.running(self.place, port, shown, found, time.monotonic() - began))

    def _start_programs(self) -> int:
        """Start the programs; returns their port.

        They inherit the socket, and we keep it: with none left open, the port would be lost between
        two web processes.
        """
        self._listener = ports.listen(self.first_port)
        port = int(self._listener.getsockname()[1])
        here = {"SIGNALBOX_PUBLIC_URL": f"http://localhost:{port}"}  # for links in notices
        self.children.environment = {**here, **self.children.environment}
        for program in self.product.programs(self._listener.fileno()):
            self.children.start(program)
        return port

    def _wait_until_ready(self, port: int) -> None:
        deadline = time.monotonic() + READY_S
        while not is_ready(port):
            self._check()
            dead = self.children.ended()
            if dead:
                raise CannotStart(
                    f"{dead[0]} ended at once; {self.children.log_of(dead[0])} says why."
                )
            if time.monotonic() > deadline:
                log = self.children.log_of("web")
                raise CannotStart(
                    f"The console did not answer within {READY_S:g} s; {log} says why."
                )
            self.ending.wait(LOOK_S)

    def _watch(self, found: Environment) -> None:
        """Keep everything running until told to end."""
        mend_at = time.monotonic()
        while not self.ending.wait(LOOK_S):
            self.children.watch()
            if time.monotonic() >= mend_at:
                self._mend(found)
                mend_at = time.monotonic() + MEND_EVERY_S

    def _mend(self, found: Environment) -> None:
        try:
            for name in found.servers.mend():
                say(f"{name} had ended; started it again.")
        except CannotStart as refused:
            say(str(refused))

    def _check(self) -> None:
        if self.ending.is_set():
            raise ToldToEnd


def is_ready(port: int, host: str = "localhost") -> bool:
    """Ask the console itself, by the name that people use."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=ASK_S)
    try:
        line.request("GET", "/readyz", headers={"Host": f"{host}:{port}"})
        return line.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        line.close()


def say(text: str) -> None:
    print(text, flush=True)
