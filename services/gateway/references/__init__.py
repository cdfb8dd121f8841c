"""From an uploaded video to a reference: the multipart body streams through to scoring."""
