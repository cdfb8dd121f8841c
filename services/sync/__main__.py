"""`python -m services.sync`: groups the poses of one instant across cameras."""

import os

# Read when gRPC is loaded. Its event engine hands every message from thread to thread; without, a pose that is received
# alone costs a fifth less CPU.
OFF = "event_engine_listener", "event_engine_client", "event_engine_for_all_other_endpoints"
os.environ.setdefault("GRPC_EXPERIMENTS", ",".join(f"-{experiment}" for experiment in OFF))

from services.mesh.server import serve  # noqa: E402
from services.mesh.settings import load  # noqa: E402
from services.sync.build import builder  # noqa: E402
from services.sync.config import SyncSettings  # noqa: E402


def main() -> None:
    settings = load(SyncSettings)
    serve(settings, builder(settings))


if __name__ == "__main__":
    main()
