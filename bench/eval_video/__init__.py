"""How well repetitions are counted in labelled videos, through the real pose and scoring services.

__main__: `python -m bench.eval_video FOLDER OUT.json`, which `make eval-video` calls
labels: what is said to be in each video
counting: what the services count in it
figures: errors by exercise, the table and the picture of them
"""
