"""The drill: do to a copy of a log what somebody could do to the log, and see it named.

Everything happens inside one transaction of the owner that is never committed: the copy lies in a
schema of its own, is seen by nobody else, and is gone whatever ends the drill.
"""

from audit.drills.running import TooSmall, drill

__all__ = ["TooSmall", "drill"]
