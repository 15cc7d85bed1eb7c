"""The files of an evidence bundle, out of a zip or a folder; nothing is unpacked."""

from __future__ import annotations

import copy
import zipfile
from pathlib import Path

from audit.verifier.signed import Wrong

FILE_MOST = 1 << 28  # bytes


class Missing(Exception):
    """The bundle lacks something that would have been checked."""


class Bundle:
    """Files by name; their digests are checked by who reads them."""

    def __init__(self, path: Path) -> None:
        self.folder = path
        self.zip = None if path.is_dir() else zipfile.ZipFile(path)
        if self.zip is not None:
            self.listed = [info.filename for info in self.zip.infolist()]
        else:
            files = (one for one in path.rglob("*") if one.is_symlink() or not one.is_dir())
            self.listed = [one.relative_to(path).as_posix() for one in files]
        self.names = set(self.listed)

    def read(self, name: str, most: int = FILE_MOST) -> bytes:
        """Return the bytes of a file.

        Raises:
            Missing: there is none of this name.
            Wrong: it is larger than anything of its kind.
        """
        if name not in self.names:
            raise Missing(name)
        if self.zip is None:
            with (self.folder / name).open("rb") as file:
                raw = file.read(most + 1)
        else:
            # Without the zip's own checksum: it would say that there is damage, and not where.
            info = copy.copy(self.zip.getinfo(name))
            del info.CRC
            with self.zip.open(info) as member:
                raw = member.read(most + 1)
        if len(raw) > most:
            raise Wrong(f"is larger than {most} bytes")
        return raw
