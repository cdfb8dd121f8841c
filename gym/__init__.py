"""The virtual gym: exercising people on demand, seen by any number of cameras, with exact truth.

camera = gym.open_address("gym:squat?view=front&form=knees_in:0.6&seed=7")
for shot in camera.shots():            # paced by the wall clock
    shot.image, shot.stamp, shot.true_time
camera.truth(shot.true_time).landmarks  # (33, 3) metres, nothing is drawn for it
"""

from gym.address import parse as parse_address
from gym.camera import Camera, around
from gym.clock import CameraClock, FrameTime
from gym.errors import AddressError, GymError, MovementError, ScriptError
from gym.script import Script, Section
from gym.script import read as read_script
from gym.stage import Seen, Stage, Truth
from gym.timeline import Repetition, Timeline
from gym.virtual_camera import Clock, Shot, VirtualCamera, WallClock, open_address

__all__ = [
    "AddressError",
    "Camera",
    "CameraClock",
    "Clock",
    "FrameTime",
    "GymError",
    "MovementError",
    "Repetition",
    "Script",
    "ScriptError",
    "Section",
    "Seen",
    "Shot",
    "Stage",
    "Timeline",
    "Truth",
    "VirtualCamera",
    "WallClock",
    "around",
    "open_address",
    "parse_address",
    "read_script",
]
