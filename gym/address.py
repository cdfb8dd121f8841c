"""Camera addresses: `gym:squat?view=front&form=knees_in:0.6&tempo=2,0.5,1.5,1&person=3&fps=30&seed=7`.

What comes before the question mark is a movement, a shipped script (answer, session, circuit) or a script's path.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar
from urllib.parse import parse_qsl, quote, unquote

from gym import movement, script
from gym.camera import Camera, around, azimuth_of
from gym.clock import CameraClock
from gym.errors import AddressError, GymError
from gym.noise import draw
from gym.render.renderer import Sensor
from gym.script import Script, Section

SCHEME = "gym:"
T = TypeVar("T")

# key: what it means (docs/gym.md is made of these)
MOTION_KEYS = {
    "form": "faults with a dial 0..1: knees_in:0.6,shallow:0.3",
    "tempo": "seconds: down,hold,up,rest",
    "reps": "repetitions before the script begins anew (default 10)",
    "person": "who exercises: any number from 1 (default 1)",
    "seed": "of all noise: cameras of the same seed see the same (default 0)",
    "variation": "scales the noise of the motion, 0 is a machine (default 1)",
    "heading": "degrees the person is turned from the front camera",
    "second": "a second person's number, at the back; second=5:x,y puts them elsewhere",
    "occluder": "pillar, table or screen, in the way; pillar:x,y in metres",
    "light": "normal, bright or dim",
    "plain": "1: a grey room with nothing in it",
}
CAMERA_KEYS = {
    "view": "front, three-quarter, side, left, back, right, or degrees round the person (default front)",
    "distance": "metres from the person (default 3.4)",
    "height": "of the camera, metres (default 1.15)",
    "look": "height that it looks at, metres (default 0.88)",
    "size": "640x480",
    "focal": "pixels",
    "distortion": "k1,k2,p1,p2,k3",
    "fps": "frames a second (default 30)",
    "offset": "milliseconds the camera's clock is ahead",
    "drift": "parts per million it runs fast",
    "jitter": "milliseconds (SD) of the frames' instants",
    "stamp_jitter": "milliseconds (SD) of the stamps",
    "drop": "share of frames that never arrive",
    "phase": "of a frame, 0..1 (default: by the view)",
    "noise": "grey levels (SD, default 1.6)",
    "exposure": "stops",
    "flicker": "share of brightness lost at the worst of mains flicker",
    "supersample": "1 or 2 samples a pixel each way (default 2)",
    "epoch": "Unix time at which the script begins; give several cameras the same (default 0)",
    "loop": "1: replay a pre-rendered loop of one cycle",
    "once": "1: stop at the end of the script",
}


@dataclass(frozen=True)
class View:
    """A camera as an address has it."""

    camera: Camera
    clock: CameraClock
    sensor: Sensor
    flicker: float = 0.0
    epoch: float | None = None
    loop: bool = False


@dataclass(frozen=True)
class Address:
    """An address, read."""

    text: str
    script: Script
    view: View
    settings: Mapping[str, str] = field(default_factory=dict)


def parse(text: str) -> Address:
    """Read an address.

    Raises:
        AddressError: it cannot be read; says which part, and what there is.
        GymError: what it names does not exist.
    """
    if not text.startswith(SCHEME):
        raise AddressError(f"{text!r}: a gym address begins with {SCHEME}")
    what, _, query = text[len(SCHEME) :].partition("?")
    name = unquote(what).strip("/") if not what.startswith("/") else unquote(what)
    settings = _settings(query)
    if unknown := set(settings) - set(MOTION_KEYS) - set(CAMERA_KEYS):
        known = ", ".join(sorted([*MOTION_KEYS, *CAMERA_KEYS]))
        raise AddressError(f"{text!r}: unknown {', '.join(sorted(unknown))}; known: {known}")
    return Address(text, _script(name, settings), read_view(settings, name_of(settings)), settings)


def name_of(settings: Mapping[str, str]) -> str:
    """What a camera is called when nobody names it: its view."""
    return settings.get("view", "front")


def read_view(
    settings: Mapping[str, str],
    name: str,
    *,
    size: tuple[int, int] = (640, 480),
    fps: float = 30.0,
    seed: int = 0,
) -> View:
    """A camera from an address's settings (those of the motion are left alone)."""
    number = _Reader(settings)
    width, height = size
    if "size" in settings:
        try:
            width, height = (int(part) for part in settings["size"].lower().split("x"))
        except ValueError:
            raise AddressError(f"size={settings['size']}: write it as 640x480") from None
        if not (16 <= width <= 3840 and 16 <= height <= 3840):
            raise AddressError(f"size={settings['size']}: from 16 to 3840 pixels each way")
    try:
        azimuth = azimuth_of(settings.get("view", "front"))
    except ValueError as error:
        raise AddressError(str(error)) from None
    distortion = [0.0] * 5
    if "distortion" in settings:
        given = number.floats("distortion", 5)
        distortion[: len(given)] = given
    k1, k2, p1, p2, k3 = distortion
    camera = around(
        azimuth,
        name=name,
        distance=number("distance", 3.4, 0.5, 4.4),
        height=number("height", 1.15, 0.05, 3.1),
        look_height=number("look", 0.88, 0.0, 3.0),
        size=(width, height),
        focal=number("focal", 0.875 * width, 50, 10_000),
        distortion=(k1, k2, p1, p2, k3),
    )
    seed = int(number("seed", seed, 0, 2**31))
    # Cameras are not triggered together unless told to be.
    phase = float(draw("phase", seed, name).random())
    epoch = number("epoch", 0.0, 0, 1e11) if "epoch" in settings else None
    clock = CameraClock(
        fps=number("fps", fps, 0.1, 240),
        offset=number("offset", 0.0, -1e9, 1e9) / 1e3,
        drift_ppm=number("drift", 0.0, -1e4, 1e4),
        jitter=number("jitter", 0.0, 0, 1e3) / 1e3,
        stamp_jitter=number("stamp_jitter", 0.0, 0, 1e3) / 1e3,
        drop=number("drop", 0.0, 0, 1),
        phase=number("phase", phase, 0, 1),
        epoch=epoch or 0.0,
        seed=seed,
        name=name,
    )
    sensor = Sensor(
        samples=int(number("supersample", 2, 1, 3)),
        noise=number("noise", 1.6, 0, 60),
        exposure=number("exposure", 0.0, -6, 4),
    )
    return View(
        camera, clock, sensor, number("flicker", 0.0, 0, 1), epoch, settings.get("loop", "0") not in ("0", "")
    )


def query_of(settings: Mapping[str, str]) -> str:
    """Settings as a query."""
    return "&".join(f"{key}={quote(value, safe=':,.-')}" for key, value in settings.items())


def _settings(query: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError:
        raise AddressError(f"?{query}: write settings as key=value&key=value") from None
    return dict(pairs)


def _script(name: str, settings: Mapping[str, str]) -> Script:
    number = _Reader(settings)
    scene = {key: settings[key] for key in ("second", "occluder", "light", "plain") if key in settings}
    changes: dict[str, object] = {}
    if "seed" in settings:
        changes["seed"] = int(number("seed", 0, 0, 2**31))
    if "variation" in settings:
        changes["variation"] = number("variation", 1.0, 0, 5)
    once = settings.get("once", "0") not in ("0", "")
    if (path := script.find(name)) is not None:
        base = script.read(path)
        only = ("form", "tempo", "reps", "person", "heading")
        if told := [key for key in only if key in settings]:
            raise AddressError(f"{name} is a script: it decides {', '.join(told)} itself")
        # A camera goes on for ever unless told otherwise.
        changes["loop"] = not once
        changes["scene"] = {**base.scene, **scene}
        return _replaced(base, changes)
    try:
        section = Section(
            movement=movement.load(name).name,
            person=int(number("person", 1, 0, 2**31)),
            repetitions=int(number("reps", 10, 1, 1000)),
            form=_form(settings.get("form", "")),
            tempo=script.parse_tempo(settings["tempo"]) if "tempo" in settings else None,
            heading=number("heading", 0.0, -360, 360) if "heading" in settings else None,
        )
        movement.load(name).keys(section.form)
    except GymError as error:
        if name in movement.names():
            raise AddressError(str(error)) from error
        scripts = ", ".join(sorted(p.stem for p in script.FOLDER.glob("*.yaml")))
        raise AddressError(f"{error}; or a script: {scripts}, or a script's path") from error
    return _replaced(Script((section,), title=name, loop=not once, scene=scene), changes)


def _replaced(base: Script, changes: Mapping[str, object]) -> Script:
    return replace(base, **changes)  # type: ignore[arg-type]


def _form(text: str) -> dict[str, float]:
    form = {}
    for part in filter(None, text.split(",")):
        name, _, dial = part.partition(":")
        if name == "good":
            continue
        try:
            form[name] = float(dial or 1.0)
        except ValueError:
            raise AddressError(f"form={text}: write faults as name:dial, like knees_in:0.6") from None
    return form


class _Reader:
    """Reads numbers, with clear errors."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._settings = settings

    def __call__(self, key: str, default: float, low: float, high: float) -> float:
        if key not in self._settings:
            return default
        value = self._number(key, self._settings[key])
        if not low <= value <= high:
            raise AddressError(f"{key}={self._settings[key]}: from {low:g} to {high:g}")
        return value

    def floats(self, key: str, most: int) -> list[float]:
        parts = self._settings[key].split(",")
        if len(parts) > most:
            raise AddressError(f"{key}={self._settings[key]}: at most {most} numbers")
        return [self._number(key, part) for part in parts]

    def _number(self, key: str, text: str) -> float:
        return _tried(lambda: float(text), f"{key}={text}: not a number")


def _tried(make: Callable[[], T], message: str) -> T:
    try:
        return make()
    except ValueError:
        raise AddressError(message) from None
