"""pose: turns frames into 33 landmarks, one tracker a camera, in order."""
