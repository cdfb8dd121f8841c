"""scoring: compares each synced set with the reference: repetitions, error, score, advice."""
