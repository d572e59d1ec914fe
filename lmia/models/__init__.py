"""Networks, one module per kind, each with `build(shape, n_classes, **options) -> torch.nn.Module`.

`shape` is that of one input, without the batch; the module maps (n, *shape) to logits (n, n_classes).
"""
