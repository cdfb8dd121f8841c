"""The RPCs of ScoringService, a module for each kind: they translate messages and call the parts that do the work."""
