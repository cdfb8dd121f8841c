"""One performance followed as it happens, frame by frame."""
