"""What the caller may do."""

from services.gateway.documents.base import Document, example
from services.mesh.tokens import Scope


class Access(Document):
    """What the caller may do."""

    model_config = example(open=True, scope="admin", view_token=None, camera_token=None)

    open: bool
    """No token is asked for."""
    scope: Scope
    """What the caller's token is for."""
    view_token: str | None
    """For viewers; told to admins only."""
    camera_token: str | None
    """For cameras; told to admins only."""
