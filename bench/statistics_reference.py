"""Generates test/fixtures/statistics/reference.json: the values of SciPy and statsmodels for fixed cases.

    python -m venv venv && venv/bin/pip install numpy scipy statsmodels
    venv/bin/python bench/statistics_reference.py > test/fixtures/statistics/reference.json

Not part of the product: Hone needs no Python. The file is committed with the versions that made it.
Where neither library has the method (Tango's interval, CR2, the power of McNemar's test, bootstrap-t), it is computed
here from its definition in a different way from Hone's: numerical likelihood, full matrices, brute-force sums.
"""

import json
import platform
import sys

import numpy as np
import scipy
import statsmodels
from scipy import optimize, stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.inter_rater import cohens_kappa
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

rng = np.random.default_rng(20261123)


def rounded(values, digits=6):
    return [round(float(v), digits) for v in values]


def tango_limits(b, c, n, level):
    z = stats.norm.ppf((1 + level) / 2)

    def score(delta):
        # Constrained maximum likelihood by numerical search: p01 = q, p10 = q + delta, the rest agree.
        low, high = max(0.0, -delta), (1 - delta) / 2

        def loss(q):
            p10, p01 = q + delta, q
            rest = 1 - p10 - p01
            total = 0.0
            for count, p in ((b, p10), (c, p01), (n - b - c, rest)):
                if count:
                    total -= count * np.log(max(p, 1e-300))
            return total

        q = optimize.minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-13}).x
        variance = n * (2 * q + delta * (1 - delta))
        return (b - c - n * delta) / np.sqrt(max(variance, 1e-300))

    point = (b - c) / n
    lower = -1.0 if point <= -1 else optimize.brentq(lambda d: score(d) - z, -1 + 1e-9, point - 1e-9 if point > -1 else point, xtol=1e-12)
    upper = 1.0 if point >= 1 else optimize.brentq(lambda d: score(d) + z, point + 1e-9, 1 - 1e-9, xtol=1e-12)
    return [lower, upper]


def mid_p(b, c):
    """Fagerland, Lydersen and Laake (2013), whose rule for b = c is 1 minus half the point probability."""
    if b + c == 0:
        return 1.0
    point = stats.binom.pmf(b, b + c, 0.5)
    return float(1 - point / 2) if b == c else float(2 * stats.binom.cdf(min(b, c), b + c, 0.5) - point)


def mcnemar_power(n, psi, delta):
    first = (1 + delta / psi) / 2
    power = 0.0
    for m in range(n + 1):
        b = np.arange(m + 1)
        p = np.minimum(1, 2 * stats.binom.cdf(np.minimum(b, m - b), m, 0.5))
        power += stats.binom.pmf(m, n, psi) * stats.binom.pmf(b, m, first)[p <= 0.05].sum()
    return float(power)


def cr2(values, groups):
    """Bell and McCaffrey's variance with Imbens and Kolesár's degrees of freedom, by full matrices."""
    y = np.array(values)
    labels = np.array(groups)
    n = len(y)
    x = np.ones((n, 1))
    hat = x @ x.T / n
    residual = y - y.mean()
    names = list(dict.fromkeys(groups))
    # One-way analysis of variance for the correlation within groups.
    sizes = np.array([(labels == g).sum() for g in names])
    means = np.array([y[labels == g].mean() for g in names])
    between = (sizes * (means - y.mean()) ** 2).sum() / (len(names) - 1)
    within = sum(((y[labels == g] - y[labels == g].mean()) ** 2).sum() for g in names) / (n - len(names))
    size = (n - (sizes**2).sum() / n) / (len(names) - 1)
    rho = min(1, max(0, (between - within) / (between + (size - 1) * within)))
    omega = np.zeros((n, n))
    columns = []
    variance = 0.0
    for g in names:
        rows = labels == g
        omega[np.ix_(rows, rows)] = rho
        block = np.eye(rows.sum()) - hat[np.ix_(rows, rows)]
        w, v = np.linalg.eigh(block)
        adjust = v @ np.diag(w**-0.5) @ v.T
        variance += float((x[rows].T @ adjust @ residual[rows])[0] ** 2) / n**2
        columns.append((np.eye(n) - hat)[:, rows] @ adjust @ x[rows])
    omega[np.diag_indices(n)] = 1
    g_matrix = np.hstack(columns)
    middle = g_matrix.T @ omega @ g_matrix
    eigenvalues = np.linalg.eigvalsh(middle)
    return {"error": variance**0.5, "freedom": float(eigenvalues.sum() ** 2 / (eigenvalues**2).sum())}


def studentised(sample, resamples, level=0.95):
    n = len(sample)
    error = sample.std(ddof=1) / np.sqrt(n)
    ts = []
    for _ in range(resamples // 10_000):
        drawn = sample[rng.integers(0, n, (10_000, n))]
        ts.append((drawn.mean(axis=1) - sample.mean()) / (drawn.std(axis=1, ddof=1) / np.sqrt(n)))
    low, high = np.quantile(np.concatenate(ts), [(1 - level) / 2, (1 + level) / 2])
    return [sample.mean() - high * error, sample.mean() - low * error]


def bootstrap_case(name, sample):
    resamples = 500_000
    row = {"name": name, "sample": rounded(sample)}
    sample = np.array(row["sample"])
    for method, key in (("percentile", "percentile"), ("BCa", "bca")):
        interval = stats.bootstrap(
            (sample,), np.mean, method=method, n_resamples=resamples, batch=10_000, rng=rng
        ).confidence_interval
        row[key] = [interval.low, interval.high]
    row["studentised"] = studentised(sample, resamples)
    row["resamples"] = resamples
    return row


def sign_flip_case(name, differences, resamples=np.inf):
    result = stats.permutation_test(
        (np.array(differences), np.zeros(len(differences))),
        lambda x, y, axis: np.mean(x - y, axis=axis),
        permutation_type="samples",
        n_resamples=resamples,
        batch=10_000,
        rng=rng,
    )
    return {"name": name, "differences": list(map(float, differences)), "p": float(result.pvalue), "exact": bool(np.isinf(resamples))}


table_cases = [(0, 0, 10), (1, 0, 10), (6, 0, 20), (0, 5, 50), (3, 9, 50), (10, 10, 50), (25, 12, 150), (40, 22, 600), (1, 1, 600), (120, 80, 600), (900, 1010, 5000)]
wilson_cases = [(0, 1), (1, 1), (0, 10), (7, 10), (49, 50), (50, 50), (75, 150), (582, 600), (81230, 100000)]
ps = [[0.01, 0.04, 0.03, 0.005], [0.5, 0.5, 0.5], [0.0001, 0.2, 0.04, 0.04, 0.011, 1.0, 0.0, 0.049], [0.03]]
skewed = rng.exponential(1, 40)
bounded = np.clip(rng.beta(0.5, 1.5, 25), 0, 1)
clusters = [
    {"values": rounded(v), "groups": g}
    for v, g in [
        (rng.normal(0, 1, 30), [f"g{i // 3}" for i in range(30)]),
        (np.repeat(rng.normal(0, 1, 8), [1, 2, 3, 4, 5, 6, 7, 12]) + rng.normal(0, 0.5, 40), [f"g{i}" for i, k in enumerate([1, 2, 3, 4, 5, 6, 7, 12]) for _ in range(k)]),
        (rng.integers(0, 2, 26), [f"g{i}" for i, k in enumerate([10, 1, 1, 2, 4, 8]) for _ in range(k)]),
    ]
]
raters = [list(map(str, rng.integers(0, 3, 60))) for _ in range(2)]
raters[1] = [a if rng.random() < 0.6 else b for a, b in zip(*raters)]

reference = {
    "made": "bench/statistics_reference.py",
    "versions": {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "statsmodels": statsmodels.__version__,
    },
    "normal": [{"x": x, "cdf": float(stats.norm.cdf(x))} for x in (-8, -5.5, -3, -1, -0.2, 0, 0.7, 1.96, 4.5)],
    "normalQuantile": [{"p": p, "x": float(stats.norm.ppf(p))} for p in (1e-12, 1e-4, 0.025, 0.3, 0.5, 0.8, 0.975, 0.999)],
    "tQuantile": [
        {"p": p, "df": df, "t": float(stats.t.ppf(p, df))}
        for p in (0.005, 0.025, 0.3, 0.8, 0.975, 0.9995)
        for df in (1, 1.7, 4, 29, 250.5)
    ],
    "binomial": [
        {"k": k, "n": n, "p": p, "cdf": float(stats.binom.cdf(k, n, p)), "pmf": float(stats.binom.pmf(k, n, p))}
        for k, n, p in [(0, 5, 0.5), (3, 10, 0.2), (40, 100, 0.5), (10, 300, 0.1), (4800, 10000, 0.5)]
    ],
    "mcnemar": [
        {
            "b": b,
            "c": c,
            "p": float(mcnemar([[0, b], [c, 0]], exact=True).pvalue) if b + c else 1.0,
            "mid": mid_p(b, c),
        }
        for b, c, _ in table_cases
    ],
    "power": [
        {"n": n, "psi": psi, "delta": delta, "power": mcnemar_power(n, psi, delta)}
        for n, psi, delta in [(20, 0.5, 0.3), (50, 0.2, 0.15), (150, 0.1, 0.08), (150, 0.3, 0.1)]
    ],
    "tango": [
        {"b": b, "c": c, "n": n, "level": level, "interval": tango_limits(b, c, n, level)}
        for b, c, n in table_cases[1:]
        for level in (0.95, 0.9)
    ],
    "wilson": [
        {"k": k, "n": n, "interval": list(map(float, proportion_confint(k, n, 0.05, method="wilson")))}
        for k, n in wilson_cases
    ],
    "holm": [{"ps": p, "adjusted": list(map(float, multipletests(p, method="holm")[1]))} for p in ps],
    "signFlip": [
        sign_flip_case("eleven reals", rounded(rng.normal(0.4, 1, 11))),
        sign_flip_case("sixteen reals", rounded(rng.normal(0.3, 1, 16))),
        sign_flip_case("small whole numbers", rng.integers(-2, 4, 14)),
        sign_flip_case("thirds with zeros", [0, 0, 1 / 3, -1 / 3, 2 / 3, 1, 0, 1 / 3, -2 / 3, 1 / 3, 1 / 3, 0]),
        sign_flip_case("forty whole numbers", rng.integers(-2, 4, 40), 1_000_000),
        sign_flip_case("forty reals", rounded(rng.normal(0.3, 1, 40)), 1_000_000),
    ],
    "bootstrap": [bootstrap_case("skewed", skewed), bootstrap_case("bounded", bounded), bootstrap_case("normal", rng.normal(0, 1, 60))],
    "clusters": [{**case, **cr2(case["values"], case["groups"])} for case in clusters],
    "kappa": {
        "a": raters[0],
        "b": raters[1],
        "kappa": float(
            cohens_kappa(
                [[sum(x == str(i) and y == str(j) for x, y in zip(*raters)) for j in range(3)] for i in range(3)]
            ).kappa
        ),
    },
}
json.dump(reference, sys.stdout, indent=1)
print()
