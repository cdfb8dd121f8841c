"""The design before the mesh, written anew to be compared with: one FastAPI process does everything.

server: base64 JSON over WebSocket in, pose in the same process, monitors polled every 100 ms
client: cameras and a monitor that measure it, open loop
"""
