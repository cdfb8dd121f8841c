"""Draws dressed bodies in a room: a software rasteriser in Numba, one core, no graphics card."""
