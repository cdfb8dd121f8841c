"""Who exercises: a body's shape and looks, made from a number, the same everywhere."""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

import numpy as np

from gym.anatomy import Shape

Colour = tuple[float, float, float]

_SKINS: tuple[Colour, ...] = (
    (236, 192, 164),
    (224, 172, 140),
    (205, 150, 116),
    (176, 122, 90),
    (140, 92, 66),
    (104, 68, 50),
)
_HAIRS: tuple[Colour, ...] = ((34, 27, 24), (62, 42, 30), (96, 66, 42), (150, 112, 66), (120, 116, 112))
_SHIRTS: tuple[Colour, ...] = (
    (46, 92, 170),
    (176, 44, 60),
    (54, 130, 96),
    (226, 222, 212),
    (222, 148, 46),
    (96, 74, 150),
    (58, 62, 70),
    (32, 140, 160),
)
_TROUSERS: tuple[Colour, ...] = ((48, 52, 62), (36, 44, 78), (92, 94, 100), (66, 58, 52), (30, 30, 34))
_SHOES: tuple[Colour, ...] = ((196, 198, 204), (60, 62, 70), (196, 70, 60), (70, 110, 176))


@dataclass(frozen=True)
class Look:
    """Clothes and colours, 0–255 RGB."""

    skin: Colour = (224, 172, 140)
    hair: Colour = (52, 36, 26)
    hair_style: Literal["short", "bun"] = "short"
    shirt: Colour = (46, 92, 170)
    sleeve: float = 0.6  # share of the upper arm that it covers
    trousers: Colour = (52, 54, 62)
    shorts: bool = False
    shoes: Colour = (196, 198, 204)


@dataclass(frozen=True)
class Person:
    """A body, its clothes, and the seed of its habits (stance, arm carriage, rhythm)."""

    number: int = 1
    shape: Shape = field(default_factory=Shape)
    look: Look = field(default_factory=Look)


@lru_cache(maxsize=64)
def person(number: int) -> Person:
    """The person of that number: 1 and 2 are fixed, the rest are drawn."""
    if number in _CAST:
        return _CAST[number]
    rng = np.random.default_rng([20_261, number])

    def pick(colours: tuple[Colour, ...]) -> Colour:
        return colours[int(rng.integers(len(colours)))]

    sex: Literal["male", "female"] = "male" if rng.random() < 0.5 else "female"
    height = 1.76 + 0.07 * rng.standard_normal() if sex == "male" else 1.64 + 0.06 * rng.standard_normal()
    shape = Shape(
        sex=sex,
        height_m=float(np.clip(height, 1.5, 1.96)),
        weight=float(np.clip(0.22 * rng.standard_normal(), -0.4, 0.55)),
        muscle=float(np.clip(0.2 * rng.standard_normal(), -0.35, 0.45)),
        legs=float(np.clip(0.25 * rng.standard_normal(), -0.5, 0.5)),
    )
    look = Look(
        skin=pick(_SKINS),
        hair=pick(_HAIRS),
        hair_style="bun" if sex == "female" and rng.random() < 0.7 else "short",
        shirt=pick(_SHIRTS),
        sleeve=float(rng.choice([0.45, 0.62, 0.8])),
        trousers=pick(_TROUSERS),
        shorts=bool(rng.random() < 0.3),
        shoes=pick(_SHOES),
    )
    return Person(number, shape, look)


_CAST = {
    1: Person(1),
    2: Person(
        2,
        Shape("female", 1.66, weight=0.05, legs=0.1),
        Look(
            skin=(198, 142, 108),
            hair=(40, 28, 24),
            hair_style="bun",
            shirt=(176, 44, 60),
            sleeve=0.5,
            trousers=(42, 48, 74),
            shoes=(70, 110, 176),
        ),
    ),
}
