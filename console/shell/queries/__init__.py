"""What the frame and the home page ask of the rooms, each in one transaction."""

from console.shell.queries.finding import find
from console.shell.queries.frame import counts, parts, stops
from console.shell.queries.home import home

__all__ = ["counts", "find", "home", "parts", "stops"]
