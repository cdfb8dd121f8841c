"""How well scoring tells right from wrong."""
