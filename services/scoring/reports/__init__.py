"""Reports of performances: what somebody did along a reference, kept when the session is gone."""
