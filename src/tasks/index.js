// The kinds of task, by name. A new kind is one file and one line here.
import { z } from "zod";
import { answer, answerTask } from "./answer.js";
import { choice, choiceTask } from "./choice.js";
import { motor, motorTask } from "./motor/index.js";
import { nearestTask } from "./nearest.js";
export const tasks = {
  choice: choiceTask,
  answer: answerTask,
  motor: motorTask,
  nearest: nearestTask,
};
/** The union of what all kinds of a table take. @param extend adds fields to each kind */
export function taskSchemaOf(table, extend = () => ({})) {
  const [first, ...rest] = Object.values(table).map((entry) => entry.options.extend(extend(entry)));
  return z.discriminatedUnion("kind", [first, ...rest]);
}
export function makeTask(name, options, labels, table = tasks) {
  return table[options.kind].make(name, options, labels);
}
export { rows, taskEntry } from "./table.js";
export { answer, choice, motor };
