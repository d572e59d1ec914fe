"""Decision rules: how cached observations become membership scores, one module per kind.

A module defines `Attack(**options)` with

- `reads`: the observations it takes, a tuple of keys of `observations.OBSERVATIONS`,
- `fit(shadow, is_member)`: learns from the shadow's observations, `is_member` bool (n,); returns itself,
- `score(target)`: floats (n,), higher = more member-like,
- optionally `shadow_scores()`: the like for the shadow's own rows (n,), each by a fit that had not seen that row. The
  threshold and the magnitude are chosen on these; without the method on `score(shadow)`, which is honest only for a
  rule whose `fit` learns nothing, or next to nothing,
- optionally `threshold`: a float, for a rule that needs none from the shadow; members have `score >= threshold`,
- optionally `threshold_on(target)`: the same from the target's own observations, None for the shadow's after all.

A module that says `KNOWS_MASKS = True` at its top is of an attacker who knows the defense: the shadow's confidences
lie under the same mask as the target's. All others see the shadow's without a mask, as if there were none.

Observations come as `lmia.attacks.observations` types. Nothing here ever sees a model, or the target's membership.
"""
