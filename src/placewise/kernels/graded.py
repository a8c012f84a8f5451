"""Persons who answered items of a scale, their own part of the trait integrated out.

With t a person's trait, normal about the linear predictor μ with variance 1, the likelihood of the answers y is
L(μ) = ∫ φ(t − μ) Π_m P(y_m | t) dt, P(y_m > k | t) = logit⁻¹(a_m (t + β_mk)). The integrand is smooth and vanishes on
both sides, so that the trapezoidal rule on a fixed grid of t converges geometrically (Trefethen and Weideman 2014):
with a spacing of h times a person's posterior sd log L errs by about 2 exp(-2 π² / h²). Each item needs to be known on
that grid only, for all persons at once. With E the mean over t given the answers, ∂ log L/∂μ = E t − μ and
∂² log L/∂μ² = Var t − 1; in the items' parameters the gradient is the mean of the gradients s of log P, and the Hessian
their mean Hessian plus the covariance of s (Louis 1982).
"""

from __future__ import annotations

import numpy as np

from placewise.kernels.compile import kernel
from placewise.kernels.latent import Rows, log_gap, logistic, predictor
from placewise.kernels.rowstats import row_sum

# how far from a person's μ, and from 0, the grid reaches
WIDTH, REACH = 6.8, 16.0
# of each item and answer: its probability; the gradient of its logarithm in the threshold below the answer, in the one
# above and in the log discrimination; the negative Hessian
P, BELOW, ABOVE, BY, BB, BA, AA, BD, AD, DD = range(10)
TABLES = 10


@kernel
def half_width(step: float) -> int:
    """Nodes on either side of a person's μ."""
    return int(np.ceil(WIDTH / step))


@kernel
def middle_of(step: float) -> int:
    """Points of the grid on either side of 0."""
    return int(np.ceil(REACH / step))


@kernel
def fill_tables(rows: Rows, core: np.ndarray, tables: np.ndarray) -> None:
    """Tabulate the items on the grid.

    Parameters
    ----------
    rows : Rows
        Of family GRADED.
    core : ndarray of float64, shape (Q,)
    tables : ndarray of float64, shape (TABLES or 1, answers of all items, points of the grid)
        Set; with one table only the probabilities are.
    """
    p, middle = rows.x.shape[1], middle_of(rows.step)
    for m in range(len(rows.cuts) - 1):
        n_cut = rows.cuts[m + 1] - rows.cuts[m]
        a = np.exp(core[rows.discrimination + m])
        for k in range(n_cut + 1):
            r, at = rows.cuts[m] + m + k, p + rows.cuts[m] + k
            below, above = core[at - 1] if k > 0 else 0.0, core[at] if k < n_cut else 0.0
            inside = 0 < k < n_cut
            gap = a * (below - above) if inside else 0.0
            apart, fall, bend = log_gap(gap) if inside else (0.0, 0.0, 0.0)
            for g in range(tables.shape[2]):
                t = rows.step * (g - middle)
                u, v = a * (t + below), a * (t + above)
                value, r1, w1, r2, w2 = apart, 0.0, 0.0, 0.0, 0.0
                if k > 0:
                    tail, pr = logistic(u)
                    value += min(u, 0.0) - tail
                    r1, w1 = 1.0 - pr, pr * (1.0 - pr)
                if k < n_cut:
                    tail, pr = logistic(v)
                    value -= max(v, 0.0) + tail
                    r2, w2 = -pr, pr * (1.0 - pr)
                tables[P, r, g] = np.exp(value)
                if tables.shape[0] == 1:
                    continue
                tables[BELOW, r, g] = a * (r1 + fall)
                tables[ABOVE, r, g] = a * (r2 - fall)
                tables[BY, r, g] = r1 * u + r2 * v + fall * gap
                tables[BB, r, g] = a * a * (w1 + bend)
                tables[BA, r, g] = -a * a * bend
                tables[AA, r, g] = a * a * (w2 + bend)
                tables[BD, r, g] = a * (w1 * u + bend * gap - r1 - fall)
                tables[AD, r, g] = a * (w2 * v - bend * gap - r2 + fall)
                tables[DD, r, g] = w1 * u * u + w2 * v * v + bend * gap * gap - r1 * u - r2 * v - fall * gap


@kernel
def weigh(
    answers: np.ndarray, cuts: np.ndarray, step: float, delta: float, lo: int, probability: np.ndarray,
    share: np.ndarray,
) -> float:  # fmt: skip
    """Sum of the integrand over a person's nodes, without its constant; ``share`` is set to its terms.

    Parameters
    ----------
    answers : ndarray of int8, shape (M,)
        Category of the person's answer to each item, -1 for none.
    cuts : ndarray of int64, shape (M + 1,)
        First cutpoint of each item.
    step, delta : float
        Spacing of the grid, and the first node less μ.
    lo : int
        Where on the grid the first node is.
    probability : ndarray of float64, shape (answers of all items, points of the grid)
    share : ndarray of float64, shape (nodes,)
    """
    nodes = len(share)
    # two chains of products side by side, since one would wait for itself
    even, by = np.exp(-0.5 * delta * delta), np.exp(-2.0 * step * (delta + step))
    odd, fall = even * np.exp(-step * (delta + 0.5 * step)), np.exp(-4.0 * step * step)
    along = by * np.exp(-2.0 * step * step)
    for j in range(0, nodes - 1, 2):
        share[j], share[j + 1] = even, odd
        even *= by
        odd *= along
        by *= fall
        along *= fall
    if nodes % 2 == 1:
        share[nodes - 1] = even
    for m in range(len(answers)):
        k = answers[m]
        if k >= 0:
            own = probability[cuts[m] + m + k, lo : lo + nodes]
            for j in range(nodes):
                share[j] *= own[j]
    whole: float = row_sum(share)
    return whole


@kernel
def _weigh(rows: Rows, i: int, mu: float, probability: np.ndarray, share: np.ndarray) -> tuple[float, int]:
    """As ``weigh``, of a row; and where on the grid its nodes begin."""
    step, middle = rows.step, middle_of(rows.step)
    lo = min(max(int(np.rint(mu / step)) + middle - half_width(step), 0), probability.shape[1] - len(share))
    return weigh(rows.answers[i], rows.cuts, step, step * (lo - middle) - mu, lo, probability, share), lo


@kernel
def _log_likelihood(step: float, total: float) -> float:
    return np.log(total * step) - 0.5 * np.log(2.0 * np.pi) if total > 0.0 else -np.inf


@kernel
def person(rows: Rows, i: int, mu: float, probability: np.ndarray, share: np.ndarray) -> tuple[float, int]:
    """Log likelihood of a person, and where on the grid their nodes begin.

    Parameters
    ----------
    mu : float
        Linear predictor.
    probability : ndarray of float64, shape (answers of all items, points of the grid)
        The first of the tables.
    share : ndarray of float64, shape (nodes,)
        Set to the conditional distribution of t over the nodes.
    """
    total, lo = _weigh(rows, i, mu, probability, share)
    if total > 0.0:
        by = 1.0 / total
        for j in range(len(share)):
            share[j] *= by
    else:
        share[:] = 1.0 / len(share)
    return _log_likelihood(rows.step, total), lo


@kernel
def _gather(
    rows: Rows, i: int, lo: int, tables: np.ndarray, share: np.ndarray, at: np.ndarray, slopes: np.ndarray,
    means: np.ndarray,
) -> int:  # fmt: skip
    """Collect t and the gradients of a person's items, centred; which coefficients they are of, and how many.

    The first is t itself, of no coefficient.
    """
    p, n, nodes, middle = rows.x.shape[1], 1, len(share), middle_of(rows.step)
    for j in range(nodes):
        slopes[j, 0] = rows.step * (lo + j - middle)
    for m in range(rows.answers.shape[1]):
        k = rows.answers[i, m]
        if k < 0:
            continue
        r, n_cut = rows.cuts[m] + m + k, rows.cuts[m + 1] - rows.cuts[m]
        for which in (BELOW, ABOVE, BY):
            if (which == BELOW and k == 0) or (which == ABOVE and k == n_cut):
                continue
            at[n] = rows.discrimination + m if which == BY else p + rows.cuts[m] + k - (1 if which == BELOW else 0)
            own = tables[which, r, lo : lo + len(share)]
            for j in range(len(share)):
                slopes[j, n] = own[j]
            n += 1
    means[:n] = 0.0
    for j in range(len(share)):
        for c in range(n):
            means[c] += share[j] * slopes[j, c]
    for j in range(len(share)):
        for c in range(n):
            slopes[j, c] -= means[c]
    return n


@kernel
def _with_trait(
    rows: Rows, i: int, lo: int, tables: np.ndarray, share: np.ndarray, at: np.ndarray, means: np.ndarray,
    cov: np.ndarray,
) -> int:  # fmt: skip
    """As ``_gather``, the gradients' means and their covariances with t alone, in the first column of ``cov``."""
    p, size, origin = rows.x.shape[1], rows.size[i], rows.step * (lo - middle_of(rows.step))
    first, second = 0.0, 0.0
    for j in range(len(share)):
        t = origin + rows.step * j
        first += share[j] * t
        second += share[j] * t * t
    means[0], cov[0, 0], n = first, size * (second - first * first), 1
    for m in range(rows.answers.shape[1]):
        k = rows.answers[i, m]
        if k < 0:
            continue
        r, n_cut = rows.cuts[m] + m + k, rows.cuts[m + 1] - rows.cuts[m]
        below, above = tables[BELOW, r, lo : lo + len(share)], tables[ABOVE, r, lo : lo + len(share)]
        by = tables[BY, r, lo : lo + len(share)]
        b0, b1, a0, a1, d0, d1 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        for j in range(len(share)):
            w = share[j]
            v = w * (origin + rows.step * j - first)
            b0 += w * below[j]
            b1 += v * below[j]
            a0 += w * above[j]
            a1 += v * above[j]
            d0 += w * by[j]
            d1 += v * by[j]
        if k > 0:
            at[n], means[n], cov[n, 0] = p + rows.cuts[m] + k - 1, b0, size * b1
            n += 1
        if k < n_cut:
            at[n], means[n], cov[n, 0] = p + rows.cuts[m] + k, a0, size * a1
            n += 1
        at[n], means[n], cov[n, 0] = rows.discrimination + m, d0, size * d1
        n += 1
    return n


@kernel
def _add_items(rows: Rows, i: int, lo: int, tables: np.ndarray, share: np.ndarray, matrix: np.ndarray) -> None:
    """Add the mean negative Hessian of a person's answers."""
    p, size = rows.x.shape[1], rows.size[i]
    for m in range(rows.answers.shape[1]):
        k = rows.answers[i, m]
        if k < 0:
            continue
        r, n_cut = rows.cuts[m] + m + k, rows.cuts[m + 1] - rows.cuts[m]
        above, d = p + rows.cuts[m] + k, rows.discrimination + m
        own = tables[:, r, lo : lo + len(share)]
        bb, ba, aa, bd, ad, dd = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        for j in range(len(share)):
            w = size * share[j]
            bb += w * own[BB, j]
            ba += w * own[BA, j]
            aa += w * own[AA, j]
            bd += w * own[BD, j]
            ad += w * own[AD, j]
            dd += w * own[DD, j]
        matrix[d, d] += dd
        if k > 0:
            matrix[above - 1, above - 1] += bb
            matrix[d, above - 1] += bd
        if k < n_cut:
            matrix[above, above] += aa
            matrix[d, above] += ad
        if 0 < k < n_cut:
            matrix[above, above - 1] += ba


@kernel
def add_person(
    rows: Rows, i: int, mu: float, tables: np.ndarray, share: np.ndarray, at: np.ndarray, slopes: np.ndarray,
    means: np.ndarray, cov: np.ndarray, matrix: np.ndarray, score: np.ndarray, into: np.ndarray,
) -> tuple[float, float, float]:  # fmt: skip
    """Add a person's terms in the items' parameters; log likelihood, and slope and curvature in μ.

    Parameters
    ----------
    tables : ndarray of float64, shape (TABLES, answers of all items, points of the grid)
        As ``fill_tables`` sets them.
    share, at, slopes, means, cov : ndarray
        Room, as ``room`` makes it.
    matrix, score, into
        As ``placewise.kernels.elimination.assemble`` adds up its negative Hessian, gradient and coupling to the leaf.
    """
    value, lo = person(rows, i, mu, tables[P], share)
    size, load = rows.size[i], rows.load[i]
    if rows.known:
        n = _with_trait(rows, i, lo, tables, share, at, means, cov)
    else:
        n = _gather(rows, i, lo, tables, share, at, slopes, means)
        _add_items(rows, i, lo, tables, share, matrix)
        cov[:n] = 0.0
        # rows of whole vectors of the processor; what stands beyond the n gradients is never read
        for j in range(len(share)):
            for c in range(n):
                w = size * share[j] * slopes[j, c]
                for b in range((c | 3) + 1):
                    cov[c, b] += w * slopes[j, b]
    for c in range(1, n):
        d, v = at[c], cov[c, 0]
        score[d] += size * means[c]
        into[d] -= load * v
        for a in range(rows.x.shape[1]):
            matrix[d, a] -= v * rows.x[i, a]
        for k in range(rows.col.shape[1]):
            matrix[rows.col[i, k], d] -= v * rows.val[i, k]
        if not rows.known:
            for b in range(1, c + 1):
                matrix[max(d, at[b]), min(d, at[b])] -= cov[c, b]
    return size * value, size * (means[0] - mu), size - cov[0, 0]


@kernel
def room(rows: Rows) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Room for ``tables`` and for one person's numbers: ``share``, ``at``, ``slopes``, ``means`` and ``cov``."""
    m, nodes, grid = rows.answers.shape[1], 2 * half_width(rows.step) + 1, 2 * middle_of(rows.step) + 1
    n = 3 * m + 1
    tables = np.empty((TABLES, rows.cuts[m] + m, grid))
    at, wide = np.zeros(n, dtype=np.int64), (n | 3) + 1
    return tables, np.empty(nodes), at, np.zeros((nodes, wide)), np.empty(n), np.empty((n, wide))


@kernel
def person_skew(
    rows: Rows, i: int, mu: float, variance: float, tables: np.ndarray, share: np.ndarray, at: np.ndarray,
    slopes: np.ndarray, means: np.ndarray, skew: np.ndarray,
) -> float:  # fmt: skip
    """Half the third derivative twice in μ times its variance, once in each parameter of a person; that in μ itself."""
    _, lo = person(rows, i, mu, tables[P], share)
    n = _gather(rows, i, lo, tables, share, at, slopes, means)
    means[:n] = 0.0
    for j in range(len(share)):
        w = 0.5 * rows.size[i] * variance * share[j] * slopes[j, 0] ** 2
        for c in range(n):
            means[c] += w * slopes[j, c]
    for c in range(1, n):
        skew[at[c]] += means[c]
    half: float = means[0]
    return half


@kernel
def answer_probabilities(rows: Rows, core: np.ndarray) -> np.ndarray:
    """Probability of each answer on the grid in several draws, (Q, R) -> (R, answers, points of the grid)."""
    tables, _, _, _, _, _ = room(rows)
    found = np.empty((core.shape[1], tables.shape[1], tables.shape[2]))
    for r in range(core.shape[1]):
        fill_tables(rows, np.ascontiguousarray(core[:, r]), found[r : r + 1])
    return found


@kernel
def graded_log_likelihood(
    rows: Rows,
    first: int,
    last: int,
    core: np.ndarray,
    above: np.ndarray,
    probability: np.ndarray,
    out: np.ndarray,
) -> None:
    """As ``placewise.kernels.latent.log_likelihood``, of rows of family GRADED; ``probability`` by the draws' core."""
    share, own = np.empty(2 * half_width(rows.step) + 1), np.empty(core.shape[0])
    for r in range(core.shape[1]):
        own[:] = core[:, r]
        total = 0.0
        for leaf in range(first, last):
            for i in range(rows.start[leaf], rows.start[leaf + 1]):
                mu = rows.load[i] * above[leaf, r] + predictor(rows, i, own)
                total += rows.size[i] * _log_likelihood(rows.step, _weigh(rows, i, mu, probability[r], share)[0])
        out[r] += total


@kernel
def item_information(
    rows: Rows, first: int, last: int, core: np.ndarray, above: np.ndarray, matrix: np.ndarray
) -> None:
    """Add to ``matrix``, shape (Q, Q), the negative Hessian in the items' parameters, in its lower triangle.

    Other entries of it are of no use. ``above``, shape (leaves,), is as in ``placewise.kernels.elimination.assemble``.
    """
    tables, share, at, slopes, means, cov = room(rows)
    fill_tables(rows, core, tables)
    score, into = np.zeros(len(core)), np.zeros(len(core))
    for leaf in range(first, last):
        for i in range(rows.start[leaf], rows.start[leaf + 1]):
            mu = rows.load[i] * above[leaf] + predictor(rows, i, core)
            add_person(rows, i, mu, tables, share, at, slopes, means, cov, matrix, score, into)
