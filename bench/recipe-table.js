// The recorded trainings as rows of the table in docs/training.md: printed by bench/recipe.js and checked by a test.

import { wilson } from "../dist/statistics/index.js";

/** The normal quantile of a 95 % interval. */
const normal = 1.959964;
const mean = (rows, field) => rows.reduce((sum, row) => sum + row[field], 0) / rows.length;
const percent = (value) => (100 * value).toFixed(1);

/** `study | seeds | label entropy | majority class | dev loss and accuracy before | dev loss and accuracy`, means over seeds. */
export function tableOf(rows) {
  const studies = [...new Set(rows.map(({ task, labels }) => `${task}, ${labels} labels`))];
  return studies.map((study) => {
    const of = (recipe) =>
      rows.filter((row) => row.recipe === recipe && `${row.task}, ${row.labels} labels` === study);
    const [now, before] = [of("default"), of("before")];
    const told = (list) => {
      if (list.length === 0) return "– | –";
      // Every seed has the same test samples, so n is their number.
      const accuracy = mean(list, "accuracy");
      const [low, high] = wilson(accuracy, list[0].n, normal);
      const all = list.map((row) => row.accuracy);
      const spread =
        list.length > 1 ? `; seeds ${percent(Math.min(...all))} to ${percent(Math.max(...all))}` : "";
      const seeds = list.length === now.length ? spread : `, ${list.length} of the seeds`;
      return `${mean(list, "devLoss").toFixed(2)} | ${percent(accuracy)} (${percent(low)} to ${percent(high)}${seeds})`;
    };
    return `| ${study} | ${now.length} | ${mean(now, "guessing").toFixed(2)} | ${percent(mean(now, "majority"))} | ${told(before)} | ${told(now)} |`;
  });
}
