"""A small made-up posterior with every kind of term, and its draws by brute force in float64."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import special

from placewise.estimates.predictor import Effect, Estimand, Predictor
from placewise.kernels.philox import label_hashes, stream_key, uniform_row


def _effect(rng, name, labels, known, n_draws, area=None, cell=None, sd=0.4):
    """An effect whose first ``known`` labels have posterior draws."""
    kc = 1 if cell is None else int(cell.max()) + 1
    lookup = np.arange(len(labels)).reshape(-1, kc)
    draws = (rng.normal(0, sd, (known, 1)) + rng.normal(0, 0.3 * sd, (known, n_draws))).astype(np.float32)
    spread = sd * np.exp(rng.normal(0, 0.2, n_draws))
    return Effect(name, tuple(labels[:known]), draws, spread, tuple(labels), area, cell, lookup)


def slopes(predictor, seed=3):
    """The same with varying slopes of every kind: over areas, cells and both, correlated and not, levels without draws.

    Each is (name of the grouping's effect, area factor, cell factor, correlated with effects before).
    """
    rng = np.random.default_rng(seed)
    by_name = {e.name: e for e in predictor.effects}
    n_areas, n_cells, n_draws = len(predictor.codes), len(predictor.cell_x), predictor.n_draws
    x, w = rng.normal(size=n_areas), rng.uniform(0.5, 1.5, n_cells)
    sex = (np.arange(n_cells) % 2).astype(float)
    nobody = _effect(rng, "mode", ["web", "(new)"], 1, n_draws)
    by_name["mode"] = replace(nobody, lookup=np.ones((1, 1), dtype=int))
    wanted = [
        ("district", x, None, ("district",)),  # area only, with the intercept
        ("district", None, sex, ("district", "0|district")),  # area × cell, third of three
        ("region", x, w, ()),  # both factors, alone
        ("oa", None, sex, ("oa",)),  # the area's own
        ("mode", x, None, ()),  # one new level for all, times an area's value
        ("mode", None, w, ()),  # cells only, through the column
    ]
    wanted += [("age", x, None, ("age",)), ("age", None, w, ()), ("age", x, sex, ())] if "age" in by_name else []
    wanted += [("district:age", x, w, ("district:age",))] if "district:age" in by_name else []
    made = []
    for k, (factor, area_x, cell_x, along) in enumerate(wanted):
        base = by_name[factor]
        own = _effect(rng, f"{k}|{factor}", base.all_labels, len(base.labels), n_draws, sd=0.3)
        loading = None
        if along:
            a = rng.normal(size=(n_draws, len(along) + 1, 12))
            covariance = a @ a.transpose(0, 2, 1)
            size = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
            loading = np.linalg.cholesky(covariance / size[:, :, None] / size[:, None, :])[:, -1]
        made.append(
            replace(base, name=own.name, draws=own.draws, sd=own.sd, area_x=area_x, cell_x=cell_x, along=along,
                    loading=loading)
        )  # fmt: skip
    return replace(predictor, effects=(*predictor.effects, *made))


def _estimand(kind, rng, n_draws):
    if kind == "share":
        return Estimand("", "share", "logit", 1.0, np.array([-1.0]), cuts=np.zeros((1, n_draws)))
    cuts = np.sort(rng.normal(0, 0.05, (3, n_draws)) + np.array([-1.0, 0.2, 1.4])[:, None], axis=0)
    if kind == "middle":
        return Estimand("", "share", "logit", 0.0, np.array([-1.0, 0.0, 1.0]), cuts=cuts)
    if kind == "top":
        return Estimand("", "share", "logit", 1.0, np.array([-1.0]), cuts=cuts[1:2])
    if kind == "score":
        # categories 1 to 4: E y = 4 − Σ P(y ≤ k), E y² = 16 − Σ (2k + 1) P(y ≤ k)
        weights2 = -np.array([3.0, 5.0, 7.0])
        return Estimand("", "mean", "logit", 4.0, -np.ones(3), 16.0, weights2, cuts, lower=1.0, upper=4.0)
    if kind == "smooth":
        # an average over persons: weights of each draw, some negative, with one sum
        weights = -rng.dirichlet(np.ones(14), n_draws).T * 3.0 + rng.normal(0, 0.1, (14, n_draws))
        weights[-1] -= weights.sum(axis=0) + 3.0
        cuts = np.repeat(np.linspace(-7.0, 7.0, 14)[:, None], n_draws, axis=1)
        second = weights * np.linspace(2.0, 8.0, 14)[:, None]
        second[-1] -= second.sum(axis=0) + 15.0
        return Estimand("", "mean", "logit", 4.0, weights, 16.0, second, cuts, lower=1.0, upper=4.0, slope=1.3)
    if kind == "normal":
        return Estimand("", "mean", "identity", sigma=np.exp(rng.normal(0, 0.1, n_draws)))
    if kind == "count":
        return Estimand("", "mean", "log", lower=0.0)
    return Estimand("", "latent", "logit", cuts=cuts)


def build(
    n_areas=60, n_draws=40, kind="share", people=True, seed=5, intercept=0.2, polarity=1, frame=True, mixed=True,
    base=None, population=None, area_sd=0.4,
):  # fmt: skip
    """A predictor: regions and districts, an area class, ages × sexes, slopes of every kind."""
    rng = np.random.default_rng(seed)
    codes = np.array([f"E{i:05d}" for i in range(n_areas)], dtype=object)
    district = np.arange(n_areas) * 12 // n_areas
    region = district // 4
    district_code = np.array([f"D{d:02d}" for d in range(12)], dtype=object)
    kinds = rng.integers(0, 4, n_areas)
    age, sex = (np.repeat(np.arange(3), 2), np.tile(np.arange(2), 3)) if frame else (np.zeros(1, int), np.zeros(1, int))
    n_cells = len(age)
    own_known = n_areas // 3
    effects = [
        _effect(rng, "region", ["N", "M", "S"], 3, n_draws, area=region),
        _effect(rng, "district", district_code, 9, n_draws, area=district, sd=0.3),
        _effect(rng, "kind", ["a", "b", "c", "d"], 4, n_draws, area=kinds),
        _effect(rng, "oa", codes, own_known, n_draws, area=np.arange(n_areas), sd=area_sd),
    ]
    area_x = np.column_stack([rng.normal(size=n_areas), np.ones(n_areas), rng.normal(size=n_areas)])
    cell_x = np.column_stack([np.ones(n_cells), sex, sex]).astype(float)
    area_varies, cell_varies = np.array([True, False, True]), np.array([False, True, True])
    if frame:
        effects.append(_effect(rng, "age", ["young", "mid", "old"], 2, n_draws, cell=age))
    if frame and mixed:
        labels = [f"{d}:{a}" for d in district_code for a in ("young", "mid", "old")]
        effects.append(_effect(rng, "district:age", labels, 25, n_draws, area=district, cell=age, sd=0.5))
    if not (frame and mixed):
        area_x, cell_x, area_varies, cell_varies = area_x[:, :2], cell_x[:, :2], area_varies[:2], cell_varies[:2]
    size = rng.integers(12, 400, n_areas).astype(float) if population is None else population
    cells_of = [np.sort(rng.choice(n_cells, rng.integers(1, n_cells + 1), replace=False)) for _ in range(n_areas)]
    count = np.concatenate([n * rng.dirichlet(np.ones(len(c))) for n, c in zip(size, cells_of, strict=True)])
    p = area_x.shape[1]
    return Predictor(
        seed=11, codes=codes, code="oa",
        levels={"district": district_code[district], "region": np.array(["N", "M", "S"], dtype=object)[region]},
        classes={"kind": np.array(list("abcd"), dtype=object)[kinds]},
        population=size, base=np.ones(n_areas, bool) if base is None else base,
        intercept=intercept + rng.normal(0, 0.1, n_draws), beta=rng.normal(0.2, 0.1, (p, n_draws)),
        area_x=area_x.astype(np.float32), cell_x=cell_x, area_varies=area_varies, cell_varies=cell_varies,
        effects=tuple(effects), indptr=np.cumsum([0] + [len(c) for c in cells_of]),
        cell=np.concatenate(cells_of).astype(np.int32), count=count,
        estimands=(_estimand(kind, rng, n_draws),), finite_population=people, polarity=polarity,
    )  # fmt: skip


def uniforms(key_name, label, predictor):
    out = np.empty(predictor.n_draws)
    uniform_row(stream_key(predictor.seed, key_name), label_hashes([label])[0], out)
    return out


def _rows(effect, predictor):
    """Draws of every level; a new one is sd times its normal, or the combination of those it is correlated with."""
    new = []
    for label in effect.all_labels[len(effect.labels) :]:
        z = [special.ndtri(uniforms(f"effect:{name}", label, predictor)) for name in (*effect.along, effect.name)]
        sd = effect.sd
        if effect.scale is not None:
            sd = sd * effect.scale[effect.scale_class[effect.all_labels.index(label)]]
        new.append(sd * (z[0] if effect.loading is None else np.einsum("sk,ks->s", effect.loading, z)))
    return np.vstack([effect.draws.astype(float), *[np.atleast_2d(r) for r in new]])


def brute_rates(predictor):
    """θ and the variance of one more person, Σ N V / N, from a loop over areas; float64, both (A, S)."""
    p, e = predictor, predictor.estimands[0]
    tables = [_rows(effect, p) for effect in p.effects]
    rate = np.empty((len(p.codes), p.n_draws))
    variance = np.empty_like(rate)
    for a in range(len(p.codes)):
        entries = slice(p.indptr[a], p.indptr[a + 1])
        cells, weight = p.cell[entries], p.count[entries] / p.count[entries].sum()
        x = p.area_x[a].astype(float) * p.cell_x[cells]
        eta = p.intercept + x @ p.beta
        for effect, table in zip(p.effects, tables, strict=True):
            row = 0 if effect.area_index is None else effect.area_index[a]
            column = np.zeros(len(cells), int) if effect.cell_index is None else effect.cell_index[cells]
            times = 1.0 if effect.area_x is None else effect.area_x[a]
            times = times * (np.ones(len(cells)) if effect.cell_x is None else effect.cell_x[cells])
            eta = eta + times[:, None] * table[effect.lookup[row, column]]
        if e.kind == "latent":
            g, v = eta, np.zeros_like(eta)
        elif e.link == "identity":
            g, v = eta, np.broadcast_to(e.sigma**2, eta.shape)
        elif e.link == "log":
            g, v = np.exp(eta), np.exp(eta)
        else:
            cuts = e.cuts[None]
            if e.deviations is not None:
                cuts = np.sort(cuts - np.einsum("ck,jks->cjs", x[:, p.specific], e.deviations), axis=1)
            below = special.expit(cuts - e.slope * eta[:, None])
            weights, weights2 = (w if w.ndim == 2 else w[:, None] for w in (e.weights, e.weights2))
            g = e.constant + (weights * below).sum(axis=1)
            second = e.constant2 + (weights2 * below).sum(axis=1) if e.kind == "mean" else g
            v = second - g**2
        rate[a], variance[a] = weight @ g, weight @ v
    return rate, variance


@pytest.fixture(scope="session")
def make_predictor():
    return build


@pytest.fixture(scope="session")
def with_slopes():
    return slopes


@pytest.fixture(scope="session")
def brute():
    return brute_rates


@pytest.fixture(scope="session")
def person_uniforms():
    return lambda predictor: np.stack([uniforms("people", code, predictor) for code in predictor.codes])
