"""What bodies do, as numbers: landmarks, features, views, and laying one movement onto another in time."""
