#!/usr/bin/env python
"""The one door for commands; see console/local/door.py for what it does before Django."""

import sys

if __name__ == "__main__":
    try:
        from console.local.door import main
    except ModuleNotFoundError as missing:
        sys.exit(
            f"{missing.name} is not installed here; `make setup`, then .venv/bin/python manage.py"
        )
    main(sys.argv)
