"""What pulse does for the trail: seal, project into the search table, sign."""

from audit.projection import Projector
from audit.sealing import Sealer
from audit.signer import Signer
from console.kernel.pulse import duty

SEAL_EVERY_S = 0.2
PROJECT_EVERY_S = 0.2
SIGN_EVERY_S = 1.0

# Each has a session of its own that lives as long as its thread.
_sealer = Sealer()
_projector = Projector()
_signer = Signer()


@duty("audit.seal", every_s=SEAL_EVERY_S)
def seal() -> int:
    card = _sealer.run_round()
    return card.entry_count if card else 0


@duty("audit.project", every_s=PROJECT_EVERY_S)
def project() -> int:
    return _projector.catch_up()


@duty("audit.sign", every_s=SIGN_EVERY_S)
def sign() -> int:
    return _signer.sign_heads()
