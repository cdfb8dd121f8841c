"""The words of a cue by a language model, where one is told: off by default, never waited for, checked before use."""
