"""Shapes of every message and document: protos and dataclasses in, plain documents out. Pure."""
