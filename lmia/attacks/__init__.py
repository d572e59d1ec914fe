"""Decision rules: how cached observations become membership scores, one module per kind.

A module defines `Attack(**options)` with

- `reads`: the observations it takes, a tuple out of "labels", "distances" and "confidences",
- `fit(shadow, is_member)`: learns from the shadow's observations, `is_member` bool (n,); returns itself,
- `score(target)`: floats (n,), higher = more member-like.

Observations come as `lmia.observations` types. Nothing here ever sees a model, or the target's membership.
"""
