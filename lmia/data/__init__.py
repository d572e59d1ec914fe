"""Data sets, one module per kind, each with `load(**options) -> (inputs, classes)`.

`inputs` is float32 of shape (n, channels, height, width) or (n, features) with values in [0, 1]; `classes` is int64
of shape (n,) with values 0 .. n_classes - 1. A third value may be the `lmia.table.Table` of records, or the
`lmia.box.Box` of inputs (n, features) that lie in other ranges than [0, 1].
"""
