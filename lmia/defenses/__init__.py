"""Defenses, one module per kind, each with `Defense(**options)`.

- `penalty(model)`: a scalar tensor added to the training loss,
- `mask(confidences)`: what a confidence query gets to see instead of (n, n_classes) probabilities. Label queries
  never pass through it: a mask that leaves the arg-max alone leaves every label-only attack alone.
"""
