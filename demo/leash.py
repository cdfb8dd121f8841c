"""`python demo/leash.py PARENT COMMAND…`: becomes COMMAND, which the kernel ends when the process PARENT dies.

A program of its own, run before the command replaces it: the supervisor has threads, and code between fork and exec
in a process with threads may hang. Linux only; elsewhere the command runs without a leash.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(parent: int, command: list[str]) -> None:
    """Ask to be killed with `parent`, then become `command`."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it died before we asked
            sys.exit(1)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
