"""Defenses, one module per kind, each with `Defense(**options)`, derived from `lmia.defenses.base.Defense`.

That class has a method for each place where a defense can act: on the model before and after training, on batches, on
the loss, on the step, and on the confidences that the model gives. Label queries never pass through `mask`: a mask that
leaves the arg-max as it is changes no label-only attack.

A module that says `MASKS_ONLY = True` changes nothing but confidences: its models, and the answers to label queries,
are those of the defense that it is laid over, and nothing is trained or queried again.

CONTRIBUTING.md lists what else a new one needs; one of your own needs none of it: docs/how-to/extend.md.
"""
