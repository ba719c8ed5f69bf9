// Simulated studies with known truth, for means of independent or grouped scores.

/** Latent normal quantile without imports: the simulations receive it with the functions under test. */
export const latent = (api, r, shares, cut) => {
  let z = 0;
  for (const [share, value] of shares) z += Math.sqrt(share) * (value ?? api.normal(r));
  return z < api.normalQuantile(cut) ? 1 : 0;
};

function gamma(api, r, k) {
  if (k < 1) return gamma(api, r, k + 1) * (1 - r()) ** (1 / k);
  const d = k - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = api.normal(r);
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - r()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}
const beta = (api, r, a, b) => {
  const x = gamma(api, r, a);
  return x / (x + gamma(api, r, b));
};
/** A token-F1-like score: often 0, often 1, otherwise in between. */
const f1 = (r, zero, one) => {
  const u = r();
  return u < zero ? 0 : u < zero + one ? 1 : r();
};

/** Means of right/wrong scores. */
export function binaryMeans() {
  const out = [];
  for (const n of [50, 150, 600])
    for (const p of [0.5, 0.8, 0.9, 0.97])
      out.push({
        part: "mean, right/wrong",
        name: `n ${n}, rate ${p}`,
        truth: p,
        run: (api, r, seed) =>
          api.meanInterval(
            Float64Array.from({ length: n }, () => (r() < p ? 1 : 0)),
            { seed },
          ),
      });
  return out;
}

/** Two systems' right/wrong answers, correlated through a shared latent difficulty; all disagreements counted exactly. */
export function binaryPairs() {
  const out = [];
  for (const n of [50, 150, 600])
    for (const [a, b, rho] of [
      [0.7, 0.6, 0.5],
      [0.5, 0.5, 0.95],
      [0.8, 0.8, 0.8],
      [0.85, 0.75, 0.9],
      [0.95, 0.85, 0.9],
      [0.95, 0.95, 0.5],
      [0.97, 0.9, 0.95],
    ])
      out.push({
        part: "paired, right/wrong",
        name: `n ${n}, rates ${a} and ${b}, correlation ${rho}`,
        truth: a - b,
        // Expected disagreements by simulation of the same model, once.
        sparse: (api) => {
          const r = api.randomFor(1, "disagreement", a, b, rho);
          let d = 0;
          for (let i = 0; i < 20_000; i++) {
            const shared = api.normal(r);
            const shares = [
              [rho, shared],
              [1 - rho, undefined],
            ];
            if (latent(api, r, shares, a) !== latent(api, r, shares, b)) d++;
          }
          return (n * d) / 20_000 < 4;
        },
        run: (api, r) => {
          let first = 0;
          let second = 0;
          for (let i = 0; i < n; i++) {
            const shares = [
              [rho, api.normal(r)],
              [1 - rho, undefined],
            ];
            const d = latent(api, r, shares, a) - latent(api, r, shares, b);
            if (d > 0) first++;
            else if (d < 0) second++;
          }
          // The result of pairedDifference for such data (a test checks that), without its slower `detectable`.
          const [low, high] = api.tango(first, second, n, api.normalQuantile(0.975));
          return { low, high };
        },
      });
  return out;
}

/** Scores on a scale, samples independent: means, and paired differences. */
export function realScores(resamples) {
  const out = [];
  const means = {
    "beta(0.5, 3)": [(api, r) => beta(api, r, 0.5, 3), 0.5 / 3.5],
    "beta(0.3, 0.3)": [(api, r) => beta(api, r, 0.3, 0.3), 0.5],
    "60 % 0, 20 % 1": [(_, r) => f1(r, 0.6, 0.2), 0.3],
    "10 % 0, 70 % 1": [(_, r) => f1(r, 0.1, 0.7), 0.8],
    exponential: [(_, r) => -Math.log(1 - r()), 1],
    "log-normal": [(api, r) => Math.exp(api.normal(r)), Math.exp(0.5)],
    "three seeds averaged": [
      (api, r) => {
        const p = beta(api, r, 4, 1);
        return ((r() < p ? 1 : 0) + (r() < p ? 1 : 0) + (r() < p ? 1 : 0)) / 3;
      },
      0.8,
    ],
  };
  const differences = {
    "20 % up, 10 % down": [
      (_, r) => {
        const u = r();
        return u < 0.7 ? 0 : u < 0.9 ? r() : -r();
      },
      0.05,
    ],
    "20 % up, 2 % down": [
      (_, r) => {
        const u = r();
        return u < 0.78 ? 0 : u < 0.98 ? r() : -r();
      },
      0.09,
    ],
    "6 % up, 6 % down": [
      (_, r) => {
        const u = r();
        return u < 0.88 ? 0 : u < 0.94 ? r() : -r();
      },
      0,
    ],
    "unrelated scores": [(_, r) => f1(r, 0.2, 0.5) - f1(r, 0.5, 0.2), 0.3],
  };
  for (const n of [50, 150, 600]) {
    for (const [name, [draw, truth]] of Object.entries(means))
      out.push({
        part: "mean, scores on a scale",
        name: `n ${n}, ${name}`,
        truth,
        sparse: () => n === 50 && name === "10 % 0, 70 % 1",
        run: (api, r, seed) =>
          api.meanInterval(
            Float64Array.from({ length: n }, () => draw(api, r)),
            { seed, resamples },
          ),
      });
    for (const [name, [draw, truth]] of Object.entries(differences))
      out.push({
        part: "paired, scores on a scale",
        name: `n ${n}, ${name}`,
        truth,
        sparse: () => n === 50 && ["20 % up, 2 % down", "6 % up, 6 % down"].includes(name),
        run: (api, r, seed) => {
          const b = new Float64Array(n).fill(0.5);
          const a = b.map((score) => score + draw(api, r));
          return api.pairedDifference(a, b, { seed, resamples, draws: 1 });
        },
      });
  }
  return out;
}

const groupSizes = {
  "geometric sizes": (_, r) => 1 + Math.floor(-6 * Math.log(1 - r())),
  "log-normal sizes": (api, r) => Math.max(1, Math.round(Math.exp(1.5 + api.normal(r)))),
  "a tenth large": (_, r) => (r() < 0.9 ? 3 : 40),
};

/** Samples in groups of unequal size that share part of their difficulty. */
export function clustered(resamples) {
  const out = [];
  const kinds = {
    "right/wrong, rate 0.5": { truth: 0.5, draw: rates([0.5]) },
    "right/wrong, rate 0.9": { truth: 0.9, draw: rates([0.9]) },
    "right/wrong, rate 0.97": { truth: 0.97, draw: rates([0.97]), sparseAt: 20 },
    "skewed scores": {
      truth: 1,
      draw: (_, r) => {
        const shared = -Math.log(1 - r());
        return () => [0.3 * shared - 0.7 * Math.log(1 - r())];
      },
    },
    "paired, rates 0.8 and 0.7": { truth: 0.1, draw: rates([0.8, 0.7]) },
    "paired, rates 0.9 and 0.9": { truth: 0, draw: rates([0.9, 0.9]), sparseAt: 20 },
  };
  for (const groups of [20, 40, 100])
    for (const [sizes, sizeOf] of Object.entries(groupSizes))
      for (const [name, { truth, draw, sparseAt = 0 }] of Object.entries(kinds))
        out.push({
          part: "groups",
          name: `${groups} groups, ${sizes}, ${name}`,
          truth,
          sparse: () => groups <= sparseAt || sizes === "a tenth large",
          run: (api, r, seed) => {
            const columns = [[], []];
            const ids = [];
            for (let g = 0; g < groups; g++) {
              const sample = draw(api, r);
              const size = sizeOf(api, r);
              for (let i = 0; i < size; i++) {
                for (const [k, score] of sample().entries()) columns[k].push(score);
                ids.push(g);
              }
            }
            return columns[1].length === 0
              ? api.meanInterval(columns[0], { seed, resamples, groups: ids })
              : api.pairedDifference(columns[0], columns[1], { seed, resamples, draws: 1, groups: ids });
          },
        });
  return out;
}

/** Per group: systems with these rates, sharing a group effect (0.3), a sample effect (0.4), the rest their own. */
function rates(cuts) {
  return (api, r) => {
    const shared = api.normal(r);
    return () => {
      const sample = api.normal(r);
      return cuts.map((cut) =>
        latent(
          api,
          r,
          [
            [0.3, shared],
            [0.4, sample],
            [0.3, undefined],
          ],
          cut,
        ),
      );
    };
  };
}
