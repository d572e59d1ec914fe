"""Whether the entries of a configuration fit each other."""
