"""Uploaded files on their way to scoring: the multipart body streams through, and what becomes of it is on record."""
