"""A product of three tiny programs, so that the tests here are about what runs it.

python stand_in.py manage COMMAND ...      what manage.py would be asked
python stand_in.py web HANDLE | idle NAME  the programs
"""

import http.server
import json
import os
import signal
import socket
import sys
import threading
from types import FrameType

PEOPLE = [
    {
        "email": "ruth@meridian.example",
        "tenant": "Meridian Retail",
        "roles": ["reviewer"],
        "groups": ["care"],
        "password": "for-the-demo-only",
    }
]


class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(dict(os.environ)).encode())


def web(handle: str) -> None:
    if os.environ.get("STAND_IN_BROKEN"):
        sys.exit("broken on purpose")
    server = http.server.HTTPServer(("", 0), Ready, bind_and_activate=False)
    server.socket.close()
    server.socket = socket.socket(fileno=int(handle))
    signal.signal(signal.SIGTERM, leave)
    server.serve_forever()


def idle(_name: str) -> None:
    signal.signal(signal.SIGTERM, leave)
    threading.Event().wait()


def leave(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)


def manage(command: str, *_options: str) -> None:
    sys.stderr.write(f"asked to {command}\n")
    if command == os.environ.get("STAND_IN_HANGS"):
        threading.Event().wait()
    if command == os.environ.get("STAND_IN_REFUSES"):
        sys.exit(3)
    if command == "demo_people":
        sys.stdout.write(json.dumps(PEOPLE))


if __name__ == "__main__":
    {"web": web, "idle": idle, "manage": manage}[sys.argv[1]](*sys.argv[2:])
