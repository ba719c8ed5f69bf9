// How a study's subjects are asked. Of what the study file leaves open (how options are scored, how the prompt is formatted)
// the generalist's dev scores decide, once and for all subjects: a generalist that is asked badly is no baseline.
import { directionOf, extremes } from "../core/metric.js";
import { begin } from "./kinds.js";
import { measure, widthFor } from "./measure.js";
import { askedWith } from "./prepare-task.js";

/** At most so many dev samples decide. */
const enough = 200;
/**
 * Measures the generalist on dev in every way that the domain task leaves open, and takes the best; of equals the first,
 * which is the usual one. An unscored sample counts as the worst score. The other tasks are asked in the same way as far as
 * they leave it open. Where the budget ends meanwhile the first way stands, and nothing is measured in it.
 * @param tasks the domain task first
 */
export async function chooseWay(model, tasks, seed, { told, concurrency, ...options }) {
  const [domain, ...elsewhere] = tasks;
  const formats = model.formats ?? [undefined];
  const ways = waysOf(domain, model).flatMap(({ label, prepared }) =>
    formats.map((format) => ({ label: [label, format].filter(Boolean).join(", "), prepared, format })),
  );
  const samples = domain.dataset.dev.slice(0, enough);
  const { worst } = extremes(domain.task.metric);
  const direction = directionOf(domain.task.metric);
  const tried = [];
  let best = { way: ways[0], mean: direction * Number.NEGATIVE_INFINITY };
  for (const [i, way] of (ways.length > 1 && samples.length > 0 ? ways : []).entries()) {
    told(i, ways.length);
    const subject = begin(model, way.format);
    let sum = 0;
    let unscored = 0;
    await measure(subject, way.prepared.task, way.prepared.keys.dev, "dev", seed, samples, {
      ...options,
      retryErrors: false,
      concurrency: widthFor(subject, concurrency),
      onOutcome: (score) => {
        sum += score ?? worst;
        unscored += score === null ? 1 : 0;
      },
    });
    if (options.budget.drained() !== undefined) return { tasks: [domain, ...elsewhere], format: undefined };
    const mean = sum / samples.length;
    tried.push({ way: way.label, mean, n: samples.length - unscored, unscored });
    if (direction * (mean - best.mean) > 1e-12) best = { way, mean };
  }
  if (ways.length > 1) told(ways.length, ways.length);
  const { label, prepared, format } = best.way;
  const asked = tried.length > 0 ? { asked: { way: label, tried } } : {};
  const others = elsewhere.map((other) => {
    const open = waysOf(other, model);
    return (open.find((way) => label.startsWith(way.label)) ?? open[0]).prepared;
  });
  return { tasks: [{ ...prepared, card: { ...prepared.card, ...asked } }, ...others], format };
}
/** The task in each way that its options leave open; as it is, where it leaves none. */
function waysOf(prepared, { grants }) {
  const { entry, options, card } = prepared;
  const ways = entry.ways?.(options, grants) ?? [];
  if (ways.length === 0) return [{ label: "", prepared }];
  return ways.map((way) => ({
    label: way.label,
    prepared: {
      ...prepared,
      ...askedWith({ ...prepared, name: card.name }, way.options),
    },
  }));
}
