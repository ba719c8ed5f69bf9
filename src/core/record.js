// The records that a study ends with and that scripts read. `hone run --json` prints the done record as its last line;
// reports are made from it, the outcomes and the journal's calls, and from nothing else.
/** The metric of one of a record's tasks. */
export function metricOf({ tasks }, task) {
  return tasks.find(({ name }) => name === task).metric;
}
/** One of the other things that are measured on a task, by name; a plain number where its task does not describe it. */
export function detailOf({ tasks }, task, name) {
  const described = tasks.find((card) => card.name === task)?.details.find((detail) => detail.name === name);
  return described ?? { name, better: "higher", unit: "", display: "number" };
}
