// Shapes that constrain answers: what a schema allows once it is checked. Also how many alternatives a grammar must keep open to
// follow a shape letter by letter, and how deep a shape's smallest value is, since shapes may contain themselves.

import { CallError } from "../core/call.js";

export type Literal = string | number | boolean | null;

export type Shape =
  | { kind: "any" }
  /** One of these, each as JSON. */
  | { kind: "literal"; values: readonly Literal[] }
  | { kind: "string"; min: number; max?: number; format?: "date" | "time" | "date-time" }
  | { kind: "number"; whole: boolean; from: "any" | "zero" | "one" }
  | { kind: "array"; first: readonly Shape[]; items?: Shape; min: number; max?: number }
  /** Members in this order. */
  | { kind: "object"; members: readonly Member[] }
  /** Members with any name. */
  | { kind: "map"; values: Shape; min: number; max?: number }
  | { kind: "or"; of: readonly Shape[] }
  | { kind: "ref"; name: string };

export interface Member {
  name: string;
  shape: Shape;
  required: boolean;
}

/** What a schema allows. */
export interface CheckedSchema {
  root: Shape;
  /** The shapes that `ref`s name. */
  parts: ReadonlyMap<string, Shape>;
  /** Keywords that are not enforced. */
  loose: readonly string[];
}

/** Most alternatives that a grammar may keep open at once: each token of the vocabulary may be tried against all of them. */
const mostOpen = 128;

/** Levels of nesting of a shape's smallest value; infinite for a shape whose every value contains itself. */
export function leastLevels({ parts }: Pick<CheckedSchema, "parts">): (shape: Shape) => number {
  const known = new Map<string, number>();
  const levels = (shape: Shape): number => {
    if (shape.kind === "ref") return known.get(shape.name) ?? Infinity;
    if (shape.kind === "or") return Math.min(...shape.of.map(levels));
    const inner =
      shape.kind === "object"
        ? shape.members.flatMap((one) => (one.required ? [one.shape] : []))
        : shape.kind === "map"
          ? shape.min > 0
            ? [shape.values]
            : []
          : shape.kind === "array"
            ? [...shape.first, ...(shape.items && shape.min > shape.first.length ? [shape.items] : [])]
            : [];
    return 1 + Math.max(0, ...inner.map(levels));
  };
  for (let changed = true; changed; ) {
    changed = false;
    for (const [name, shape] of parts) {
      const found = levels(shape);
      if (found < (known.get(name) ?? Infinity)) {
        known.set(name, found);
        changed = true;
      }
    }
  }
  return levels;
}

/**
 * Refuses a schema with too many branches that a parser could not tell apart early: each stays open as an alternative, and nested
 * branches multiply their number. Branches differ by their first letter, objects also by a first member's name and fixed
 * value.
 */
export function checkWidth({ root, parts }: Pick<CheckedSchema, "root" | "parts">): void {
  const tooWide = () =>
    refused("schema", "too many of its branches begin alike, and would have to be followed at once");
  let opened = 0;
  /** The shapes that a value of this shape may start with, `or` and `ref` resolved. */
  const opening = (shape: Shape, seen: readonly string[] = [], found: Shape[] = []): Shape[] => {
    if (shape.kind === "or") for (const one of shape.of) opening(one, seen, found);
    else if (shape.kind === "ref") {
      if (seen.includes(shape.name)) throw refused(shape.name.slice(0, 80), "it begins with itself");
      opening(parts.get(shape.name) as Shape, [...seen, shape.name], found);
    } else if (found.push(shape) > 4 * mostOpen || opened++ > 64 * mostOpen) throw tooWide();
    return found;
  };
  const ways = new Map<Shape, readonly Shape[]>();
  // Inner shapes come before those that contain them, so that few rounds suffice.
  const all: Shape[] = [];
  const collect = (shape: Shape): void => {
    for (const inner of innerOf(shape)) collect(inner);
    if (shape.kind === "or" || shape.kind === "ref") ways.set(shape, opening(shape));
    all.push(shape);
  };
  for (const shape of [...parts.values(), root]) collect(shape);

  const widths = new Map<Shape, number>();
  const known = (shape: Shape): number => widths.get(shape) ?? 1;
  const width = (shape: Shape): number => {
    if (shape.kind === "or" || shape.kind === "ref") return widthOf(ways.get(shape) as Shape[], known);
    const most = Math.max(1, ...innerOf(shape).map(known));
    if (shape.kind !== "object") return most;
    let [run, longest] = [1, 1];
    for (const { required } of shape.members) {
      run = required ? 1 : run + 1;
      longest = Math.max(longest, run);
    }
    return Math.max(most, longest);
  };
  // Fixed-point iteration for shapes that contain one another: widths grow from 1 until they are stable or exceed the limit.
  for (let changed = true; changed; ) {
    changed = false;
    for (const shape of all) {
      const found = width(shape);
      if (found > mostOpen) throw tooWide();
      if (found > known(shape)) {
        widths.set(shape, found);
        changed = true;
      }
    }
  }
}

/** Shapes directly inside a shape; the target of a `ref` is not inside it. */
function innerOf(shape: Shape): readonly Shape[] {
  if (shape.kind === "or") return shape.of;
  if (shape.kind === "object") return shape.members.map((one) => one.shape);
  if (shape.kind === "map") return [shape.values];
  if (shape.kind === "array") return [...shape.first, ...(shape.items ? [shape.items] : [])];
  return [];
}

/** Alternatives that stay open where a value may be any of these branches. */
function widthOf(branches: readonly Shape[], known: (shape: Shape) => number): number {
  const groups = new Map<string, { sum: number; most: number; told: Set<Literal>; apart: boolean }>();
  for (const one of branches) {
    const inner = known(one);
    for (const letter of lettersOf(one)) {
      const first = one.kind === "object" ? one.members[0] : undefined;
      const key = first?.required ? `${letter}${first.name}` : letter;
      const group = groups.get(key) ?? { sum: 0, most: 0, told: new Set(), apart: true };
      groups.set(key, group);
      group.sum += inner;
      group.most = Math.max(group.most, inner);
      const values = first?.required && first.shape.kind === "literal" ? first.shape.values : undefined;
      if (!values || values.some((value) => group.told.has(value))) group.apart = false;
      for (const value of values ?? []) group.told.add(value);
    }
  }
  return Math.max(...[...groups.values()].map(({ sum, most, apart }) => (apart ? most : sum)));
}

/** The kinds of first letters that its JSON may have. */
function lettersOf(shape: Shape): string[] {
  if (shape.kind === "any") return ['"', "0", "t", "f", "n", "[", "{"];
  if (shape.kind === "string") return ['"'];
  if (shape.kind === "number") return ["0"];
  if (shape.kind === "array") return ["["];
  if (shape.kind === "object" || shape.kind === "map") return ["{"];
  const letter = (value: Literal) => (typeof value === "number" ? "0" : (JSON.stringify(value)[0] as string));
  return shape.kind === "literal" ? [...new Set(shape.values.map(letter))] : [];
}

/** The error for a schema that cannot be enforced, with the place and the reason. */
export function refused(at: string, why: string): CallError {
  return new CallError("unsupported", `Answers cannot be held to this schema: ${at}: ${why}.`);
}
