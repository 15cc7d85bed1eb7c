"""The product's web on a real port, in this process and on an event loop of its own."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest
import uvicorn

from console.asgi import application


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Give its address."""
    config = uvicorn.Config(
        application, host="127.0.0.1", port=0, log_config=None, lifespan="off", ws="none"
    )
    web = uvicorn.Server(config)
    thread = threading.Thread(target=web.run, daemon=True)
    thread.start()
    until(lambda: web.started or not thread.is_alive())
    port = web.servers[0].sockets[0].getsockname()[1]
    yield f"http://localhost:{port}"
    web.should_exit = True
    thread.join(timeout=10)


def until(true: Callable[[], bool]) -> None:
    """Return when it is true; fail when that takes far too long."""
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)  # a poll with a deadline, not a race
