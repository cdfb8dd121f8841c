"""The services of the mesh, one folder each, and services.mesh, what they share."""
