"""`python -m services.gateway`: see README.md, or --help."""

from services.gateway.config import GatewaySettings
from services.gateway.server import serve
from services.mesh.settings import load

if __name__ == "__main__":
    serve(load(GatewaySettings))
