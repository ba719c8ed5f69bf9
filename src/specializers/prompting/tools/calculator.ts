// calculate: evaluates arithmetic as a model writes it, by recursive descent. The only names are a few functions and
// constants, and nothing is ever evaluated as code.

import { HoneError } from "../../../core/errors.js";

const maxLength = 1000;
const maxDepth = 64;

const functions = new Map<string, { arity: number | "any"; run: (...values: number[]) => number }>([
  ["sqrt", { arity: 1, run: Math.sqrt }],
  ["ln", { arity: 1, run: Math.log }],
  ["log10", { arity: 1, run: Math.log10 }],
  ["exp", { arity: 1, run: Math.exp }],
  ["abs", { arity: 1, run: Math.abs }],
  ["round", { arity: 1, run: Math.round }],
  ["min", { arity: "any", run: Math.min }],
  ["max", { arity: "any", run: Math.max }],
]);

const constants = new Map([
  ["pi", Math.PI],
  ["e", Math.E],
]);

/**
 * The value of an arithmetic expression: + - * / % ^ (right to left, before unary minus), parentheses, functions
 * (sqrt ln log10 exp abs round min max) and the constants pi and e.
 *
 * @param text at most 1,000 characters, nested at most 64 deep
 * @throws HoneError where it cannot be read or its value is not a finite number
 */
export function calculate(text: string): number {
  if (text.length > maxLength) throw refuse(`it has ${text.length} characters, more than ${maxLength}`);
  const tokens = tokenize(text);
  let at = 0;
  let depth = 0;

  const expect = (token: string) => {
    if (tokens[at] !== token) throw refuse(`"${token}" is missing before ${shown(tokens[at])}`);
    at++;
  };
  const deeper = (read: () => number): number => {
    if (++depth > maxDepth) throw refuse(`it is nested more than ${maxDepth} deep`);
    const value = read();
    depth--;
    return value;
  };
  const sum = (): number => {
    let value = product();
    while (tokens[at] === "+" || tokens[at] === "-") {
      value = tokens[at++] === "+" ? value + product() : value - product();
    }
    return value;
  };
  const product = (): number => {
    let value = signed();
    for (;;) {
      const sign = tokens[at];
      if (sign !== "*" && sign !== "/" && sign !== "%") return value;
      at++;
      const right = signed();
      if (sign !== "*" && right === 0) throw refuse("it divides by zero");
      value = sign === "*" ? value * right : sign === "/" ? value / right : value % right;
    }
  };
  const signed = (): number =>
    deeper(() => {
      if (tokens[at] === "-") {
        at++;
        return -signed();
      }
      if (tokens[at] === "+") {
        at++;
        return signed();
      }
      const base = atom();
      if (tokens[at] !== "^") return base;
      at++;
      return base ** signed();
    });
  const atom = (): number => {
    const token = tokens[at++];
    if (token === "(") {
      const value = sum();
      expect(")");
      return value;
    }
    if (token !== undefined && /^[\d.]/.test(token)) return Number(token);
    const constant = constants.get(token ?? "");
    if (constant !== undefined) return constant;
    const known = functions.get(token ?? "");
    if (!known) throw refuse(`${shown(token)} stands where a number should`);
    expect("(");
    const values = [sum()];
    while (tokens[at] === ",") {
      at++;
      values.push(sum());
    }
    expect(")");
    if (known.arity !== "any" && values.length !== known.arity) throw refuse(`${token} takes one number`);
    return known.run(...values);
  };

  const value = sum();
  if (at < tokens.length) throw refuse(`${shown(tokens[at])} is left over`);
  if (!Number.isFinite(value)) throw refuse("its value is not a finite number");
  return value;
}

function tokenize(text: string): string[] {
  const pattern = /\s*(?:((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[a-z][a-z0-9]*|[-+*/%^(),])|(\S))/gy;
  return [...text.trimEnd().matchAll(pattern)].map(([, token, stray]) => {
    if (token === undefined) throw refuse(`${JSON.stringify(stray)} means nothing here`);
    return token;
  });
}

function shown(token: string | undefined): string {
  return token === undefined ? "the end" : JSON.stringify(token);
}

function refuse(why: string): HoneError {
  return new HoneError({
    what: "This cannot be calculated",
    why,
    next: "Write arithmetic such as (3 + 4) * sqrt(2).",
    kind: "usage",
  });
}
