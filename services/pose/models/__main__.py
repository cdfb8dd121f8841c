"""`python -m services.pose.models [lite full heavy]`: fetches and builds pose models (default: KOMI_POSE_MODEL)."""

import argparse
import os
import sys

from services.pose.models.build import build, is_built
from services.pose.models.catalogue import VARIANTS
from services.pose.models.store import ModelError, cached_path


def main() -> int:
    """Builds what is missing. Exit code 1, and one line that says why, when that fails."""
    parser = argparse.ArgumentParser(prog="python -m services.pose.models", description=__doc__)
    parser.add_argument("models", nargs="*", metavar="MODEL", help=f"any of {', '.join(VARIANTS)}")
    wanted = parser.parse_args().models or [os.environ.get("KOMI_POSE_MODEL", "full")]
    if unknown := [name for name in wanted if name not in VARIANTS and not name.endswith(".task")]:
        parser.error(f"no pose model {unknown[0]!r}; there are {', '.join(VARIANTS)}")
    variants = [VARIANTS[name] for name in dict.fromkeys(wanted) if name in VARIANTS]
    missing = [variant for variant in variants if not is_built(variant)]
    if missing:
        print(f"Pose model {', '.join(variant.name for variant in missing)}:", flush=True)
    try:
        build(missing)
    except ModelError as error:
        print(f"Pose model: {error}", file=sys.stderr)
        return 1
    for variant in variants:
        print(f"Pose model {variant.name}: {cached_path(variant)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
