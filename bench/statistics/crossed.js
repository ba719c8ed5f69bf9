// Simulated studies with known truth in which scores have weights, the figure is not a mean, or training seeds count.

/** Ratio estimates: bits per byte, weighted right/wrong answers, and paired differences in groups. */
export function weights(resamples) {
  const out = [];
  const weightOf = (api, r, shape) => Math.exp(shape * api.normal(r));
  for (const n of [50, 150, 600]) {
    // Weights and scores are correlated, as longer texts have fewer bits per byte.
    const skewed = (r, w) => 0.6 * w ** -0.3 * -Math.log(1 - r());
    const truth = 0.6 * Math.exp((0.7 ** 2 - 1) * 0.5 * 0.6 ** 2);
    out.push({
      part: "weights",
      name: `n ${n}, bits per byte`,
      truth,
      run: (api, r, seed) => {
        const w = Float64Array.from({ length: n }, () => weightOf(api, r, 0.6));
        const y = w.map((weight) => skewed(r, weight));
        return api.meanInterval(y, { seed, resamples, weights: w, range: [0, Number.POSITIVE_INFINITY] });
      },
    });
    out.push({
      part: "weights",
      name: `n ${n}, right/wrong, rate 0.8`,
      truth: 0.8,
      run: (api, r, seed) => {
        const w = Float64Array.from({ length: n }, () => weightOf(api, r, 0.6));
        return api.meanInterval(
          w.map(() => (r() < 0.8 ? 1 : 0)),
          { seed, weights: w },
        );
      },
    });
    out.push({
      part: "weights",
      name: `n ${n}, paired, in groups of 1 to 5`,
      truth: 0.1,
      sparse: () => n === 50,
      run: (api, r, seed) => {
        const [a, b, w, groups] = [[], [], [], []];
        for (let g = 0; a.length < n; g++) {
          const shared = 0.3 * api.normal(r);
          for (let k = 0; k <= 5 * r(); k++) {
            w.push(weightOf(api, r, 0.6));
            const base = api.normal(r);
            a.push(base + shared + 0.1 + 0.5 * api.normal(r));
            b.push(base);
            groups.push(g);
          }
        }
        const range = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
        return api.pairedDifference(a, b, { seed, resamples, draws: 1, weights: w, groups, range });
      },
    });
  }
  return out;
}

/** Ranks from 0; ties share theirs. */
function ranks(values) {
  const order = Array.from(values.keys()).sort((i, j) => values[i] - values[j]);
  const out = new Float64Array(values.length);
  for (let i = 0; i < order.length; ) {
    let j = i;
    while (j + 1 < order.length && values[order[j + 1]] === values[order[i]]) j++;
    for (let k = i; k <= j; k++) out[order[k]] = (i + j) / 2;
    i = j + 1;
  }
  return out;
}

/** Spearman's rank correlation of two columns at these samples. */
export const spearman = (x, y) => (samples) => {
  const [a, b] = [x, y].map((column) => ranks(Float64Array.from(samples, (i) => column[i])));
  const middle = (samples.length - 1) / 2;
  let [xy, xx, yy] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    xy += (a[i] - middle) * (b[i] - middle);
    xx += (a[i] - middle) ** 2;
    yy += (b[i] - middle) ** 2;
  }
  return xy / Math.sqrt(xx * yy);
};

const f1 = (gold, said) => (samples) => {
  let [hits, either] = [0, 0];
  for (const i of samples) {
    hits += gold[i] & said[i];
    either += gold[i] + said[i];
  }
  return (2 * hits) / either;
};
const f1Of = (share, found, false_) => (2 * share * found) / (share * found + share + (1 - share) * false_);
const spearmanOf = (rho) => (6 / Math.PI) * Math.asin(rho / 2);

/** Gold values, and each system's predictions per seed: correlated by `rhos`, with systems sharing half of their noise. */
function similarities(api, r, n, rhos, { seeds = 1, seedSpread = 0 } = {}) {
  const draw = () => Float64Array.from({ length: n }, () => api.normal(r));
  const gold = draw();
  const shared = draw();
  const systems = rhos.map((rho) =>
    Array.from({ length: seeds }, () => {
      const moved = Math.tanh(Math.atanh(rho) + seedSpread * api.normal(r));
      const own = draw();
      return gold.map(
        (g, i) =>
          moved * g + Math.sqrt(1 - moved * moved) * (Math.SQRT1_2 * shared[i] + Math.SQRT1_2 * own[i]),
      );
    }),
  );
  return { gold, systems };
}

/** The difference of two systems' figures, one statistic per seed, as in `study/sides.ts`. */
function paired(api, a, b, n, { seed, range, resamples, groups, draws = 1 }) {
  const columns = (statistics) => statistics.map((s) => api.linearized(s, n, { groups, seed }).values);
  return api.pairedDifference(columns(a), columns(b), { seed, range, resamples, draws });
}

export function aggregates(resamples) {
  const out = [];
  const add = (name, truth, run, sparse) =>
    out.push({ part: "aggregates", name, truth, run, sims: 0.4, sparse: () => sparse === true });
  const range = [-1, 1];
  for (const n of [50, 100, 200]) {
    for (const rho of [0, 0.5, 0.8])
      add(`n ${n}, Spearman, ${rho}`, spearmanOf(rho), (api, r, seed) => {
        const { gold, systems } = similarities(api, r, n, [rho]);
        return api.aggregateInterval([spearman(gold, systems[0][0])], n, { seed, range, resamples });
      });
    add(
      `n ${n}, F1, half positive`,
      f1Of(0.5, 0.8, 0.2),
      (api, r, seed) => {
        const gold = Uint8Array.from({ length: n }, () => (r() < 0.5 ? 1 : 0));
        const said = gold.map((g) => (r() < (g ? 0.8 : 0.2) ? 1 : 0));
        return api.aggregateInterval([f1(gold, said)], n, { seed, range: [0, 1], resamples });
      },
      n === 50,
    );
    add(
      `n ${n}, Spearman, 0.7 less 0.5, one on another scale`,
      spearmanOf(0.7) - spearmanOf(0.5),
      (api, r, seed) => {
        const { gold, systems } = similarities(api, r, n, [0.7, 0.5]);
        const cubed = systems[1][0].map((value) => value ** 3);
        return paired(api, [spearman(gold, systems[0][0])], [spearman(gold, cubed)], n, {
          seed,
          range,
          resamples,
        });
      },
    );
    add(`n ${n}, bits per token, tokens differ between systems`, 0, (api, r, seed) => {
      const [first, second] = [0, 1].map(() =>
        Float64Array.from({ length: n }, () => 20 - 20 * Math.log(1 - r())),
      );
      const base = first.map(() => api.normal(r));
      const mean = (w, own) => (samples) => {
        let [sum, total] = [0, 0];
        for (const i of samples) {
          sum += w[i] * (base[i] + own[i]);
          total += w[i];
        }
        return sum / total;
      };
      const own = [0, 1].map(() => base.map(() => api.normal(r)));
      const wide = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
      return paired(api, [mean(first, own[0])], [mean(second, own[1])], n, { seed, range: wide, resamples });
    });
  }
  add("40 groups of 5, Spearman", 0.5, (api, r, seed) => {
    const groups = Int32Array.from({ length: 200 }, (_, i) => Math.floor(i / 5));
    const effects = Array.from({ length: 40 }, () => [api.normal(r), api.normal(r)]);
    // Both columns share their group's effects; ρ is the population correlation for which Spearman's is 0.5.
    const rho = 2 * Math.sin((0.5 * Math.PI) / 6);
    const part = (g, k) => Math.sqrt(0.3) * g + Math.sqrt(0.7) * k;
    const x = Float64Array.from(groups, (g) => part(effects[g][0], api.normal(r)));
    const y = x.map(
      (value, i) => rho * value + Math.sqrt(1 - rho * rho) * part(effects[groups[i]][1], api.normal(r)),
    );
    return api.aggregateInterval([spearman(x, y)], 200, { seed, range, resamples, groups });
  });
  return out;
}

/**
 * Right/wrong answers of systems with training seeds. A sample's difficulty is common to all (share `difficulty` of the latent
 * variance), the rest belongs to the seed; a seed shifts its whole system by `spread`.
 */
function answers(api, r, n, systems, difficulty) {
  const hard = Float64Array.from({ length: n }, () => api.normal(r));
  return systems.map(({ rate, seeds, spread }) => {
    const cut = api.normalQuantile(rate) * Math.sqrt(1 + spread * spread);
    return Array.from({ length: seeds }, () => {
      const moved = spread * api.normal(r);
      return hard.map((z) => {
        const latent = Math.sqrt(difficulty) * z + Math.sqrt(1 - difficulty) * api.normal(r) + moved;
        return latent < cut ? 1 : 0;
      });
    });
  });
}

export function seeds(resamples) {
  const out = [];
  for (const count of [2, 3, 5, 10])
    for (const n of [100, 200, 500])
      for (const [size, spread] of [
        ["small", 0.05],
        ["large", 0.3],
      ]) {
        // Two seeds estimate their variance so badly that an interval that is right for a large variance must be too wide for a
        // small one; so do three seeds with a small variance.
        const sparse = () => count === 2 || (count === 3 && size === "small");
        const common = { part: "seeds", sims: 0.5, sparse };
        const one = { rate: 0.75, seeds: count, spread };
        const systems = {
          mean: [one],
          "less a system without seeds": [one, { rate: 0.65, seeds: 1, spread: 0 }],
          "less a system with as many": [one, { rate: 0.65, seeds: count, spread }],
        };
        for (const [name, list] of Object.entries(systems))
          out.push({
            ...common,
            name: `${count} seeds, n ${n}, ${size} seed variance, ${name}`,
            truth: list.length === 1 ? 0.75 : 0.1,
            run: (api, r, seed) => {
              const [a, b] = answers(api, r, n, list, 0.6);
              return b
                ? api.pairedDifference(a, b, { seed, resamples, draws: 1 })
                : api.meanInterval(a, { seed, resamples });
            },
          });
      }
  out.push(...seedsOfTasks(resamples));
  out.push({
    part: "seeds",
    name: "5 seeds, n 150, Spearman, less a system with as many",
    truth: 0,
    sims: 0.25,
    run: (api, r, seed) => {
      const { gold, systems } = similarities(api, r, 150, [0.6, 0.6], { seeds: 5, seedSpread: 0.1 });
      const [a, b] = systems.map((columns) => columns.map((column) => spearman(gold, column)));
      return paired(api, a, b, 150, { seed, range: [-1, 1], resamples });
    },
  });
  return out;
}

/** The mean difference of tasks that have trainings of their own, as in `bench/joint.js`; the other system has as many or none. */
function seedsOfTasks(resamples) {
  const rest = [0.05, 0.05, 0.05];
  return [
    ["small seed variance", [0.05, ...rest]],
    ["large seed variance", Array(4).fill(0.3)],
    ["large seed variance in one task", [0.3, ...rest]],
  ].flatMap(([size, spreads]) =>
    [1, 3].map((others) => ({
      ...{ part: "seeds", truth: 0.1, sims: 0.5, sparse: () => !spreads.every((spread) => spread > 0.1) },
      name: `4 tasks of 200, 3 seeds each, ${size}, less a system ${others === 1 ? "without seeds" : "with as many"}`,
      run: (api, r, seed) => {
        const own = spreads.map((spread) => {
          const systems = [
            { rate: 0.75, seeds: 3, spread },
            { rate: 0.65, seeds: others, spread: others === 1 ? 0 : spread },
          ];
          return answers(api, r, 200, systems, 0.6);
        });
        const [a, b] = [0, 1].map((which) =>
          own[0][which].map((_, s) => own.flatMap((columns) => [...columns[which][s]])),
        );
        const tasks = own.flatMap((_, t) => Array(200).fill(`task ${t}`));
        return api.pairedDifference(a, b, { seed, resamples, draws: 1, tasks });
      },
    })),
  );
}

/** Families under the null, with the tests of weights, aggregates and seeds; judged in the same way as `families`. */
export function crossedFamilies(draws) {
  const out = [];
  const everyPair = (count) =>
    Array.from({ length: count }, (_, i) => Array.from({ length: i }, (_, j) => [i, j])).flat();
  const add = (name, rates, comparer, sims = 0.5) =>
    out.push({
      part: "family-wise error",
      name,
      sims,
      run: (api, r, seed) => {
        const compare = comparer(api, r, seed);
        const pairs = everyPair(rates.length);
        const ps = pairs.map(([i, j]) => compare(i, j).p);
        return api.holm(ps).some((p, k) => p < 0.05 && rates[pairs[k][0]] === rates[pairs[k][1]]);
      },
    });
  const options = (seed) => ({ seed, resamples: 2, draws });
  for (const [count, spread] of [
    [2, 0.05],
    [2, 0.3],
    [3, 0.05],
    [3, 0.3],
    [10, 0.3],
  ])
    add(
      `4 systems of ${count} seeds, n 200, seed variance ${spread === 0.05 ? "small" : "large"}, complete null`,
      [0, 0, 0, 0],
      (api, r, seed) => {
        const all = answers(
          api,
          r,
          200,
          Array.from({ length: 4 }, () => ({ rate: 0.7, seeds: count, spread })),
          0.6,
        );
        return (i, j) => api.pairedDifference(all[i], all[j], options(seed));
      },
    );
  add(
    "4 systems, one of 3 seeds far better, others without, n 200, partial null",
    [0, 0, 0, 1],
    (api, r, seed) => {
      const without = Array.from({ length: 3 }, () => ({ rate: 0.6, seeds: 1, spread: 0 }));
      const all = answers(api, r, 200, [...without, { rate: 0.9, seeds: 3, spread: 0.1 }], 0.6);
      return (i, j) => api.pairedDifference(all[i], all[j], options(seed));
    },
  );
  add("4 systems, weighted scores, n 100, complete null", [0, 0, 0, 0], (api, r, seed) => {
    const weights = Float64Array.from({ length: 100 }, () => Math.exp(0.6 * api.normal(r)));
    const all = Array.from({ length: 4 }, () => weights.map((w) => w ** -0.3 * -Math.log(1 - r())));
    const range = [0, Number.POSITIVE_INFINITY];
    return (i, j) => api.pairedDifference(all[i], all[j], { ...options(seed), weights, range });
  });
  add("4 systems, Spearman on four scales, n 100, complete null", [0, 0, 0, 0], (api, r, seed) => {
    const { gold, systems } = similarities(api, r, 100, [0.6, 0.6, 0.6, 0.6]);
    const scale = [(v) => v, (v) => v ** 3, (v) => Math.exp(2 * v), (v) => Math.atan(9 * v)];
    const values = systems.map(
      ([column], k) => api.linearized(spearman(gold, column.map(scale[k])), 100, { seed }).values,
    );
    return (i, j) => api.pairedDifference(values[i], values[j], { ...options(seed), range: [-1, 1] });
  });
  return out;
}
