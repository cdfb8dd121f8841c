"""Live sessions shared out over replicas: leases, streams, and the ledger a successor takes over from."""
