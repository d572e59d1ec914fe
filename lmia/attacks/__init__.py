"""Decision rules: how cached observations become membership scores, one module per kind.

A module defines `Attack(**options)` with

- `reads`: the observations it takes, a tuple out of "labels", "distances" and "confidences",
- `fit(shadow, is_member)`: learns from the shadow's observations, `is_member` bool (n,); returns itself,
- `score(target)`: floats (n,), higher = more member-like,
- optionally `shadow_scores()`: the like for the shadow's own rows (n,), each by a fit that had not seen that row. The
  threshold and the magnitude are chosen on these; without the method on `score(shadow)`, which is honest only for a
  rule whose `fit` learns nothing, or next to nothing.

Observations come as `lmia.observations` types. Nothing here ever sees a model, or the target's membership.
"""
