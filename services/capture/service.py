"""CaptureService: translates between protos and the rig."""

from typing import Any

import grpc

from komi.capture.v1 import capture_service_pb2, capture_service_pb2_grpc
from services.capture.camera import Camera
from services.capture.rig import Rig
from services.capture.states import CameraState, LinkState
from services.mesh.times import drop_name

Context = grpc.aio.ServicerContext[Any, Any]

STATES = {
    CameraState.OPENING: capture_service_pb2.CAMERA_STATE_OPENING,
    CameraState.READING: capture_service_pb2.CAMERA_STATE_READING,
    CameraState.LOST: capture_service_pb2.CAMERA_STATE_LOST,
    CameraState.ENDED: capture_service_pb2.CAMERA_STATE_ENDED,
}
LINKS = {
    LinkState.CONNECTING: capture_service_pb2.LINK_STATE_CONNECTING,
    LinkState.STREAMING: capture_service_pb2.LINK_STATE_STREAMING,
    LinkState.REFUSED: capture_service_pb2.LINK_STATE_REFUSED,
    LinkState.FINISHED: capture_service_pb2.LINK_STATE_FINISHED,
}


class CaptureServicer(capture_service_pb2_grpc.CaptureServiceServicer):
    """Shows and steers the cameras of this process."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig

    async def ListCameras(
        self, request: capture_service_pb2.ListCamerasRequest, context: Context
    ) -> capture_service_pb2.ListCamerasResponse:
        return capture_service_pb2.ListCamerasResponse(
            cameras=[self._camera(member.camera) for member in self._rig.members]
        )

    async def GetLatestFrame(
        self, request: capture_service_pb2.GetLatestFrameRequest, context: Context
    ) -> capture_service_pb2.GetLatestFrameResponse:
        frame = await self._rig.latest(request.camera_id)
        assert frame.jpeg is not None
        answer = capture_service_pb2.GetLatestFrameResponse(jpeg=frame.jpeg.data, sequence=frame.sequence)
        self._rig.camera(request.camera_id).server_time.tell(answer.time, frame.stamp_ns)
        return answer

    async def UpdateCamera(
        self, request: capture_service_pb2.UpdateCameraRequest, context: Context
    ) -> capture_service_pb2.UpdateCameraResponse:
        camera = self._rig.camera(request.camera_id)
        camera.change(
            fps=request.target_fps if request.HasField("target_fps") else None,
            width=request.width if request.HasField("width") else None,
            height=request.height if request.HasField("height") else None,
        )
        return capture_service_pb2.UpdateCameraResponse(camera=self._camera(camera))

    def _camera(self, camera: Camera) -> capture_service_pb2.Camera:
        width, height = camera.latest.size if camera.latest is not None else (0, 0)
        return capture_service_pb2.Camera(
            camera_id=camera.camera_id,
            source=camera.shown,
            state=STATES[camera.state_now],
            link=LINKS[camera.link_state],
            target_fps=camera.target.fps,
            read_fps=camera.read_fps,
            sent_fps=camera.sent_fps,
            width=width,
            height=height,
            jpeg_quality=camera.quality.quality,
            clock=camera.server_time.status(self._rig.jitter_us(camera.camera_id)),
            dropped={drop_name(reason): count for reason, count in camera.dropped.items()},
            problem=camera.problem,
        )
