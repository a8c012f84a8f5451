# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Refit with another formula, and compare
#
# You have a project that runs. A colleague asks: do the eight covariates earn their place, or would age, sex and
# geography do? Here both models of satisfaction with the local area are fitted to the embedded example, a made-up
# country whose truth is known, and their estimates are compared with each other and with the truth.
#
# Open it with `jupytext --to notebook notebooks/refit.py`, or run it as it stands:
# `.venv/bin/python notebooks/refit.py`. It takes about a minute.

# %%
import os
from pathlib import Path

import numpy as np
import pandas as pd

import placewise as pw

folder = Path(os.environ.get("PLACEWISE_PROJECT", Path(__file__).parents[1] if "__file__" in globals() else ".."))
project = pw.Project(folder)
print(project.outcomes)

# %% [markdown]
# ## The model as its file has it
#
# `fit.posterior` is ArviZ InferenceData. `diagnose` gives each check with its value, threshold and verdict: look at it
# before anything else.

# %%
draws = int(os.environ.get("PLACEWISE_DRAWS", "2000"))
full = project.fit("satisfaction", draws=draws)
print(full.diagnose().status)
print(full.summary(["slopes"])[["mean", "sd"]].round(2))

# %% [markdown]
# Every area has draws, sampled or not, because each has an effect of its own in every draw. `summary` makes the columns
# of `estimates.parquet`.

# %%
areas = full.project()
estimates = areas.summary()
columns = ["area_code", "mean", "ci90_lower", "ci90_upper", "index", "p_above_national", "grade"]
print(estimates[columns].head().round(3))

# %% [markdown]
# ## The same without covariates
#
# Any key of the model file's `[model]` table can be changed for one fit. Nothing is written: to keep the change, write
# it into `models/satisfaction.toml`.

# %%
plain = project.fit("satisfaction", draws=draws, changes={"formula": "sex + (1 | age) + (1 | region/lad/msoa/lsoa)"})
plain_areas = plain.project()

# %% [markdown]
# ## Compare
#
# Without covariates the estimates shrink towards the larger area around each: they spread less.

# %%
both = pd.DataFrame({"full": areas.summary()["mean"], "plain": plain_areas.summary()["mean"]})
print(both.describe().loc[["mean", "std", "min", "max"]].round(3))
print("correlation", round(both["full"].corr(both["plain"]), 3))

# %% [markdown]
# Here the truth is known. For each model: the error, and the share of areas whose 90% interval holds the truth, which
# should be near .90.
#
# The plain model does not only err more. Its intervals also cover less than they should: how much areas differ beyond
# the formula is hardly seen in a survey of this size, so the prior decides it, and the prior is meant for what good
# covariates leave over. A formula that leaves out what matters needs a wider one, such as
# `"sd:geography" = "gamma(4, 12)"`.

# %%
every = pd.read_parquet(folder / "data/truth.parquet").query("area_level == 'oa'")
truth = every.set_index("area_code")["satisfaction"]


def score(fitted: pw.AreaDraws) -> dict[str, float]:
    """Error, coverage and width of the 90% intervals of the small areas."""
    table = fitted.summary().set_index("area_code")
    known = truth.loc[table.index]
    inside = (table["ci90_lower"] <= known) & (known <= table["ci90_upper"])
    return {
        "rmse": float(np.sqrt(((table["mean"] - known) ** 2).mean())),
        "coverage": float(inside.mean()),
        "width": float((table["ci90_upper"] - table["ci90_lower"]).mean()),
    }


scores = pd.DataFrame({"full": score(areas), "plain": score(plain_areas)})
print(scores.round(3))

# %% [markdown]
# ## Two places, and larger areas
#
# Draws of two areas are joint, so a difference between them has its own interval. Larger areas are
# population-weighted sums of the same draws.

# %%
a, b = estimates.sort_values("mean")["area_code"].iloc[[0, -1]]
print(areas.compare(a, b).round(3))

# %%
by_authority = areas.aggregate("lad").index().summary()
print(by_authority[["area_code", "index", "index_ci90_lower", "index_ci90_upper"]].head().round(2))
