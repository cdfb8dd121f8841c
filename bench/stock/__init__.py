"""MediaPipe's PoseLandmarker as it comes: the limit that the mesh is measured against, and its landmarks are held against."""
