"""mesh: what the services share: server, channel, health, settings, telemetry, redis."""
