"""`python -m services.capture`: see README.md, or --help."""

from functools import partial

from services.capture.build import build
from services.capture.config import CaptureSettings
from services.mesh.server import serve
from services.mesh.settings import load

if __name__ == "__main__":
    settings = load(CaptureSettings)
    serve(settings, partial(build, settings))
