"""Every key KOMI uses in Redis. What belongs to a session carries the hash tag {session}: one cluster slot each."""

from urllib.parse import quote

LIVE_SESSION = "live"
SESSIONS = "komi:sessions"
"""Set of session ids."""
CAMERAS = "komi:cameras"
"""Sorted set of camera ids; score: when last seen, microseconds."""
REFERENCES = "komi:references"
"""Sorted set of reference ids; score: when made, microseconds."""
REPORTS = "komi:reports"
"""Hash: report id to JSON of its session and when its performance began, microseconds."""


def _safe(name: str) -> str:
    # Names are free text; in a key neither ':' nor a brace may come from them.
    return quote(name, safe="")


def session(session_id: str, *parts: str) -> str:
    """`komi:{id}:a:b`, in the session's slot."""
    return ":".join([f"komi:{{{_safe(session_id)}}}", *parts])


def session_config(session_id: str) -> str:
    """Hash: what the session is to do."""
    return session(session_id, "session")


def session_changed(session_id: str) -> str:
    """Channel: published when session_config changes."""
    return session(session_id, "session", "changed")


def synced_sets(session_id: str) -> str:
    """Stream: field `set` holds a komi.sync.v1.SyncedSet."""
    return session(session_id, "sync", "out")


def scores(session_id: str) -> str:
    """Stream: field `update` holds a komi.scoring.v1.ScoreUpdate."""
    return session(session_id, "score", "out")


def scoring_lease(session_id: str) -> str:
    """Hash: which replica of scoring scores the session, see services.mesh.lease."""
    return session(session_id, "score", "lease")


def scoring_state(session_id: str) -> str:
    """Hash: how far the session is scored, written with every batch of scores."""
    return session(session_id, "score", "state")


def repetitions(session_id: str) -> str:
    """List: komi.scoring.v1.Repetition, oldest first."""
    return session(session_id, "score", "repetitions")


def report(session_id: str, report_id: str, *parts: str) -> str:
    """Hash: a report of the session; with parts, the lists that grow with it. Outlives the session."""
    return session(session_id, "report", _safe(report_id), *parts)


def reference(reference_id: str) -> str:
    """Hash: a reference's versions."""
    return f"komi:reference:{{{_safe(reference_id)}}}"


def camera(camera_id: str, *parts: str) -> str:
    """`komi:camera:{id}:a:b`; a camera's own keys share a slot."""
    return ":".join([f"komi:camera:{{{_safe(camera_id)}}}", *parts])


def camera_info(camera_id: str) -> str:
    """String: a komi.pose.v1.Camera, short-lived."""
    return camera(camera_id)


def camera_owner(camera_id: str) -> str:
    """String: instance id of the process that streams under this name, short-lived."""
    return camera(camera_id, "owner")


def camera_session(camera_id: str) -> str:
    """String: session that claimed the camera."""
    return camera(camera_id, "session")


def camera_watch(camera_id: str) -> str:
    """String: there while somebody looks at the camera's images."""
    return camera(camera_id, "watch")


def camera_silhouettes(camera_id: str) -> str:
    """String: there while somebody wants the person's outlines from this camera."""
    return camera(camera_id, "silhouettes")


def camera_image(camera_id: str) -> str:
    """Hash: newest image, see services.mesh.images."""
    return camera(camera_id, "image")


def camera_image_new(camera_id: str) -> str:
    """Channel: the sequence number of each image written."""
    return camera(camera_id, "image", "new")


def job(job_id: str) -> str:
    """Hash: how far the gateway's work on an upload is, short-lived."""
    return f"komi:job:{{{_safe(job_id)}}}"


def job_changed(job_id: str) -> str:
    """Channel: published when the job changes."""
    return f"{job(job_id)}:changed"
