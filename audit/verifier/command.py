"""Check a Signalbox evidence bundle without Signalbox: python3 verify.py BUNDLE [--key VKEY] ...

BUNDLE is the zip, or the folder that it was unpacked into. This needs Python 3.10 or newer, nothing
else, and no network. Keys and earlier checkpoints have to come from somewhere else than the bundle:
what it brings along proves only that it agrees with itself.

Exit 0: verified and witnessed. 2: verified, and self-attested. 1: failed. 3: incomplete.
"""

from __future__ import annotations

import argparse
import sys
import zipfile
from pathlib import Path

from audit.verifier.check import FAILED, INCOMPLETE, SELF_ATTESTED, WITNESSED, Check
from audit.verifier.files import Bundle
from audit.verifier.signed import Key, Wrong, key_of

MOST_SHOWN = 50
SAYS = {
    WITNESSED: "VERIFIED and witnessed: this is what was recorded, in this order, by then.",
    FAILED: "FAILED: this is not what was signed.",
    SELF_ATTESTED: "VERIFIED, self-attested: this is what the log signed. No witness that you gave "
    "a key of saw it, so only the log itself says that there is one history.",
    INCOMPLETE: "INCOMPLETE: what is here holds, and something that belongs to it is not here.",
}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="verify.py", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--key", action="append", default=[], type=_key, metavar="VKEY")
    parser.add_argument("--known", action="append", default=[], type=_text, metavar="FILE",
                        help="a checkpoint that was kept earlier")  # fmt: skip
    parser.add_argument("--witnesses", type=int, default=1, help="how many are needed; 1")
    asked = parser.parse_args(arguments)
    try:
        bundle = Bundle(asked.bundle)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        return _say([f"WRONG bundle: cannot be read, {str(error)!a}", SAYS[FAILED]], FAILED)
    check = Check(bundle, asked.key, asked.known, max(1, asked.witnesses))
    code, found = check.run(), check.found
    lines = [f"WRONG {one}" for one in found.problems[:MOST_SHOWN]]
    lines += [f"MISSING {ascii(one)[1:-1]}" for one in found.missing[:MOST_SHOWN]]
    opened, hidden = check.contents.opened, check.contents.hidden
    counts = f"{opened} entries opened; {hidden} beside them are shown by their hashes only."
    return _say([*lines, *found.facts, counts, SAYS[code]], code)


def _say(lines: list[str], code: int) -> int:
    sys.stdout.write("\n".join([*lines, ""]))
    return code


def _key(text: str) -> Key:
    try:
        return key_of(text)
    except Wrong as wrong:
        raise argparse.ArgumentTypeError(str(wrong)) from wrong


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"{path} cannot be read") from error


if __name__ == "__main__":
    sys.exit(main())
