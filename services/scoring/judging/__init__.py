"""A finished repetition against the template: how far it is off, where, when, and what that is worth."""
