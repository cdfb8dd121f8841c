"""`python -m demo [--cameras NAME:SOURCE,…] [--port N] [--phone]`: the whole mesh on this machine, until Ctrl-C."""

import argparse
import sys

from demo import mesh, tour


def main(arguments: list[str]) -> int:
    """Reads the command line and shows the mesh; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument(
        "--cameras",
        default="",
        metavar="NAME:SOURCE,…",
        help="device indexes, addresses or files; `recording`: the real recording of four cameras",
    )
    parser.add_argument(
        "--port", type=int, help=f"the page's port (default: {mesh.USUAL_PORTS['gateway']} if free)"
    )
    parser.add_argument(
        "--phone", action="store_true", help="let phones of this network in as cameras, over HTTPS"
    )
    parser.add_argument("--verbose", action="store_true", help="show every line of every service")
    options = parser.parse_args(arguments)
    return tour.run(options.cameras, options.port, phone=options.phone, verbose=options.verbose)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
