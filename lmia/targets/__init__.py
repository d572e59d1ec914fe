"""Models that exist already, by their kinds: nothing that a user's file holds is executed unless its hash is stated.

A module here has `load(network, path)`, which fills a network with what a file holds, and, where the file brings its
architecture along, `build(shape, n_classes, **options)`, which makes that network as a module of models does.
"""
