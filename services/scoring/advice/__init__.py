"""What to say: cues chosen from a repetition's errors, in Korean and English."""
