"""The two ways a session's messages go over a WebSocket: JSON text, or protobuf binary by subprotocol."""

from typing import Protocol

from komi.common.v1 import frame_pb2
from komi.gateway.v1 import session_message_pb2
from komi.scoring.v1 import scoring_service_pb2
from komi.sync.v1 import sync_service_pb2
from services.gateway.shaping import poses, scores
from services.gateway.shaping.encoding import Document, binary_frame, text_frame, to_json


class Format(Protocol):
    """Makes WebSocket frames. `stamps` are the set's or update's own, with `pushed`."""

    def document(self, document: Document) -> bytes:
        """Any message."""

    def poses(self, synced: sync_service_pb2.SyncedSet, stamps: frame_pb2.StageStamps) -> bytes:
        """Topic poses."""

    def score(self, update: scoring_service_pb2.ScoreUpdate, stamps: frame_pb2.StageStamps) -> bytes:
        """Topic score."""


class JsonFormat:
    """Text frames; docs/api.md."""

    def document(self, document: Document) -> bytes:
        return text_frame(to_json(document))

    def poses(self, synced: sync_service_pb2.SyncedSet, stamps: frame_pb2.StageStamps) -> bytes:
        return text_frame(to_json(poses.poses_message(synced, stamps)))

    def score(self, update: scoring_service_pb2.ScoreUpdate, stamps: frame_pb2.StageStamps) -> bytes:
        return text_frame(to_json(scores.score_message(update, stamps)))


class ProtobufFormat:
    """Binary frames: komi.gateway.v1.SessionMessage."""

    def document(self, document: Document) -> bytes:
        return _binary(session_message_pb2.SessionMessage(json=to_json(document).decode()))

    def poses(self, synced: sync_service_pb2.SyncedSet, stamps: frame_pb2.StageStamps) -> bytes:
        message = session_message_pb2.SessionMessage(poses=synced)
        message.poses.stamps.CopyFrom(stamps)
        return _binary(message)

    def score(self, update: scoring_service_pb2.ScoreUpdate, stamps: frame_pb2.StageStamps) -> bytes:
        message = session_message_pb2.SessionMessage(score=update)
        message.score.stamps.CopyFrom(stamps)
        return _binary(message)


def _binary(message: session_message_pb2.SessionMessage) -> bytes:
    return binary_frame(message.SerializeToString())


JSON: Format = JsonFormat()
PROTOBUF: Format = ProtobufFormat()
SUBPROTOCOLS = {"komi.v1.json": JSON, "komi.v1.protobuf": PROTOBUF}
"""By the name asked for in Sec-WebSocket-Protocol; JSON when none is."""
