"""Run a program that ends when its parent ends, however that happened.

Used as a script: `python leash.py PARENT PROGRAM ARGUMENTS...`. Only Linux can do it; elsewhere the
next start finds and ends what was left over.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(parent: int, command: list[str]) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:  # it ended before we asked to be told
            sys.exit(1)
    os.execv(command[0], command)  # noqa: S606 — replacing this process is the point


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
