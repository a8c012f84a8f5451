"""The fast engine: nested Laplace, corrected by exact importance weights.

1. The chain of nested geography is eliminated exactly, so that finding the mode of thousands of effects at given
   hyperparameters takes milliseconds.
2. The hyperparameters' posterior is explored in normal scores, by analytic gradients of the Laplace marginal, then by
   probes of the exact one.
3. A quasi-random design over the hyperparameters, and draws of the gaussian approximation at each of its points, make
   up proposals; every one is weighted by the exact density over the proposal's. The kept draws are a resample.

The weights make the result right wherever the proposals cover the posterior; their effective sample size and Pareto k
say whether they do.
"""
