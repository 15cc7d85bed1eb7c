"""The product itself, from an empty folder: what a newcomer's first `make run` does."""

import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from typing_extensions import override

from console.local import places
from tests.local.running import Running, clean_environment

FIRST_START_S = 400.0  # on a machine that does much else at the same time


class Product(Running):
    """`manage.py serve` instead of the stand-in."""

    @override
    def command(self) -> list[str]:
        return [self.python, str(places.ROOT / "manage.py"), "serve", "--port", str(self.port)]


@pytest.fixture
def product(checkout: Path) -> Iterator[Product]:
    local = checkout / ".local"
    running = Product(local, 18400, clean_environment(SIGNALBOX_LOCAL_DIR=str(local)))
    running.start()
    yield running
    running.kill()
    running.clean_up()
    if local.exists():
        places.at(local).forget_sockets()


class TestServe:
    def test_serves_the_demo_from_nothing(self, product: Product) -> None:
        product.wait_for("Signalbox is running (", timeout_s=FIRST_START_S)

        said = product.said()
        for name in ("ruth", "ines", "omar", "noor", "dana"):
            assert f"{name}@meridian.example" in said
        assert "no language model" in said
        with urllib.request.urlopen(product.url() + "/sign-in/", timeout=30) as page:  # noqa: S310
            assert page.status == 200

        # A command beside it uses the same servers, as the bound role, and leaves them running.
        look = "from django.db import connection as c; c.connect(); print(c.connection.info.user)"
        beside = subprocess.run(
            [product.python, "manage.py", "shell", "--no-imports", "-c", look],
            check=True,
            capture_output=True,
            text=True,
            cwd=places.ROOT,
            env=product.environment,
        )
        assert beside.stdout.strip() == "signalbox_app"

        started = product.everything()
        assert len(started) == 6
        assert product.end(signal.SIGINT) == 0
        assert not any(one.is_alive() for one in started)


class TestHelp:
    def test_starts_nothing(self, checkout: Path) -> None:
        done = subprocess.run(
            [sys.executable, "manage.py", "help"],
            check=False,
            capture_output=True,
            text=True,
            cwd=places.ROOT,
            env=clean_environment(SIGNALBOX_LOCAL_DIR=str(checkout / ".local")),
        )

        assert done.returncode == 0, done.stderr
        assert "roles" in done.stdout
        assert not (checkout / ".local" / "run").exists()
