"""Queries that are crafted for each example, with gradients of an attacker's own models: one module for each attack."""
