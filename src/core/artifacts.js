// The words for files that are too large for a specialist's JSON state: adapters, weights, checkpoints. Only the shapes;
// how folders are kept and checked is the store's.
/** The ids of all artifacts that a state names: every string under a key `artifact`, at any depth, each once. */
export function artifactsIn(state) {
  const found = new Set();
  const visit = (value) => {
    if (value === null || typeof value !== "object") return;
    for (const [key, inner] of Object.entries(value)) {
      if (key === "artifact" && typeof inner === "string") found.add(inner);
      else visit(inner);
    }
  };
  visit(state);
  return [...found];
}
