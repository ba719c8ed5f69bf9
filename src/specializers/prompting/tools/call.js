// One call: read from what a model wrote, checked, run within its bounds, and told as a step of the trail. Whatever goes
// wrong with it is a text for the model, never an error of the study.
import { messageOf } from "../../../core/errors.js";
import { listKnown, nearest } from "../../parts/options.js";

/** Characters of a call's arguments. Enough for any look-up, and too few to nest deeply. */
const longestArguments = 2000;
const callLine = /^[ \t]*(?:[`*>-]+[ \t]*)?CALL[ \t]+([^\s{]{1,80})[ \t]*(.*)$/m;
/** The first `CALL name {…}` of a text. What stands after it was written without the result and is not read. */
export function readCall(text) {
  const found = callLine.exec(text);
  if (!found) return undefined;
  const after = found[2].trimEnd();
  // A line in code quotes.
  return { name: found[1], json: after.endsWith("`") ? after.slice(0, -1) : after };
}
/**
 * Runs a call: unknown names, unreadable or unfitting arguments, a tool that throws or takes too long all give a step
 * with an error.
 *
 * @param signal the study's: when it stops, so does the call, and this throws its reason
 */
export async function runCall(call, tools, limits, signal) {
  signal.throwIfAborted();
  const step = (args, end) => ({
    kind: "tool",
    name: call.name,
    arguments: args,
    ...("result" in end
      ? { result: presentable(end.result, limits.output) }
      : { error: presentable(end.error, limits.output) }),
  });
  const tool = tools.get(call.name);
  if (!tool) {
    const known = [...tools.keys()];
    const near = nearest(call.name, known);
    const advice = near ? ` Did you mean ${near}?` : "";
    return step(call.json.slice(0, 200), {
      error: `there is no such tool. ${listKnown("Tools", known)}.${advice}`,
    });
  }
  if (call.json.length > longestArguments) {
    return step(call.json.slice(0, 200), {
      error: `the arguments have more than ${longestArguments} characters`,
    });
  }
  let args;
  try {
    args = JSON.parse(call.json || "{}");
  } catch {
    return step(call.json, {
      error: `the arguments are not JSON on one line, such as ${tool.example ?? "{}"}`,
    });
  }
  const checked = tool.parameters.safeParse(args);
  if (!checked.success) {
    const issue = checked.error.issues[0];
    const field = issue?.path.join(".");
    return step(args, {
      error: `the arguments do not fit: ${field ? `${field}: ` : ""}${issue?.message ?? "unknown"}`,
    });
  }
  try {
    return step(args, { result: await bounded(tool, checked.data, limits.timeout, signal) });
  } catch (error) {
    signal.throwIfAborted();
    return step(args, { error: messageOf(error) });
  }
}
async function bounded(tool, args, timeout, signal) {
  const own = new AbortController();
  const late = new Error(`it took longer than ${timeout / 1000} s`);
  const timer = setTimeout(() => own.abort(late), timeout);
  const stop = () => own.abort(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  try {
    // Raced, for a tool that does not listen to its signal.
    const ended = new Promise((_, reject) => {
      own.signal.addEventListener("abort", () => reject(own.signal.reason), { once: true });
    });
    const work = (async () => tool.run(args, { signal: own.signal }))();
    return String(await Promise.race([work, ended]));
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}
/** Without control characters but line ends and tabs, and cut, saying so. */
function presentable(text, most) {
  const cut = text.length > most;
  // A pair of code units must not be cut in two.
  const kept = cut ? text.slice(0, most).replace(/[\uD800-\uDBFF]$/, "") : text;
  const clean = kept.replace(/\r\n?/g, "\n").replace(/[^\P{Cc}\n\t]/gu, "\uFFFD");
  return cut ? `${clean}… (cut: ${most} of ${text.length} characters)` : clean;
}
