// Turns a JSON schema into shapes that constrain a model's answer: checked, resolved and of limited size. Grammars are written
// from the shapes (`llama/gbnf.ts`), and the mock draws its values from them.
//
// A shape may allow less than its schema, and never more except for the keywords that `loose` names. Members that a schema
// leaves open (`additionalProperties` beside named ones) are not written, and `oneOf` is read as `anyOf`.

import {
  type CheckedSchema,
  checkWidth,
  type Literal,
  leastLevels,
  refused,
  type Shape,
} from "./json-shapes.js";

/** Limits on a schema: nesting depth, and total subschemas, enum values, letters of names and values, and counted repetitions. */
export const schemaLimits = {
  depth: 32,
  subschemas: 2_000,
  values: 2_000,
  letters: 40_000,
  repetitions: 4_000,
} as const;
/** Most items or letters that a grammar counts at one place. */
const mostCounted = 500;
const annotations = new Set(
  "title description default examples example deprecated readOnly writeOnly $schema $id $comment $defs definitions nullable strict propertyOrdering".split(
    " ",
  ),
);
const known = new Set(
  "type properties required additionalProperties items prefixItems minItems maxItems enum const anyOf oneOf allOf $ref minLength maxLength format minimum maximum exclusiveMinimum exclusiveMaximum minProperties maxProperties patternProperties unevaluatedProperties propertyNames".split(
    " ",
  ),
);
/** Keywords whose constraints no grammar here can express. */
const loosened = new Set(
  "pattern multipleOf uniqueItems contains minContains maxContains contentEncoding contentMediaType".split(
    " ",
  ),
);

type Given = Readonly<Record<string, unknown>>;

/**
 * Checks a schema.
 * @throws CallError `unsupported` that names the place: for an invalid schema, one that cannot be enforced, and one that is too large
 * @example
 * checkSchema({ type: "object", properties: { city: { type: "string" } }, required: ["city"] }).root;
 */
export function checkSchema(schema: unknown): CheckedSchema {
  const checked = readSchema(schema, "schema", { ...schemaLimits });
  checkWidth(checked);
  return checked;
}

/** What is left of the limits. */
export type SchemaBudget = Record<keyof typeof schemaLimits, number>;

/** Reads one schema, whose parts have names that begin with `origin`. Its width is unchecked. @throws CallError as `checkSchema` */
export function readSchema(schema: unknown, origin: string, left: SchemaBudget): CheckedSchema {
  const parts = new Map<string, Shape>();
  const loose = new Set<string>();
  const spend = (what: keyof typeof left, n: number, at: string): void => {
    left[what] -= n;
    if (left[what] < 0) throw refused(at, `the schema has more than ${schemaLimits[what]} ${what}`);
  };

  const read = (given: unknown, at: string, depth: number): Shape => {
    spend("subschemas", 1, at);
    if (depth > schemaLimits.depth)
      throw refused(at.slice(0, 60), `it is nested deeper than ${schemaLimits.depth} levels`);
    if (given === true) return { kind: "any" };
    if (!isObject(given)) throw refused(at, "a schema is an object");
    for (const [key, value] of Object.entries(given)) {
      if (value === undefined || annotations.has(key) || known.has(key)) continue;
      if (!loosened.has(key)) throw refused(at, `the keyword ${key.slice(0, 40)} cannot be enforced`);
      loose.add(key);
    }
    if (Object.keys(given).every((key) => annotations.has(key))) return { kind: "any" };
    const down = (part: unknown, step: string): Shape => read(part, `${at}.${step}`, depth + 1);
    if (given.$ref !== undefined) return reference(given.$ref, at, depth);
    if (given.const !== undefined) return literals([given.const], at);
    if (given.enum !== undefined) {
      if (!Array.isArray(given.enum) || given.enum.length === 0)
        throw refused(`${at}.enum`, "it has no values");
      return literals(given.enum, `${at}.enum`);
    }
    for (const key of ["anyOf", "oneOf"] as const) {
      const list = given[key];
      if (list === undefined) continue;
      if (!Array.isArray(list) || list.length === 0) throw refused(`${at}.${key}`, "it has no branches");
      if (given.properties !== undefined || given.allOf !== undefined)
        throw refused(at, `${key} beside other constraints cannot be enforced`);
      return either(list.map((one, i) => down(one, `${key}.${i}`)));
    }
    if (given.allOf !== undefined) return read(merged(given, at), at, depth + 1);
    const types = typesOf(given, at);
    if (given.nullable === true && !types.includes("null")) types.push("null");
    return either(types.map((type) => typed(type, given, at, down)));
  };

  const literals = (values: readonly unknown[], at: string): Shape => {
    spend("values", values.length, at);
    for (const value of values) {
      if (value !== null && !["string", "number", "boolean"].includes(typeof value))
        throw refused(at, "values that are objects or lists cannot be enforced");
      spend("letters", String(value).length, at);
    }
    return { kind: "literal", values: [...new Set(values as Literal[])] };
  };

  const reference = (pointer: unknown, at: string, depth: number): Shape => {
    if (typeof pointer !== "string" || !/^#(\/|$)/.test(pointer))
      throw refused(at, "a $ref must point into the same schema (#/$defs/NAME)");
    spend("letters", pointer.length, at);
    const name = `${origin}${pointer}`;
    if (!parts.has(name)) {
      const found = follow(schema, pointer);
      if (found === undefined) throw refused(at, `there is no ${pointer.slice(0, 80)}`);
      // Set before reading, so that a schema may contain itself.
      parts.set(name, { kind: "any" });
      parts.set(name, read(found, name.slice(0, 80), depth + 1));
    }
    return { kind: "ref", name };
  };

  const count = (given: Given, key: string, at: string): number | undefined => {
    const value = given[key];
    if (value === undefined) return undefined;
    if (!Number.isInteger(value) || (value as number) < 0) throw refused(at, `${key} is not a whole number`);
    return value as number;
  };
  /** A range of counts. A maximum too large to count is left open. */
  const range = (given: Given, [low, high]: [string, string], at: string) => {
    const [min = 0, max] = [count(given, low, at), count(given, high, at)];
    if (max !== undefined && max < min) throw refused(at, `${high} is below ${low}`);
    if (min > mostCounted) throw refused(at, `${low} is above ${mostCounted}`);
    const counted = max !== undefined && max <= mostCounted;
    spend("repetitions", counted ? max : min, at);
    if (max !== undefined && !counted) loose.add(high);
    return { min, ...(counted ? { max } : {}) };
  };

  const typed = (
    type: string,
    given: Given,
    at: string,
    down: (part: unknown, step: string) => Shape,
  ): Shape => {
    if (type === "null") return { kind: "literal", values: [null] };
    if (type === "boolean") return { kind: "literal", values: [true, false] };
    if (type === "string") {
      const { format } = given;
      if (format === "date" || format === "time" || format === "date-time")
        return { kind: "string", min: 0, format };
      if (format !== undefined) loose.add("format");
      return { kind: "string", ...range(given, ["minLength", "maxLength"], at) };
    }
    if (type === "number" || type === "integer") return numeric(type === "integer", given, loose, at);
    if (type === "array") {
      const first = given.prefixItems === undefined ? [] : given.prefixItems;
      if (!Array.isArray(first)) throw refused(`${at}.prefixItems`, "it is not a list");
      const tuple = Array.isArray(given.items) ? given.items : first;
      const open = Array.isArray(given.items) || given.items === false ? undefined : (given.items ?? true);
      return {
        kind: "array",
        first: tuple.map((one, i) => down(one, `prefixItems.${i}`)),
        ...(open === undefined ? {} : { items: down(open, "items") }),
        ...range(given, ["minItems", "maxItems"], at),
      };
    }
    if (type !== "object") throw refused(at, `there is no type ${String(type).slice(0, 40)}`);
    const named = given.properties ?? {};
    if (!isObject(named)) throw refused(`${at}.properties`, "it is not an object");
    const required = given.required ?? [];
    if (!Array.isArray(required) || !required.every((name) => typeof name === "string"))
      throw refused(`${at}.required`, "it is not a list of names");
    const names = [...new Set([...Object.keys(named), ...(required as string[])])];
    for (const name of names) spend("letters", name.length, at);
    for (const key of ["patternProperties", "propertyNames"]) if (given[key] !== undefined) loose.add(key);
    if (names.length === 0) {
      const more = given.additionalProperties ?? true;
      if (more === false) return { kind: "object", members: [] };
      const bounds = range(given, ["minProperties", "maxProperties"], at);
      return { kind: "map", values: down(more, "additionalProperties"), ...bounds };
    }
    if (given.minProperties !== undefined) loose.add("minProperties");
    if (given.maxProperties !== undefined) loose.add("maxProperties");
    const wanted = new Set(required as string[]);
    return {
      kind: "object",
      members: names.map((name) => ({
        name,
        shape: down(Object.hasOwn(named, name) ? named[name] : true, `properties.${name.slice(0, 40)}`),
        required: wanted.has(name),
      })),
    };
  };

  const root = read(schema, origin, 0);
  const checked = { root, parts, loose: [...loose].sort() };
  if (leastLevels(checked)(root) === Infinity) throw refused(origin, "it has no finite value");
  return checked;
}

function numeric(whole: boolean, given: Given, loose: Set<string>, at: string): Shape {
  const bound = (key: string): number | undefined => {
    const value = given[key];
    if (value === undefined) return undefined;
    if (typeof value !== "number") throw refused(at, `${key} is not a number`);
    return value;
  };
  const [low, high] = [bound("minimum"), bound("maximum")];
  const [above, below] = [bound("exclusiveMinimum"), bound("exclusiveMaximum")];
  const least = whole ? Math.max(Math.ceil(low ?? -Infinity), Math.floor((above ?? -Infinity) + 1)) : low;
  const most = whole ? Math.min(Math.floor(high ?? Infinity), Math.ceil((below ?? Infinity) - 1)) : high;
  if (least !== undefined && most !== undefined && least > most)
    throw refused(at, "no number is in its bounds");
  if (whole && (most as number) - (least as number) < 200)
    return {
      kind: "literal",
      values: Array.from(
        { length: (most as number) - (least as number) + 1 },
        (_, i) => (least as number) + i,
      ),
    };
  // Numbers have at most 16 digits, and zod bounds every integer by these values.
  const wide = Number.MAX_SAFE_INTEGER;
  if (most !== undefined && most < wide) loose.add(high === undefined ? "exclusiveMaximum" : "maximum");
  if (least !== undefined && least > -wide && least !== 0 && !(whole && least === 1))
    loose.add(low === undefined ? "exclusiveMinimum" : "minimum");
  if (!whole && above !== undefined) loose.add("exclusiveMinimum");
  if (!whole && below !== undefined) loose.add("exclusiveMaximum");
  const floor = whole ? (least as number) : Math.max(low ?? -Infinity, above ?? -Infinity);
  return { kind: "number", whole, from: floor >= 1 && whole ? "one" : floor >= 0 ? "zero" : "any" };
}

/** Types that a schema names, or else those that its other keywords imply; all types if there are none. */
function typesOf(given: Given, at: string): string[] {
  const { type } = given;
  if (typeof type === "string") return [type];
  if (
    Array.isArray(type) &&
    type.length > 0 &&
    type.length < 8 &&
    type.every((one) => typeof one === "string")
  )
    return [...new Set(type as string[])];
  if (type !== undefined) throw refused(`${at}.type`, "it is not a type");
  if (
    given.properties !== undefined ||
    given.required !== undefined ||
    given.additionalProperties !== undefined
  )
    return ["object"];
  if (given.items !== undefined || given.prefixItems !== undefined) return ["array"];
  return ["string", "number", "boolean", "null", "array", "object"];
}

/** `allOf` as one schema: its only branch, or an object with the members of all branches. */
function merged(given: Given, at: string): Given {
  const { allOf, ...own } = given;
  if (!Array.isArray(allOf) || allOf.length === 0) throw refused(`${at}.allOf`, "it has no branches");
  if (allOf.length === 1 && own.properties === undefined && own.type === undefined && isObject(allOf[0]))
    return allOf[0];
  let all: Given = { type: "object" };
  for (const [i, one] of [own, ...(allOf as unknown[])].entries()) {
    if (!isObject(one) || !(one.type === undefined || one.type === "object") || one.$ref !== undefined)
      throw refused(`${at}.allOf.${i}`, "only objects can be joined");
    const { properties = {}, required = [] } = one;
    if (!isObject(properties) || !Array.isArray(required))
      throw refused(`${at}.allOf.${i}`, "its properties or required cannot be read");
    all = {
      ...{ ...all, ...one },
      properties: { ...(all.properties as Given), ...properties },
      required: [...((all.required ?? []) as string[]), ...(required as string[])],
    };
  }
  return all;
}

function either(of: readonly Shape[]): Shape {
  return of.length === 1 ? (of[0] as Shape) : { kind: "or", of };
}

function follow(schema: unknown, pointer: string): unknown {
  let here = schema;
  for (const step of pointer.split("/").slice(1)) {
    const key = step.replaceAll("~1", "/").replaceAll("~0", "~");
    if ((!isObject(here) && !Array.isArray(here)) || !Object.hasOwn(here, key)) return undefined;
    here = (here as Given)[key];
  }
  return here;
}

function isObject(value: unknown): value is Given {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
