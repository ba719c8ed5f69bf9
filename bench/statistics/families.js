// Families of comparisons among systems, some of them equal: how often is any true null rejected?

/** Families of comparisons; `run` says whether any true null was rejected after Holm's correction. */
export function families(draws) {
  const out = [];
  const everyPair = (count) =>
    Array.from({ length: count }, (_, i) =>
      Array.from({ length: count - i - 1 }, (_, j) => [i, i + j + 1]),
    ).flat();
  const againstFirst = (count) => Array.from({ length: count - 1 }, (_, i) => [i + 1, 0]);
  const add = (name, subjects, n, pairs, ratesOf, { scale = false, groupSize = 1 } = {}) =>
    out.push({
      part: "family-wise error",
      name,
      run: (api, r) => {
        const scores = Array.from({ length: subjects }, () => new Float64Array(n));
        let group = 0;
        for (let i = 0; i < n; i++) {
          if (i % groupSize === 0) group = api.normal(r);
          const difficulty = 0.6 * group + 0.8 * api.normal(r);
          for (let s = 0; s < subjects; s++) {
            const z = Math.sqrt(0.6) * difficulty + Math.sqrt(0.4) * api.normal(r);
            scores[s][i] = scale
              ? Math.min(1, Math.max(0, ratesOf(s) - 0.4 * z))
              : z < api.normalQuantile(ratesOf(s))
                ? 1
                : 0;
          }
        }
        const ps = pairs.map(([x, y]) => {
          let b = 0;
          let c = 0;
          const sums = new Float64Array(Math.ceil(n / groupSize));
          for (let i = 0; i < n; i++) {
            const d = scores[x][i] - scores[y][i];
            sums[Math.floor(i / groupSize)] += d;
            if (d > 0) b++;
            else if (d < 0) c++;
          }
          return scale || groupSize > 1 ? api.signFlip(sums, { random: r, draws }) : api.mcnemar(b, c);
        });
        return api.holm(ps).some((p, k) => p < 0.05 && ratesOf(pairs[k][0]) === ratesOf(pairs[k][1]));
      },
    });
  const equal = () => 0.7;
  const partial = (s) => (s < 3 ? 0.85 : 0.65);
  add("6 subjects, all 15 pairs, n 50, complete null", 6, 50, everyPair(6), equal);
  add("6 subjects, all 15 pairs, n 300, complete null", 6, 300, everyPair(6), equal);
  add("10 subjects against the first, n 150, complete null", 10, 150, againstFirst(10), equal);
  add("6 subjects, three better, all pairs, n 150, partial null", 6, 150, everyPair(6), partial);
  add("10 subjects, three better, all 45 pairs, n 300, partial null", 10, 300, everyPair(10), partial);
  add("6 subjects, scores on a scale, all pairs, n 60, complete null", 6, 60, everyPair(6), equal, {
    scale: true,
  });
  add(
    "8 subjects, scores on a scale, three better, all pairs, n 60, partial null",
    8,
    60,
    everyPair(8),
    partial,
    {
      scale: true,
    },
  );
  add("6 subjects, right/wrong in 30 groups of 5, all pairs, complete null", 6, 150, everyPair(6), equal, {
    groupSize: 5,
  });
  add(
    "8 subjects, right/wrong in 30 groups of 5, three better, all pairs, partial null",
    8,
    150,
    everyPair(8),
    partial,
    {
      groupSize: 5,
    },
  );
  return out;
}
