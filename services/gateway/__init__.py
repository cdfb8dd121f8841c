"""gateway: the one door: REST, WebSocket, MJPEG, browser camera, web page."""

VERSION = "0.1.0"
