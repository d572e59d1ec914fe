"""Calibration of each example in a pool of models, one module per kind, each with `Calibration(**options)`.

`pools.judge_targets` runs them, and shows each nothing but what an attacker has. `signals` makes one number of each
observation.
"""
