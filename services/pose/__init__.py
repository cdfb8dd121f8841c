"""pose: turns frames into 33 landmarks with MediaPipe, one tracker a camera, in order."""
