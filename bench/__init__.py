"""bench: how fast the mesh is, and where a frame's time goes.

__main__: `python -m bench`, which `make bench` calls
run: the phases of one run, one after the other on the same frames
clips: recordings as 640×480 JPEGs, as a webcam gives them
running: the mesh as processes, with a load to play and figures to read
viewer: a WebSocket client that notes when each frame's pose and score arrive
stages: percentiles of each stage, from the stamps
usage: CPU and memory by service, frames dropped by reason
bare_loop: decode and infer in plain processes, the limit
stock: MediaPipe's PoseLandmarker as it comes
former: the design before the mesh: one process, base64 JSON in, polling out
report: the table, the picture, the JSON
diff: `python -m bench.diff A.json B.json`, which `make bench-diff` calls
eval, sync_scenarios, gateway_viewers: benches of their own
"""
