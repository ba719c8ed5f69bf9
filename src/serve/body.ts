// A request's body as checked JSON: of limited size, of the right type, and of the shape that its route takes.

import type { Context } from "hono";
import type { z } from "zod";
import { Problem } from "./problem.js";

/** Largest body in bytes. */
export const mostBytes = 8 * 1024 * 1024;

/** Reads and checks a body. @throws Problem 413, 415 or 400 */
export async function readBody<T>(c: Context, schema: z.ZodType<T>): Promise<T> {
  const type = c.req.header("content-type") ?? "";
  // A form is what another site's page can send without asking.
  if (!/^application\/json\s*(;|$)/i.test(type))
    throw new Problem(415, "The body must be JSON: Content-Type: application/json.", {
      code: "content_type",
    });
  const bytes = await readBytes(c);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new Problem(400, "The body is not valid JSON.", { code: "invalid_json" });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = firstIssue(parsed.error.issues[0] as z.core.$ZodIssue);
  const param = issue.path.map(String).join(".").slice(0, 200);
  throw new Problem(400, `${param || "The body"}: ${issue.message}`.slice(0, 500), { param });
}

async function readBytes(c: Context): Promise<Uint8Array> {
  const tooLarge = () =>
    new Problem(413, `The body is larger than ${mostBytes / 1024 / 1024} MiB.`, { code: "too_large" });
  const said = c.req.header("content-length");
  if (said !== undefined) {
    if (Number(said) > mostBytes) throw tooLarge();
    return new Uint8Array(await c.req.arrayBuffer());
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (c.req.raw.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > mostBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Of a union's branches the one that came furthest is the one that was meant. */
function firstIssue(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== "invalid_union" || issue.errors.length === 0) return issue;
  const inner = issue.errors.map((branch) => branch[0]).filter((one) => one !== undefined);
  const deepest = inner.sort((a, b) => b.path.length - a.path.length)[0];
  return deepest ? firstIssue({ ...deepest, path: [...issue.path, ...deepest.path] }) : issue;
}
