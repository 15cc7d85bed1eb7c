"""Folders: what is ours alone, what the servers keep, and where their sockets are."""

import json
import os
import pwd
import secrets
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from console.local import accounts
from console.local.accounts import Account
from console.local.errors import CannotStart

ROOT = Path(__file__).resolve().parent.parent.parent
OUTSIDE = Path("/var/lib/signalbox-local")
SOCKET_LIMIT = 103  # the shortest limit of any system, macOS, for the path of a Unix socket
SOCKET_NAME = ".s.PGSQL.5432"


@dataclass(frozen=True, slots=True)
class Place:
    """The folders of one pair of servers.

    `local` is ours alone: keys, logs, locks, records. `data` is where the servers keep theirs, the
    same folder unless the servers run as somebody who cannot get there.
    """

    local: Path
    data: Path
    account: Account

    @property
    def logs(self) -> Path:
        return self.local / "logs"

    @property
    def run(self) -> Path:
        return self.local / "run"

    def sockets(self) -> Path:
        """Return the folder for sockets, made anew when it is missing or not as we left it.

        Its name is random, so nobody can take it first, and short, as the path of a socket must be.
        """
        note = self.run / "sockets"
        if note.exists():
            known = Path(note.read_text().strip())
            if self._is_still_ours(known):
                return known
        folder = _short_folder()
        self.account.give(folder)
        write(note, str(folder))
        return folder

    def forget_sockets(self) -> None:
        """Remove the folder for sockets; only when the servers have stopped."""
        note = self.run / "sockets"
        if note.exists():
            known = Path(note.read_text().strip())
            if self._is_still_ours(known):
                shutil.rmtree(known, ignore_errors=True)
            note.unlink()

    def _is_still_ours(self, folder: Path) -> bool:
        try:
            found = folder.lstat()
        except OSError:
            return False
        private = stat.S_IMODE(found.st_mode) == stat.S_IRWXU
        return stat.S_ISDIR(found.st_mode) and found.st_uid == self.account.uid and private


def at(local: Path) -> Place:
    """Open the place whose own folder is `local`, making what is missing."""
    account = accounts.current()
    local = local.absolute()
    _refuse_strangers(local)
    local.mkdir(parents=True, exist_ok=True)
    account.let_pass(local)
    for name in ("logs", "run"):
        local.joinpath(name).mkdir(mode=0o700, exist_ok=True)
    data = local if account.reaches(local / "any") else _outside(local, account)
    return Place(local, data, account)


def default_local() -> Path:
    return Path(os.environ.get("SIGNALBOX_LOCAL_DIR") or ROOT / ".local")


def write(path: Path, text: str) -> None:
    """Write a private file so that a crash leaves the old one or the new one."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    Path(name).replace(path)


def read_json(path: Path) -> dict[str, Any]:
    """Return what a record says; an absent or broken record says nothing."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _refuse_strangers(local: Path) -> None:
    if not local.exists() or local.stat().st_uid == os.geteuid():
        return
    uid = local.stat().st_uid
    try:
        owner = pwd.getpwuid(uid).pw_name
    except KeyError:
        owner = f"user number {uid}"
    raise CannotStart(
        f"{local} belongs to {owner}; run this as {owner}, or remove that folder to start afresh."
    )


def _outside(local: Path, account: Account) -> Path:
    """Return a folder that the account reaches, for a checkout that it does not.

    A checkout below /root is closed to everybody else. Opening it is not ours to do, so the data
    lies elsewhere, under a name that only this `.local` knows: remove `.local` to start afresh.
    """
    note = local / "instance"
    if not note.exists():
        write(note, secrets.token_hex(8))
    data = OUTSIDE / note.read_text().strip()
    try:
        OUTSIDE.mkdir(mode=0o711, exist_ok=True)
        data.mkdir(mode=0o710, exist_ok=True)
    except OSError as error:
        raise CannotStart(
            f"PostgreSQL does not run as root, its account `{account.name}` cannot reach {local}, "
            f"and {data} cannot be made ({error.strerror}); run as an ordinary user, or set "
            "DATABASE_URL and REDIS_URL."
        ) from error
    account.let_pass(data)
    return data


def _short_folder() -> Path:
    """Make an empty folder of mode 0700 whose path leaves room for the name of a socket."""
    for parent in (tempfile.gettempdir(), "/tmp"):  # noqa: S108
        folder = Path(tempfile.mkdtemp(prefix="signalbox-", dir=parent))
        if len(os.fsencode(folder / SOCKET_NAME)) <= SOCKET_LIMIT:
            return folder
        folder.rmdir()
    raise CannotStart("No temporary folder with a short enough path; set TMPDIR to one.")
