"""Print the verifier as one file: `python -m audit.verifier > verify.py`."""

import sys

from audit.verifier.onefile import verify_py

sys.stdout.write(verify_py())
