"""Who the servers run as: whoever starts them, or a powerless account when that is root.

PostgreSQL refuses to run as root. `nobody` exists everywhere, but is shared with other programs;
a group number of our own on the folder above the data keeps those out.
"""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from console.local.errors import CannotStart

GROUP = 47110  # no entry anywhere, and below 65536, so that it exists in a container too


class RunAs(TypedDict, total=False):
    """The arguments of Popen that change who a process runs as."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class Account:
    """An operating system account; `switch` says that it is not the one we are."""

    name: str
    uid: int
    gid: int
    switch: bool

    def run_as(self) -> RunAs:
        if not self.switch:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def give(self, path: Path) -> None:
        """Hand over something that we have just made in a folder that only we may write."""
        if self.switch:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def let_pass(self, path: Path) -> None:
        """Let the account through a folder of ours, and nobody else."""
        if self.switch:
            os.chown(path, -1, self.gid, follow_symlinks=False)
            path.chmod(0o710)
        else:
            path.chmod(0o700)

    def let_read(self, path: Path) -> None:
        if self.switch:
            os.chown(path, -1, self.gid, follow_symlinks=False)
            path.chmod(0o640)
        else:
            path.chmod(0o600)

    def reaches(self, path: Path) -> bool:
        """Tell whether every folder above `path` lets the account through."""
        if not self.switch:
            return True
        return all(self._passes(folder) for folder in path.resolve().parents)

    def _passes(self, folder: Path) -> bool:
        found = folder.stat()
        wanted = 0o010 if found.st_gid == self.gid else 0o001
        return bool(found.st_mode & wanted)


def current() -> Account:
    """Return the account that the servers shall run as."""
    if os.geteuid() != 0:
        return Account(own_name(), os.geteuid(), os.getegid(), switch=False)
    try:
        found = pwd.getpwnam("nobody")
    except KeyError as error:
        raise CannotStart(
            "PostgreSQL does not run as root and there is no account `nobody` to run it as; "
            "run as an ordinary user, or set DATABASE_URL and REDIS_URL."
        ) from error
    return Account(found.pw_name, found.pw_uid, GROUP, switch=True)


def own_name() -> str:
    """Return the name of whoever runs this, which PostgreSQL matches against its map."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError as error:
        raise CannotStart(
            f"The user number {os.geteuid()} has no name on this machine, which PostgreSQL needs; "
            "give it one, or set DATABASE_URL and REDIS_URL."
        ) from error
