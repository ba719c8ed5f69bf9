// Texts numbered in order of first appearance. They are kept in typed arrays, so that a million ids take tens of megabytes
// and cost the garbage collector nothing.

export interface Interner {
  /** The text's number, from 0. */
  number: (text: string) => number;
  readonly size: number;
}

export function makeInterner(): Interner {
  let characters = new Uint16Array(1 << 14);
  /** Text i lies in characters[ends[i - 1]] to characters[ends[i]]; ends[-1] is 0. */
  let ends = new Uint32Array(1 << 10);
  /** Open addressing with linear probing: 0 for free, else a text's number plus 1. At most half of the slots are taken. */
  let slots = new Uint32Array(1 << 11);
  let size = 0;

  const start = (i: number): number => (i === 0 ? 0 : ends[i - 1]!);
  const equals = (i: number, text: string): boolean => {
    const from = start(i);
    if (ends[i]! - from !== text.length) return false;
    for (let k = 0; k < text.length; k++) if (characters[from + k] !== text.charCodeAt(k)) return false;
    return true;
  };
  const rehash = (): void => {
    slots = new Uint32Array(2 * slots.length);
    for (let i = 0; i < size; i++) {
      let hash = basis;
      for (let k = start(i); k < ends[i]!; k++) hash = mixed(hash, characters[k]!);
      let slot = finished(hash) & (slots.length - 1);
      while (slots[slot] !== 0) slot = (slot + 1) & (slots.length - 1);
      slots[slot] = i + 1;
    }
  };
  return {
    get size() {
      return size;
    },
    number(text) {
      let hash = basis;
      for (let k = 0; k < text.length; k++) hash = mixed(hash, text.charCodeAt(k));
      let slot = finished(hash) & (slots.length - 1);
      for (; slots[slot] !== 0; slot = (slot + 1) & (slots.length - 1))
        if (equals(slots[slot]! - 1, text)) return slots[slot]! - 1;
      const from = start(size);
      while (from + text.length > characters.length) {
        const more = new Uint16Array(2 * characters.length);
        more.set(characters);
        characters = more;
      }
      if (size === ends.length) {
        const more = new Uint32Array(2 * ends.length);
        more.set(ends);
        ends = more;
      }
      for (let k = 0; k < text.length; k++) characters[from + k] = text.charCodeAt(k);
      ends[size] = from + text.length;
      slots[slot] = ++size;
      if (2 * size > slots.length) rehash();
      return size - 1;
    },
  };
}

// FNV-1a over UTF-16 units, finished so that the low bits depend on all of them.
const basis = 0x811c9dc5;
const mixed = (hash: number, unit: number): number => Math.imul(hash ^ unit, 0x01000193);
const finished = (hash: number): number => {
  const folded = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (folded ^ (folded >>> 13)) >>> 0;
};
