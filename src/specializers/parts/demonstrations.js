// Stored train examples on their way into a prompt: what must be left out and what must be added for this query.
import { sameTextKey } from "../../learn/text.js";
export function keepDemonstrations(shots, task) {
  return {
    shots: [...shots],
    labels: task.labels?.map((label) => ({ ...label })) ?? null,
  };
}
/**
 * Puts examples before a query's own. The query itself is never among them: that would show the model its answer.
 * Before a query of another task (the study's `elsewhere`), or one whose options stand beside it in an order of its own,
 * each example brings its options along, or its answer would be read as one of theirs.
 */
export function prepend(shots, labels, query) {
  const own = sameTextKey(query);
  const others = shots.filter((shot) => sameTextKey(shot) !== own);
  const atHome = labels === null || (!query.ownOptions && sameOptions(labels, query.options ?? []));
  const shown = atHome ? others : others.map((shot) => (shot.options ? shot : { ...shot, options: labels }));
  return { ...query, demonstrations: [...shown, ...query.demonstrations] };
}
function sameOptions(a, b) {
  return (
    a.length === b.length && a.every((option, i) => option.key === b[i]?.key && option.text === b[i]?.text)
  );
}
