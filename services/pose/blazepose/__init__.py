"""BlazePose: from an image to the 33 landmarks of a person, by two networks.

One network finds persons in the whole image; the other finds the landmarks of one person in a square cut around them. While
the second is sure of its person, its own landmarks say where to cut in the next frame, and the first rests.

The networks, what goes into them and what comes out are those of Bazarevsky et al., "BlazePose: On-device Real-time Body
Pose tracking" (2020), and of the model card of MediaPipe BlazePose GHUM 3D; steps and constants are those of MediaPipe's
PoseLandmarker, and `tests/pose/test_parity.py` holds the landmarks against its. What differs is what a frame costs.
"""
