"""A worker that ends itself with SIGKILL at one point of a step; started by the crash tests.

python -m tests.crashes.worker TENANT RUN POINT SCRIPT, where SCRIPT is JSON: a list of answers,
each a text or a list of [tool, arguments].
"""

import json
import os
import signal
import sys
from uuid import UUID

import django


def main() -> None:
    django.setup()
    # Models can be imported only once Django is set up.
    from agents.llm import door  # noqa: PLC0415
    from agents.llm.scripted import Reply, Scripted, Use  # noqa: PLC0415
    from agents.runtime import engine, faults  # noqa: PLC0415
    from tests.agents import outside_tools  # noqa: PLC0415

    outside_tools.register()
    tenant, run, point, script = sys.argv[1:]

    def kill(reached: faults.Point) -> None:
        if reached.name == point:
            os.kill(os.getpid(), signal.SIGKILL)

    faults.observers.append(kill)
    replies = [
        Reply(text=(one,))
        if isinstance(one, str)
        else Reply(calls=tuple(Use(name=name, args=args) for name, args in one))
        for one in json.loads(script)
    ]
    with door.answering(Scripted(replies)):
        print(engine.advance(tenant_id=UUID(tenant), run_id=UUID(run)))  # noqa: T201


if __name__ == "__main__":
    main()
