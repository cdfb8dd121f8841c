"""From an address to an opened source."""

from pathlib import Path

from services.capture.addresses import Address, Device, Network, Recording, Virtual
from services.capture.errors import SourceLost
from services.capture.playback import Playback
from services.capture.sources.device import DeviceSource
from services.capture.sources.images import ImagesSource
from services.capture.sources.network import NetworkSource
from services.capture.sources.source import Source
from services.capture.sources.video import VideoSource
from services.capture.states import Target


def open_source(address: Address, track: str, playback: Playback, target: Target, *, loop: bool) -> Source:
    """Open what `address` names, blocking. Raises SourceLost.

    `track`: the camera's name on the timeline of recordings. `loop`: for recordings that do not say themselves.
    """
    match address:
        case Device(index):
            return DeviceSource(index, target.width, target.height, target.fps)
        case Network(url):
            return NetworkSource(url)
        case Recording(location, own_loop, fps):
            loop = loop if own_loop is None else own_loop
            try:
                if Path(location).is_dir():
                    return ImagesSource(Path(location), fps or target.fps, track, playback, loop=loop)
                return VideoSource(location, track, playback, loop=loop)
            except SourceLost:
                playback.withdraw(track)
                raise
        case Virtual(address_in_gym):
            from services.capture.sources.virtual import VirtualSource

            return VirtualSource(address_in_gym, once=not loop)
