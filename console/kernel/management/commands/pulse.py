"""`manage.py pulse`: relay, timers, expiry, reaper, sealing; what must never depend on Celery."""

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from typing_extensions import override

from console.kernel import pulse
from console.kernel.checks import require_sound
from console.local.told import Told

LOOK_S = 1.0  # whether all duties have ended by themselves


class Command(BaseCommand):
    help = "Run the duties that must never depend on Celery."

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="do each duty once and end")
        parser.add_argument("--only", default="", help="the name of one duty")

    @override
    def handle(self, *_args: Any, **options: Any) -> None:
        require_sound()
        if options["once"]:
            for one in pulse.duties():
                if not options["only"] or one.name == options["only"]:
                    self.stdout.write(f"{one.name}  {one.run()} rows")
            return
        told, stop = Told(), threading.Event()
        told.listen(signal.SIGTERM, signal.SIGINT)
        duties = threading.Thread(target=pulse.run, args=(stop,), kwargs={"only": options["only"]})
        duties.start()
        while duties.is_alive() and not told.wait(LOOK_S):
            pass
        stop.set()
        duties.join()
