"""Whether the faults of the virtual gym's person are named, good form is left alone, and repetitions are counted.

__main__: `python -m bench.gym_faults OUT.json`, which `make eval-gym` calls
scenes: who does what in which form, and who showed it
looking: landmarks of each scene from each view, by the real pose model, kept in the cache
judging: a scene's sets through a session's scorer
figures: shares found, left alone and counted; the table and the picture of them
"""
