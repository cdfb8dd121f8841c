"""`python -m services.scoring`: see README.md, or --help."""

from functools import partial

from services.mesh.server import serve
from services.mesh.settings import load
from services.scoring.build import build
from services.scoring.config import ScoringSettings

if __name__ == "__main__":
    settings = load(ScoringSettings)
    serve(settings, partial(build, settings))
