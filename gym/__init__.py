"""The virtual gym: exercising people on demand, with exact truth."""
