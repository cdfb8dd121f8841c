"""What it costs scoring to score one synced set of two cameras against a reference of a minute, and a usual one.

__main__: `python -m bench.set_cost OUT.json`, which `make bench-scoring` calls
load: references and the sets of somebody who follows them, by the gym; nothing is drawn
measuring: bytes in, bytes out, in this process, and through a scoring process and Redis
"""
