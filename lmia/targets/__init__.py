"""Models that exist already, by their kinds: a file of a user's is read, and nothing that it holds is executed.

A module here has `build(shape, n_classes, **options)`, as models have it, and `load(network, path)`, which fills the
network with what the file holds.
"""
