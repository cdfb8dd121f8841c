"""Who may do what: open on loopback; beyond it a token, which is for viewing, for being a camera, or for everything."""
