"""One module a resource; each only translates between HTTP or WebSocket and the parts of the gateway."""
