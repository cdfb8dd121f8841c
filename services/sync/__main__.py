"""`python -m services.sync`: groups the poses of one instant across cameras."""

from services.mesh.server import serve
from services.mesh.settings import load
from services.sync.build import builder
from services.sync.config import SyncSettings


def main() -> None:
    settings = load(SyncSettings)
    serve(settings, builder(settings))


if __name__ == "__main__":
    main()
