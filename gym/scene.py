"""What else is in the room: light, somebody else, something in the way."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from gym.errors import ScriptError
from gym.mesh import Floats, Ints
from gym.render.renderer import Drawable, Light

LightName = Literal["normal", "bright", "dim"]

LIGHTS: Mapping[str, Light] = {
    "normal": Light(),
    "bright": Light(0.74, 0.70, 1.1),
    "dim": Light(0.26, 0.22, 0.38),
}
# name: width, depth, height in metres, colour
_OCCLUDERS = {
    "pillar": ((0.22, 0.22, 2.4), (196, 190, 180)),
    "table": ((1.1, 0.5, 0.74), (150, 110, 74)),
    "screen": ((0.9, 0.04, 1.7), (90, 110, 96)),
}
_OCCLUDER_SPOT = (0.15, -1.3)
_COMPANY_SPOT = (1.45, 1.5)


@dataclass(frozen=True)
class Scene:
    """`company` is a second person's number, idling at the back (or doing `company_movement`)."""

    light: str = "normal"
    plain: bool = False  # a grey room with nothing in it
    company: int | None = None
    company_movement: str = "idle"
    company_spot: tuple[float, float] = _COMPANY_SPOT
    occluder: str | None = None
    occluder_spot: tuple[float, float] = _OCCLUDER_SPOT

    @classmethod
    def parse(cls, values: Mapping[str, str]) -> "Scene":
        """From words: `light=dim`, `second=5`, `occluder=pillar:0.2,-1.3`, `plain=1`.

        Raises:
            ScriptError: an unknown word.
        """
        known = ("light", "plain", "second", "second_movement", "occluder")
        if extra := set(values) - set(known):
            raise ScriptError(f"scene: unknown {', '.join(sorted(extra))}; known: {', '.join(known)}")
        light = values.get("light", "normal")
        if light not in LIGHTS:
            raise ScriptError(f"scene: light {light!r}; there are: {', '.join(LIGHTS)}")
        second, second_spot = _placed(values.get("second"), _COMPANY_SPOT)
        occluder, spot = _placed(values.get("occluder"), _OCCLUDER_SPOT)
        if occluder is not None and occluder not in _OCCLUDERS:
            raise ScriptError(f"scene: occluder {occluder!r}; there are: {', '.join(_OCCLUDERS)}")
        try:
            company = None if second is None else int(second)
        except ValueError:
            raise ScriptError(f"scene: second={second!r}: give a person's number") from None
        return cls(
            light=light,
            plain=values.get("plain", "0") not in ("0", "false", "False"),
            company=company,
            company_movement=values.get("second_movement", "idle"),
            company_spot=second_spot,
            occluder=occluder,
            occluder_spot=spot,
        )


def occluder_mesh(scene: Scene) -> Drawable | None:
    """The thing in the way, as triangles in the room."""
    if scene.occluder is None:
        return None
    (width, depth, height), colour = _OCCLUDERS[scene.occluder]
    x, y = scene.occluder_spot
    boxes = [((x, y, height / 2), (width, depth, height))]
    if scene.occluder == "table":
        boxes = [((x, y, height - 0.02), (width, depth, 0.04))]
        boxes += [
            (
                (x + sx * (width / 2 - 0.04), y + sy * (depth / 2 - 0.04), (height - 0.04) / 2),
                (0.05, 0.05, height - 0.04),
            )
            for sx in (-1, 1)
            for sy in (-1, 1)
        ]
    parts = [_box(np.array(centre), np.array(size)) for centre, size in boxes]
    vertices = np.vstack([v for v, _ in parts]).astype(np.float32)
    starts = np.cumsum([0] + [len(v) for v, _ in parts[:-1]])
    triangles = np.vstack([t + s for (_, t), s in zip(parts, starts, strict=True)]).astype(np.int32)
    return Drawable(vertices, np.tile(np.array(colour, np.float32), (len(vertices), 1)), triangles)


def _box(centre: Floats, size: Floats) -> tuple[Floats, Ints]:
    """Each face is cut into a grid, so that light on it varies smoothly."""
    vertices: list[Floats] = []
    triangles: list[Ints] = []
    cells = 24
    for axis in range(3):
        for sign in (-1.0, 1.0):
            first = sum(len(v) for v in vertices)
            a, b = np.meshgrid(np.linspace(-0.5, 0.5, cells + 1), np.linspace(-0.5, 0.5, cells + 1))
            face = np.zeros((a.size, 3))
            face[:, axis] = 0.5 * sign
            face[:, (axis + 1) % 3], face[:, (axis + 2) % 3] = a.ravel(), b.ravel()
            vertices.append(centre + face * size)
            grid = np.arange(a.size).reshape(cells + 1, cells + 1) + first
            p, q, r, s = grid[:-1, :-1], grid[:-1, 1:], grid[1:, :-1], grid[1:, 1:]
            quads = np.stack([p, q, s, p, s, r] if sign > 0 else [p, s, q, p, r, s], axis=-1)
            triangles.append(quads.reshape(-1, 3).astype(np.int32))
    return np.vstack(vertices), np.vstack(triangles)


def _placed(value: str | None, default: tuple[float, float]) -> tuple[str | None, tuple[float, float]]:
    """`name` or `name:x,y`."""
    if value is None or value == "":
        return None, default
    name, _, spot = value.partition(":")
    if not spot:
        return name, default
    try:
        x, y = (float(part) for part in spot.split(","))
    except ValueError:
        raise ScriptError(f"scene: {value!r}: write a place as name:x,y in metres") from None
    return name, (x, y)
