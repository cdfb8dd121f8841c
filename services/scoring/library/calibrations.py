"""Calibrations and the repetitions they were made from, as bytes: numpy arrays and a JSON header (npz)."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from services.scoring.errors import BadCalibration
from services.scoring.judging.calibration import INPUTS, Calibration, Weights
from services.scoring.judging.examples import MOST, Example
from services.scoring.judging.memory import Clip
from services.scoring.movement.features import FEATURES
from services.scoring.reference.template import Template, unpacked

SOURCES: Final = ("correct", "labelled")
_WEIGHTS: Final = ("mean", "scale", "weight")


@dataclass(frozen=True, slots=True)
class Labels:
    """How many repetitions a version has learnt from."""

    right: int = 0
    wrong: int = 0
    people: int = 0

    @classmethod
    def of(cls, examples: Sequence[Example]) -> Labels:
        """Counts them."""
        right = sum(one.correct for one in examples)
        return cls(right, len(examples) - right, len({one.person for one in examples}))


def calibration_to_bytes(calibration: Calibration) -> bytes:
    """For `calibration_from_bytes`."""
    header: dict[str, Any] = {
        "source": calibration.source,
        "d90": calibration.d90,
        "d70": calibration.d70,
        "full_range": calibration.full_range,
    }
    arrays: dict[str, Any] = {}
    if calibration.shift is not None:
        arrays["shift"] = calibration.shift.astype(np.float32)
    if calibration.weights is not None:
        header["bias"] = calibration.weights.bias
        for name in _WEIGHTS:
            arrays[name] = getattr(calibration.weights, name)
    return _packed(header, arrays)


def calibration_from_bytes(data: bytes, template: Template) -> Calibration:
    """A calibration of this template, from anyone's bytes. Raises BadCalibration if it is none, or does not fit."""
    try:
        arrays = unpacked(data, most=5)
        header = json.loads(arrays.pop("header").tobytes())
        numbers = {name: float(header[name]) for name in ("d90", "d70", "full_range")}
        bias = float(header.get("bias", 0.0))
        source = str(header["source"])
    except Exception as error:
        raise BadCalibration(f"these {len(data)} bytes are no calibration: {error}") from error
    shapes = {"shift": (len(template.features), FEATURES)} | dict.fromkeys(_WEIGHTS, (INPUTS,))
    whole = [name in shapes and array.shape == shapes[name] for name, array in arrays.items()]
    weighs = [name for name in _WEIGHTS if name in arrays]
    if not all(whole) or len(weighs) not in (0, len(_WEIGHTS)) or source not in SOURCES:
        raise BadCalibration(
            "this calibration is not for this version of the reference, or of another KOMI: make it again from its videos"
        )
    every = (*arrays.values(), np.array([*numbers.values(), bias]))
    if not all(np.isfinite(values).all() for values in every):
        raise BadCalibration("this calibration holds what is no number: make it again from its videos")
    wide = {name: array.astype(np.float64) for name, array in arrays.items()}
    return Calibration(
        d90=numbers["d90"],
        d70=numbers["d70"],
        source=source,
        shift=wide.get("shift"),
        weights=Weights(wide["mean"], wide["scale"], wide["weight"], bias) if weighs else None,
        full_range=numbers["full_range"],
    )


def examples_to_bytes(examples: Sequence[Example]) -> bytes:
    """For `examples_from_bytes`; to a thousandth of a radian."""
    clips = [one.clip for one in examples]
    header = {
        "lengths": [len(clip.features) for clip in clips],
        "correct": [one.correct for one in examples],
        "people": [one.person for one in examples],
    }
    arrays = {
        "features": np.concatenate([clip.features for clip in clips]).astype(np.float16),
        "known": np.stack([clip.known for clip in clips]),
        "variance": np.stack([clip.variance for clip in clips]).astype(np.float32),
        "jitter": np.stack([clip.jitter for clip in clips]).astype(np.float32),
    }
    return _packed(header, arrays)


def examples_from_bytes(data: bytes) -> list[Example]:
    """What `examples_to_bytes` was given. Raises BadCalibration."""
    try:
        arrays = unpacked(data, most=5)
        header = json.loads(arrays["header"].tobytes())
        ends = np.cumsum(header["lengths"])
        parts = np.split(arrays["features"].astype(np.float64), ends[:-1])
        variance = arrays["variance"].astype(np.float64)
        # Until 2026-11-21 the noise was not kept.
        jitter = arrays.get("jitter", np.zeros_like(variance)).astype(np.float64)
        return [
            Example(Clip(part, known, errors, noise, 0.0), bool(correct), str(person))
            for part, known, errors, noise, correct, person in zip(
                parts, arrays["known"], variance, jitter, header["correct"], header["people"], strict=True
            )
        ][-2 * MOST :]
    except Exception as error:
        raise BadCalibration("the repetitions of this calibration cannot be read: make it again") from error


def _packed(header: dict[str, Any], arrays: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    text = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
    np.savez_compressed(out, header=text, **arrays)
    return out.getvalue()
