"""A real browser against real processes, as `make run` has them, started once for all journeys."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Frame, Page, expect, sync_playwright

from console.local.children import LEASH

ROOT = Path(__file__).resolve().parent.parent.parent
CHROMIUM = os.environ.get("SIGNALBOX_CHROMIUM") or shutil.which("chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
]
AXE = Path(__file__).with_name("axe.min.js").read_text()
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
START_S = 120
PATIENCE_MS = 15_000  # two processes run tests, each with browser, web, worker and pulse

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="package")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Start the product as `make run` does and give its port; it ends with the journeys.

    Its worker and pulse would otherwise take up what the other tests leave lying on purpose. On a
    leash, as in `make run`: a run that is killed leaves nobody at work on the data of the next.
    """
    logs = tmp_path_factory.mktemp("logs")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        fd, port = listener.fileno(), listener.getsockname()[1]
        env = {**os.environ, "SIGNALBOX_DEMO": "1", "SIGNALBOX_SECRET_KEY": "k" * 50,
               "SIGNALBOX_POOL_SIZE": "8"}  # fmt: skip
        commands = {
            "web": ["-m", "uvicorn", "console.asgi:application", "--fd", str(fd)],
            "worker": [
                "-m",
                "celery",
                "-A",
                "console.celery",
                "worker",
                "-P",
                "threads",
                "-c",
                "4",
            ],
            "pulse": ["manage.py", "pulse"],
            "signer": ["-m", "audit.signing"],
        }
        with contextlib.ExitStack() as stack:
            for name, command in commands.items():
                log = stack.enter_context((logs / f"{name}.log").open("wb"))
                process = subprocess.Popen(
                    [sys.executable, str(LEASH), str(os.getpid()), sys.executable, *command],
                    cwd=ROOT, env=env, pass_fds=[fd],
                    stdout=log, stderr=subprocess.STDOUT,
                )  # fmt: skip
                stack.callback(process.wait)
                stack.callback(process.terminate)
            wait_until_ready(f"http://localhost:{port}/readyz", logs)
            yield port


def wait_until_ready(url: str, logs: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310
            if answer.status == 200:
                return
        time.sleep(0.1)  # a poll with a deadline, not a race
    tails = {path.name: path.read_text()[-2000:] for path in logs.iterdir()}
    pytest.fail(f"The product did not start within {START_S} s: {tails}")


@pytest.fixture(scope="package")
def console(processes: int) -> str:
    return f"http://localhost:{processes}"


@pytest.fixture(scope="package")
def widget_origin(processes: int) -> str:
    return f"http://127.0.0.1:{processes}"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Give one browser for a module.

    Playwright keeps an event loop running in this thread as long as it lives, so it may not live on
    beside other tests, and Django has to be told that this thread may still speak to the database.
    """
    assert CHROMIUM, "no chromium; run `make browser` or set SIGNALBOX_CHROMIUM"
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


OpenBrowser = Callable[..., Page]


@pytest.fixture
def open_browser(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[OpenBrowser]:
    """Open a page in a browser profile of its own; any console noise fails the test at its end.

    A test marked `allow_noise("409", ...)` may provoke console errors that contain these words.
    """
    contexts: list[BrowserContext] = []
    noise: list[str] = []

    def new(*, width: int = 1280, height: int = 900, scheme: str = "light") -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            reduced_motion="reduce",
            color_scheme=scheme,  # type: ignore[arg-type]
            timezone_id="Asia/Tokyo",
            locale="en-GB",
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: noise.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: noise.append(str(error)))
        page.set_default_timeout(PATIENCE_MS)
        return page

    yield new
    for context in contexts:
        context.close()
    mark = request.node.get_closest_marker("allow_noise")
    allowed = mark.args if mark else ()
    assert [text for text in noise if not any(word in text for word in allowed)] == []


def axe_findings(
    page: Page | Frame, rules: Sequence[str] = (), *, within: str = "html"
) -> list[str]:
    """Run axe on the page, all of it or some rules; an empty list is what we ask of every page."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE + ";0")
    what = {"type": "rule", "values": rules} if rules else {"type": "tag", "values": TAGS}
    found: dict[str, Any] = page.evaluate(
        "([within, what]) => axe.run(within, {runOnly: what, resultTypes: ['violations']})",
        [within, what],
    )
    return [
        f"{violation['id']} {node['target']} {node.get('failureSummary', '')[:160]}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]


def sign_in(page: Page, console: str, email: str, password: str) -> None:
    page.goto(f"{console}/sign-in/")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(lambda url: "/sign-in/" not in url)
