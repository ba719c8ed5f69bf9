// Compact letter display: systems that share a letter are not shown to differ. A letter is a clique in the graph of pairs
// that are not shown to differ, and the letters together cover its edges; the fewest would be NP-hard to find.

/**
 * The members of each letter. Two systems share a letter exactly when `differs` is false for them, and every system has one.
 *
 * Greedy cover, then sweep (Piepho 2004's last step): each letter starts from the first pair not yet covered and adds the
 * system that covers most further pairs; afterwards letters, then members, whose pairs others cover as well are removed. A new
 * letter covers a pair that no earlier one does, so there are at most as many as pairs not shown to differ, plus one for
 * each system that differs from all; time is at most O(n⁴), in practice near O(n³).
 *
 * @param differs symmetric; called once for each i < j
 */
export function letterGroups(n: number, differs: (i: number, j: number) => boolean): number[][] {
  const alike = new Uint8Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = i + 1; j < n; j++) if (!differs(i, j)) alike[i * n + j] = alike[j * n + i] = 1;
  /** How many letters cover each pair. */
  const covered = new Uint32Array(n * n);
  const groups: number[][] = [];
  for (let i = 0; i < n; i++) {
    let alone = true;
    for (let j = 0; j < n; j++) {
      if (alike[i * n + j] === 0) continue;
      alone = false;
      if (j < i || covered[i * n + j]! > 0) continue;
      const members = grown(n, alike, covered, i, j);
      count(n, covered, members, 1);
      groups.push(members);
    }
    if (alone) groups.push([i]);
  }
  return swept(n, covered, groups).sort((a, b) => a[0]! - b[0]! || a.at(-1)! - b.at(-1)!);
}

/** The clique around a pair, ascending: adds the system alike to all members that covers most new pairs, until none covers any. */
function grown(n: number, alike: Uint8Array, covered: Uint32Array, i: number, j: number): number[] {
  const members: number[] = [];
  const candidate = new Uint8Array(n).fill(1);
  const gain = new Uint32Array(n);
  let next = i;
  while (next >= 0) {
    members.push(next);
    candidate[next] = 0;
    let best = -1;
    for (let k = 0; k < n; k++) {
      if (alike[next * n + k] === 0) candidate[k] = 0;
      if (candidate[k] === 0) continue;
      if (covered[next * n + k] === 0) gain[k]!++;
      if (gain[k]! > 0 && (best < 0 || gain[k]! > gain[best]!)) best = k;
    }
    next = members.length === 1 ? j : best;
  }
  return members.sort((a, b) => a - b);
}

/** Removes whole letters, then members, that cover nothing of their own. */
function swept(n: number, covered: Uint32Array, groups: readonly number[][]): number[][] {
  const needed = groups.filter((members) => {
    const spare =
      members.length > 1 && members.every((member) => coveredElsewhere(n, covered, members, member));
    if (spare) count(n, covered, members, -1);
    return !spare;
  });
  return needed.map((members) => {
    let kept = members;
    for (const member of members) {
      if (kept.length === 1 || !coveredElsewhere(n, covered, kept, member)) continue;
      kept = kept.filter((other) => other !== member);
      for (const other of kept) {
        covered[member * n + other]!--;
        covered[other * n + member]!--;
      }
    }
    return kept;
  });
}

function coveredElsewhere(
  n: number,
  covered: Uint32Array,
  members: readonly number[],
  member: number,
): boolean {
  return members.every((other) => other === member || covered[member * n + other]! > 1);
}

function count(n: number, covered: Uint32Array, members: readonly number[], by: 1 | -1): void {
  for (const a of members) for (const b of members) if (a !== b) covered[a * n + b]! += by;
}

/** a, b, … z, then a1, b1, … */
export function letterName(k: number): string {
  const round = Math.floor(k / 26);
  return String.fromCharCode(97 + (k % 26)) + (round > 0 ? String(round) : "");
}
