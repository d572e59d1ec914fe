"""Epsilon of private training by integration, which neither lmia nor Opacus has a part in: a check on both."""

import math

import numpy as np
from scipy.special import logsumexp


def epsilon_by_integral(noise, rate, steps, delta):
    """The Renyi divergences of a Poisson-sampled Gaussian from their definition (Mironov, Talwar and Zhang 2019).

    Opacus sums series for them, of its own orders. The conversion is that of Balle et al. 2020.
    """
    order = 1 + np.geomspace(0.02, 300, 500)
    z = np.linspace(-12 * noise, order + 12 * noise, 4001)  # as far as any of the integrands reaches
    with np.errstate(divide="ignore"):
        ratio = np.logaddexp(np.log1p(-rate), np.log(rate) + (2 * z - 1) / (2 * noise**2))
    logs = order * ratio - z**2 / (2 * noise**2) + np.log((z[1] - z[0]) / (noise * math.sqrt(2 * math.pi)))
    renyi = steps * logsumexp(logs, axis=0) / (order - 1)
    return (renyi + np.log1p(-1 / order) - np.log(delta * order) / (order - 1)).min()
