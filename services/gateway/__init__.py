"""gateway: the one door: REST, WebSocket, MJPEG, browser camera, web page."""
