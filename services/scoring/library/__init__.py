"""References as people keep them: videos in, versions stored, files out and in."""
