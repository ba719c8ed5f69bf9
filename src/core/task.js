// A task knows how to put a subject through one sample and score what comes back.
/** A context outside of a study, where no other subject can be opened unless `open` is given. */
export function taskContext(signal, more = {}) {
  const open = (ref) => Promise.reject(new Error(`Nothing here can open ${ref}`));
  return { signal, seed: 0, open, ...more };
}
export function hasQueries(task) {
  return task.subjects === "language" && "query" in task;
}
