"""The signer as a process of its own: `manage.py signer`, or small: `python -m audit.signing`.

It needs the signer's login and its folder, and neither apps nor models, so nothing else of the
product is loaded: 60 MB less, and nothing else near the key. When it is killed, whoever watches it
starts it again, and it signs the same bytes again.
"""

import os
import signal
from typing import Final

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")

import psycopg
import structlog

from audit.errors import CannotSign
from audit.signer import Signer
from console.local.told import Told

log = structlog.get_logger(__name__)

EVERY_S: Final = 1.0
AFTER_TROUBLE_S: Final = 5.0


def keep_signing(signer: Signer, stop: Told) -> None:
    """Sign what was sealed, again and again; trouble is logged and tried again."""
    while not stop.is_set():
        pause_s = EVERY_S
        try:
            signer.sign_heads()
        except CannotSign:
            # Each refusal has been logged, and the other logs have been signed.
            pause_s = AFTER_TROUBLE_S
        except psycopg.Error as error:
            log.warning("signer.no_database", error=type(error).__name__, why=str(error).strip())
            stop.wait(AFTER_TROUBLE_S)
            continue
        signer.files.say_alive()
        stop.wait(pause_s)
    signer.close()


def main() -> None:
    stop = Told()
    stop.listen(signal.SIGTERM, signal.SIGINT)
    signer = Signer()
    log.info("signer.started", folder=str(signer.files.folder))
    keep_signing(signer, stop)
    log.info("signer.stopped")


if __name__ == "__main__":
    main()
