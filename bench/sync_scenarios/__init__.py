"""The ten hardest scenarios of synchronisation, through the real service and a real Redis: `make sync-scenarios`."""
