// Schemas that are impossible or hard to enforce on answers: deep, wide, self-referencing, with indistinguishable branches,
// malformed; and random ones, which are mostly valid.

const object = (properties, more = {}) => ({
  type: "object",
  properties,
  required: Object.keys(properties),
  ...more,
});
const many = (n, make) => Array.from({ length: n }, (_, i) => make(i));

function nested(levels, around) {
  let schema = { type: "null" };
  for (let i = 0; i < levels; i++) schema = around(schema);
  return schema;
}

/** Picks a schema that was designed to be hostile. */
export function hostileSchema({ pick, int }) {
  const ref = (name) => ({ $ref: `#/$defs/${name}` });
  return pick([
    () => nested(int(1, 1_000), (items) => ({ type: "array", items })),
    () => nested(int(1, 12), (a) => ({ anyOf: [object({ a }), object({ a })] })),
    () =>
      nested(int(1, 3), (a) => ({ anyOf: many(int(2, 20), () => ({ type: "object", properties: { a } })) })),
    () => ({ enum: many(int(1, 100_000), (i) => `value ${i}`) }),
    () => ({ enum: ["a".repeat(int(1, 1_000_000))] }),
    () => ({ type: "string", minLength: int(0, 600), maxLength: int(0, 600) }),
    () => ({ type: "array", minItems: int(0, 1e9), items: { type: "array", minItems: int(0, 600) } }),
    () => ({ type: "object", properties: Object.fromEntries(many(int(1, 5_000), (i) => [`p${i}`, {}])) }),
    () => ({
      type: "object",
      properties: { [pick(["__proto__", "constructor", '"', "\u0000", "é\ud800"])]: {} },
    }),
    () => ({ ...ref("a"), $defs: { a: ref("b"), b: ref(pick(["a", "c", "b"])) } }),
    () => ({ ...ref("a"), $defs: { a: { anyOf: [ref("a"), { type: "null" }] } } }),
    () => ({ ...ref("a"), $defs: { a: object({ a: ref("a") }) } }),
    () => ({
      ...ref("a"),
      $defs: { a: { anyOf: [{ type: "null" }, ...many(int(1, 9), () => object({ a: ref("a") }))] } },
    }),
    () => ({
      ...ref("d0"),
      $defs: Object.fromEntries(
        many(30, (i) => [
          `d${i}`,
          { anyOf: many(int(1, 8), () => (i === 29 ? { type: "null" } : object({ a: ref(`d${i + 1}`) }))) },
        ]),
      ),
    }),
    () => ({ anyOf: many(int(1, 500), () => ({ type: "string" })) }),
    () => ({ anyOf: many(int(1, 126), () => ({ type: "string", maxLength: 2 })) }),
    () => ({
      $ref: pick(["#", "#/", "#/$defs/%61", "http://127.0.0.1/x", "file:///etc/passwd", "#/__proto__/x"]),
    }),
    () => ({ type: pick(["thing", 5, [], ["string", "string"], null, {}, ["object", null]]) }),
    () => ({ type: "integer", minimum: pick([-1e308, "x", 5]), maximum: pick([1e308, 3, 7]) }),
    () => ({
      [pick(["not", "if", "allOf", "oneOf", "dependentSchemas"])]: pick([{}, [], [[]], 1, [{ $ref: "#" }]]),
    }),
    () => pick([1, null, "x", [], true, false]),
  ])();
}

/** A random schema with a given number of levels. */
export function drawnSchema(draw, levels = 3) {
  const { pick, int, chance } = draw;
  const inner = () => drawnSchema(draw, levels - 1);
  const names = ["a", "b", 'q"', "é", "long name"];
  return pick([
    () => ({ type: pick(["string", "number", "integer", "boolean", "null"]) }),
    () => ({ enum: many(int(1, 6), () => pick(["x", "xy", '"', "\\", 1, -2.5, true, null, "😀"])) }),
    () => ({ type: "string", maxLength: int(0, 5) }),
    ...(levels > 0
      ? [
          () => ({ type: "array", items: inner(), minItems: int(0, 2), maxItems: int(2, 4) }),
          () => ({
            type: "object",
            properties: Object.fromEntries(names.slice(0, int(1, 4)).map((name) => [name, inner()])),
            required: chance(0.5) ? ["a"] : [],
          }),
          () => ({ anyOf: many(int(1, 4), inner) }),
          () => ({ type: "object", additionalProperties: inner() }),
        ]
      : []),
  ])();
}
