"""`python -m services.pose`: see README.md, or --help."""

from functools import partial

from services.mesh.server import serve
from services.mesh.settings import load
from services.pose.build import build
from services.pose.config import PoseSettings

if __name__ == "__main__":
    settings = load(PoseSettings)
    serve(settings, partial(build, settings))
