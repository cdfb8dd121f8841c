"""A browser or a former camera client becomes a camera: its WebSocket messages become a stream of frames to pose."""
