// Counters of a server in Prometheus' text format.

interface Labels {
  readonly [name: string]: string;
}

/** Upper bounds of the histogram's buckets, in seconds. */
const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export interface Metrics {
  request: (labels: { route: string; model: string; status: number }, seconds: number) => void;
  tokens: (model: string, read: number, written: number) => void;
  count: (name: "shadow_records" | "shadow_failures" | "refused", by?: number) => void;
  /** All figures. @param gauges read at this moment */
  text: (
    gauges: readonly { name: string; help: string; values: readonly (readonly [Labels, number])[] }[],
  ) => string;
}

export function makeMetrics(): Metrics {
  const requests = new Map<string, number>();
  const tokens = new Map<string, number>();
  const counts = new Map<string, number>();
  const times = new Map<string, { counts: number[]; sum: number; n: number }>();
  const add = (map: Map<string, number>, key: string, by: number) => map.set(key, (map.get(key) ?? 0) + by);
  return {
    request({ route, model, status }, seconds) {
      add(requests, labelled({ route, model, status: String(status) }), 1);
      const key = labelled({ route });
      const time = times.get(key) ?? { counts: buckets.map(() => 0), sum: 0, n: 0 };
      times.set(key, time);
      time.sum += seconds;
      time.n++;
      for (let i = buckets.length - 1; i >= 0 && seconds <= (buckets[i] as number); i--)
        time.counts[i] = (time.counts[i] as number) + 1;
    },
    tokens(model, read, written) {
      add(tokens, labelled({ model, kind: "read" }), read);
      add(tokens, labelled({ model, kind: "written" }), written);
    },
    count: (name, by = 1) => add(counts, name, by),
    text(gauges) {
      const lines: string[] = [];
      const describe = (name: string, type: string, help: string) =>
        lines.push(`# HELP hone_${name} ${help}`, `# TYPE hone_${name} ${type}`);
      describe("requests_total", "counter", "Requests answered.");
      for (const [key, n] of requests) lines.push(`hone_requests_total${key} ${n}`);
      describe("request_seconds", "histogram", "Time to the end of the answer.");
      for (const [key, { counts: found, sum, n }] of times) {
        const inner = key.slice(1, -1);
        for (const [i, bound] of buckets.entries())
          lines.push(`hone_request_seconds_bucket{${inner},le="${bound}"} ${found[i]}`);
        lines.push(`hone_request_seconds_bucket{${inner},le="+Inf"} ${n}`);
        lines.push(`hone_request_seconds_sum${key} ${sum}`, `hone_request_seconds_count${key} ${n}`);
      }
      describe("tokens_total", "counter", "Tokens read and written.");
      for (const [key, n] of tokens) lines.push(`hone_tokens_total${key} ${n}`);
      for (const [name, help] of [
        ["shadow_records", "Shadow records on disk."],
        ["shadow_failures", "Shadow answers that failed."],
        ["refused", "Requests refused before they were read."],
      ] as const) {
        describe(`${name}_total`, "counter", help);
        lines.push(`hone_${name}_total ${counts.get(name) ?? 0}`);
      }
      for (const { name, help, values } of gauges) {
        describe(name, "gauge", help);
        for (const [labels, value] of values) lines.push(`hone_${name}${labelled(labels)} ${value}`);
      }
      return `${lines.join("\n")}\n`;
    },
  };
}

function labelled(labels: Labels): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return `{${parts.join(",")}}`;
}

const escaped = (value: string): string =>
  value.slice(0, 200).replace(/[\\"]/g, "\\$&").replace(/\n/g, "\\n");
