// L-BFGS: minimises a smooth convex function of many variables from its value and gradient (Nocedal and Wright 2006,
// "Numerical Optimization", algorithm 7.5). It knows nothing of what it minimises.
/** Minimises from `start`, which is not changed. */
export async function lbfgs(objective, start, options = {}) {
  const { tolerance = 1e-5, maxIterations = 1000, memory = 10, pause } = options;
  let x = Float64Array.from(start);
  let gradient = new Float64Array(x.length);
  let value = objective(x, gradient);
  const past = [];
  for (let iteration = 0; iteration < maxIterations; iteration++) {
    if (largest(gradient) <= tolerance) return { x, value, iterations: iteration, converged: true };
    await pause?.();
    const direction = descend(gradient, past);
    const firstStep = past.length === 0 ? Math.min(1, 1 / Math.sqrt(dot(gradient, gradient))) : 1;
    const next = search(objective, x, value, gradient, direction, firstStep);
    // No step lowers the value: as low as floating point goes.
    if (!next) return { x, value, iterations: iteration, converged: false };
    const s = less(next.x, x);
    const y = less(next.gradient, gradient);
    const curvature = dot(s, y);
    if (curvature > 1e-300) {
      past.push({ s, y, rho: 1 / curvature });
      if (past.length > memory) past.shift();
    }
    ({ x, value, gradient } = next);
  }
  return { x, value, iterations: maxIterations, converged: largest(gradient) <= tolerance };
}
/** The two-loop recursion: minus the inverse curvature times the gradient. */
function descend(gradient, past) {
  const direction = less(new Float64Array(gradient.length), gradient);
  const alphas = new Float64Array(past.length);
  for (let i = past.length - 1; i >= 0; i--) {
    const { s, y, rho } = past[i];
    const alpha = rho * dot(s, direction);
    alphas[i] = alpha;
    addScaled(direction, y, -alpha);
  }
  const last = past.at(-1);
  if (last) {
    const scale = 1 / (last.rho * dot(last.y, last.y));
    for (let i = 0; i < direction.length; i++) direction[i] = direction[i] * scale;
  }
  for (const [i, { s, y, rho }] of past.entries()) {
    addScaled(direction, s, alphas[i] - rho * dot(y, direction));
  }
  return direction;
}
/** A step that satisfies the weak Wolfe conditions, by bracketing and bisection (Lewis and Overton 2013, alg. 2.6). */
function search(objective, x, value, gradient, direction, firstStep) {
  const slope = dot(gradient, direction);
  if (!(slope < 0)) return undefined;
  let low = 0;
  let high = Number.POSITIVE_INFINITY;
  let step = firstStep;
  const trial = { x: new Float64Array(x.length), value: 0, gradient: new Float64Array(x.length) };
  for (let attempt = 0; attempt < 50; attempt++) {
    for (let i = 0; i < x.length; i++) trial.x[i] = x[i] + step * direction[i];
    trial.value = objective(trial.x, trial.gradient);
    if (!(trial.value <= value + 1e-4 * step * slope)) high = step;
    else if (dot(trial.gradient, direction) < 0.9 * slope) low = step;
    else return trial;
    step = high === Number.POSITIVE_INFINITY ? 2 * low : (low + high) / 2;
  }
  return trial.value < value ? trial : undefined;
}
function dot(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
// Plain loops: `map` with a function costs ten times as much, and this is done at every step.
function less(a, b) {
  const out = new Float64Array(a.length);
  for (let i = 0; i < a.length; i++) out[i] = a[i] - b[i];
  return out;
}
function addScaled(target, other, scale) {
  for (let i = 0; i < target.length; i++) target[i] = target[i] + scale * other[i];
}
function largest(values) {
  let most = 0;
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i]));
  return most;
}
