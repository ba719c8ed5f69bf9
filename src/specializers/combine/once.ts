// Keeps pieces of a long fit as soon as they are made, with their cost, so that a killed fit resumes after them and still reports
// its whole cost.

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { isWhole } from "../../core/artifacts.js";
import { addCost, type Call, type Cost, noCost } from "../../core/call.js";
import type { Json } from "../../core/json.js";
import type { LanguageSubject } from "../../core/kinds.js";
import { writeWhole } from "../../core/place.js";
import type { Given } from "../../core/specializer.js";

/**
 * The result of `make`, or the earlier one from the file. A piece whose artifacts were lost is made again.
 * @param path file of the piece, in a scratch folder
 * @param make gets `given` with its calls counted, including those to models that it opens
 */
export async function once<T extends Json>(
  path: string,
  subject: LanguageSubject,
  given: Given,
  make: (counted: Given) => Promise<T>,
): Promise<T> {
  const { context, artifacts } = given;
  if (existsSync(path)) {
    const { value, cost } = JSON.parse(await readFile(path, "utf8")) as { value: T; cost: Cost };
    if (isWhole(value, artifacts)) {
      const model = subject.model?.id ?? subject.id;
      context.trace?.({ key: path, model, operation: "train", request: null, response: null, cost });
      return value;
    }
  }
  let cost = noCost;
  let whole = true;
  const lost: typeof context.lost = (failure) => {
    whole = false;
    context.lost?.(failure);
  };
  const trace = (call: Call): void => {
    cost = addCost(cost, call.cost);
    context.trace?.(call);
  };
  const open: typeof context.open = async (ref) => {
    const opened = await context.open(ref);
    return { subject: opened.subject, context: { ...opened.context, trace, lost } };
  };
  const value = await make({ ...given, context: { ...context, trace, lost, open } });
  // A kill must not lose the earlier pieces; one that lacks answers is made again.
  if (whole) await writeWhole(path, JSON.stringify({ value, cost }));
  return value;
}
