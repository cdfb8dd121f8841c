"""What a performance is compared with: a template built from the repetitions of sample videos."""
