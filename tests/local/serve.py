"""`python serve.py LOCAL PORT`: the real supervisor, with the stand-in for a product."""

import sys
from pathlib import Path

from console.local import places
from console.local.children import Program
from console.local.errors import CannotStart
from console.local.product import Product
from console.local.supervisor import Supervisor

STAND_IN = (sys.executable, str(Path(__file__).with_name("stand_in.py")))


def programs(handle: int) -> list[Program]:
    return [
        Program("web", (*STAND_IN, "web", str(handle)), (handle,)),
        Program("worker", (*STAND_IN, "idle", "worker")),
        Program("pulse", (*STAND_IN, "idle", "pulse")),
    ]


def main(local: str, port: str) -> None:
    product = Product(programs, (*STAND_IN, "manage"))
    Supervisor(places.at(Path(local)), first_port=int(port), product=product).run()


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except CannotStart as refused:
        sys.exit(f"Cannot start: {refused}")
