"""capture: reads cameras at a steady rate, compresses, streams frames, keeps only the newest."""
