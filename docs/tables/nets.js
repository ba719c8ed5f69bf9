// Tables of nets trained from nothing.

import { bench, pValue } from "./parts.js";

/** Muon beside AdamW on a small net from nothing. */
export function optimizers() {
  const found = bench("muon");
  if (!found) return undefined;
  const { results, difference, step, stepRatio, flopsRatio, tokens, seeds, total } = found;
  const of = ({ mean, low, high }, digits) =>
    `${mean.toFixed(digits)} (${low.toFixed(digits)} to ${high.toFixed(digits)})`.replaceAll("-", "−");
  const rows = results.map(({ optimizer, rate, tried, bitsPerByte }) => {
    const told = `${rate} of ${tried.map((one) => one.rate).join(", ")}`;
    return `| ${optimizer} | ${told} | ${of(bitsPerByte, 2)} | ${Math.round(step[`${optimizer}Ms`])} |`;
  });
  return [
    "| optimizer | learning rate chosen on dev | bits per byte on test (95 %) | ms a step |",
    "|---|---|---|---:|",
    ...rows,
    "",
    `Muon less AdamW: ${of(difference, 3)} bits per byte, p ${pValue(difference.p)}; ${difference.n} documents and ${seeds.length} seeds are the units. Its step takes ${stepRatio.toFixed(2)} times as long, with ${flopsRatio.toFixed(2)} times the products. One dense net of ${(total / 1e6).toFixed(2)} million parameters, ${tokens.toLocaleString("en")} tokens, ${step.rows} rows of 128 a step (\`npm run bench:muon\`).`,
  ];
}

/** A training step of mixtures by batch: beside the dense net's, and beside PyTorch's. */
export function experts() {
  const found = bench("moe");
  if (!found) return undefined;
  const { results, length, rounds, torch, machine } = found;
  const ratio = (value) => value?.toFixed(2) ?? "–";
  const [few, many] = ["16 experts top 2", "64 experts top 2"].map((net) =>
    results.filter((one) => one.net === net),
  );
  const steps = [...new Set(results.map((one) => one.steps))];
  const fewest = results.filter((one) => one.steps === Math.min(...steps));
  const counted =
    steps.length > 1
      ? `${Math.max(...steps)} steps (${fewest[0].steps} with ${[...new Set(fewest.map(({ batch }) => batch))].join(" and ")} rows)`
      : `${steps[0]} steps`;
  const growth = few.map((one, i) => `${ratio(many[i].ms / one.ms)} with ${one.batch} rows`).join(", ");
  return [
    "| net | parameters, M | activated, M | rows a step | ms a step | times the dense net's | PyTorch's time over ours | compiled |",
    "|---|---:|---:|---:|---:|---:|---:|---:|",
    ...results.map(
      ({ net, total, active, batch, ms, ratio: cost, torchRatio, torchCompiledRatio }) =>
        `| ${net} | ${(total / 1e6).toFixed(1)} | ${(active / 1e6).toFixed(1)} | ${batch} | ${ms.toLocaleString("en")} | ${ratio(cost)} | ${ratio(torchRatio)} | ${ratio(torchCompiledRatio)} |`,
    ),
    "",
    `A token costs with 64 experts, against 16: ${growth}. Rows have ${length} tokens; medians of ${counted} in ${rounds} rounds, ${machine.split(",")[0]}, two cores, PyTorch ${torch} with a loop over experts (\`npm run bench:moe\`).`,
  ];
}
