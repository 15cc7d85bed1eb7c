"""`python -m console.local.health web|pulse|signer`: the health checks of the containers.

Small on purpose: it runs every few seconds, so it starts neither Django nor a server.
"""

import os
import sys
import time
from pathlib import Path

import psycopg

from console.local.supervisor import is_ready

PORT = 8000
PULSE_WITHIN_S = 60
SIGNER_WITHIN_S = 60


def main(part: str) -> int:
    """Return 0 when the part does its work."""
    match part:
        case "web":
            host = os.environ.get("SIGNALBOX_CONSOLE_HOST") or "localhost"
            return 0 if is_ready(PORT, host) else 1
        case "pulse":
            return 0 if pulse_beats(os.environ["DATABASE_URL"]) else 1
        case "signer":
            return 0 if signer_signs(Path(os.environ["SIGNALBOX_SIGNER_DIR"])) else 1
        case _:
            print("Say web, pulse or signer.", file=sys.stderr)
            return 2


def pulse_beats(url: str) -> bool:
    """Tell whether some duty was done lately, by the database's clock."""
    try:
        with psycopg.connect(url, connect_timeout=4) as connection:
            row = connection.execute(
                "SELECT max(last_run_at) > clock_timestamp() - %s * interval '1 second'"
                " FROM kernel_lease",
                [PULSE_WITHIN_S],
            ).fetchone()
    except psycopg.Error:
        return False
    return bool(row and row[0])


def signer_signs(folder: Path) -> bool:
    """Tell whether the signer has looked at every log lately; it leaves the time in its folder."""
    try:
        return time.time() - folder.joinpath("signer.alive").stat().st_mtime < SIGNER_WITHIN_S
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
