// L-BFGS: minimizes a smooth convex function of many variables from its value and gradient (Nocedal and Wright 2006,
// "Numerical Optimization", algorithm 7.5). It is independent of the objective.

/** Writes the gradient at `x` into `gradient` and returns the value. */
export type Objective = (x: Float64Array, gradient: Float64Array) => number | Promise<number>;

export interface LbfgsOptions {
  /** Stops when the gradient is no longer than this. */
  tolerance?: number;
  /** The inner product; by default the dot product. */
  product?: (a: Float64Array, b: Float64Array) => number;
  maxIterations?: number;
  /** Number of past steps that approximate the curvature. */
  memory?: number;
  /** Awaited before every iteration: yields to other work, or stops by throwing. */
  pause?: () => Promise<void>;
}

export interface Minimum {
  x: Float64Array;
  value: number;
  iterations: number;
  converged: boolean;
}

/** Minimizes from `start`, which is not changed. */
export async function lbfgs(
  objective: Objective,
  start: Float64Array,
  options: LbfgsOptions = {},
): Promise<Minimum> {
  const { tolerance = 1e-5, maxIterations = 1000, memory = 10, product = dot, pause } = options;
  const long = (x: Float64Array) => Math.sqrt(product(x, x)) > tolerance;
  let x: Float64Array = Float64Array.from(start);
  let gradient: Float64Array = new Float64Array(x.length);
  let value = await objective(x, gradient);
  const past: { s: Float64Array; y: Float64Array; rho: number }[] = [];

  for (let iteration = 0; iteration < maxIterations; iteration++) {
    if (!long(gradient)) return { x, value, iterations: iteration, converged: true };
    await pause?.();
    const direction = descend(gradient, past, product);
    const firstStep = past.length === 0 ? Math.min(1, 1 / Math.sqrt(product(gradient, gradient))) : 1;
    const next = await search(objective, x, value, gradient, direction, firstStep, product);
    // No step lowers the value: as low as floating point goes.
    if (!next) return { x, value, iterations: iteration, converged: false };

    const s = less(next.x, x);
    const y = less(next.gradient, gradient);
    const curvature = product(s, y);
    if (curvature > 1e-300) {
      past.push({ s, y, rho: 1 / curvature });
      if (past.length > memory) past.shift();
    }
    ({ x, value, gradient } = next);
  }
  return { x, value, iterations: maxIterations, converged: !long(gradient) };
}

/** The two-loop recursion: minus the inverse curvature times the gradient. */
function descend(
  gradient: Float64Array,
  past: readonly { s: Float64Array; y: Float64Array; rho: number }[],
  product: typeof dot,
) {
  const direction = less(new Float64Array(gradient.length), gradient);
  const alphas = new Float64Array(past.length);
  for (let i = past.length - 1; i >= 0; i--) {
    const { s, y, rho } = past[i] as (typeof past)[number];
    const alpha = rho * product(s, direction);
    alphas[i] = alpha;
    addScaled(direction, y, -alpha);
  }
  const last = past.at(-1);
  if (last) {
    const scale = 1 / (last.rho * product(last.y, last.y));
    for (let i = 0; i < direction.length; i++) direction[i] = (direction[i] as number) * scale;
  }
  for (const [i, { s, y, rho }] of past.entries()) {
    addScaled(direction, s, (alphas[i] as number) - rho * product(y, direction));
  }
  return direction;
}

/** A step that satisfies the weak Wolfe conditions, by bracketing and bisection (Lewis and Overton 2013, alg. 2.6). */
async function search(
  objective: Objective,
  x: Float64Array,
  value: number,
  gradient: Float64Array,
  direction: Float64Array,
  firstStep: number,
  product: typeof dot,
): Promise<{ x: Float64Array; value: number; gradient: Float64Array } | undefined> {
  const slope = product(gradient, direction);
  if (!(slope < 0)) return undefined;
  let low = 0;
  let high = Number.POSITIVE_INFINITY;
  let step = firstStep;
  const trial = { x: new Float64Array(x.length), value: 0, gradient: new Float64Array(x.length) };
  for (let attempt = 0; attempt < 50; attempt++) {
    for (let i = 0; i < x.length; i++) trial.x[i] = (x[i] as number) + step * (direction[i] as number);
    trial.value = await objective(trial.x, trial.gradient);
    if (!(trial.value <= value + 1e-4 * step * slope)) high = step;
    else if (product(trial.gradient, direction) < 0.9 * slope) low = step;
    else return trial;
    step = high === Number.POSITIVE_INFINITY ? 2 * low : (low + high) / 2;
  }
  return trial.value < value ? trial : undefined;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}

// Plain loops: `map` with a function costs ten times as much, and this is done at every step.
function less(a: Float64Array, b: Float64Array): Float64Array {
  const out = new Float64Array(a.length);
  for (let i = 0; i < a.length; i++) out[i] = (a[i] as number) - (b[i] as number);
  return out;
}

function addScaled(target: Float64Array, other: Float64Array, scale: number): void {
  for (let i = 0; i < target.length; i++) target[i] = (target[i] as number) + scale * (other[i] as number);
}
