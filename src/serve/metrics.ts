// Counters of a server in Prometheus' text format.

interface Labels {
  readonly [name: string]: string;
}

/** Upper bounds of the histogram's buckets, in seconds. */
const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export interface Metrics {
  request: (labels: { route: string; model: string; status: number }, seconds: number) => void;
  tokens: (model: string, read: number, written: number) => void;
  count: (name: "refused", by?: number) => void;
  /** All metrics as text. @param gauges read at this moment */
  text: (
    gauges: readonly { name: string; help: string; values: readonly (readonly [Labels, number])[] }[],
  ) => string;
}

export function makeMetrics(): Metrics {
  const requests = counter();
  const tokens = counter();
  const counts = new Map<string, number>();
  const times = new Map<string, { counts: number[]; sum: number; n: number }>();
  return {
    request({ route, model, status }, seconds) {
      requests.add(`${route}\n${model}\n${status}`, { route, model, status: String(status) }, 1);
      const time = times.get(route) ?? { counts: buckets.map(() => 0), sum: 0, n: 0 };
      times.set(route, time);
      time.sum += seconds;
      time.n++;
      for (let i = buckets.length - 1; i >= 0 && seconds <= (buckets[i] as number); i--)
        time.counts[i] = (time.counts[i] as number) + 1;
    },
    tokens(model, read, written) {
      tokens.add(`read\n${model}`, { model, kind: "read" }, read);
      tokens.add(`written\n${model}`, { model, kind: "written" }, written);
    },
    count: (name, by = 1) => counts.set(name, (counts.get(name) ?? 0) + by),
    text(gauges) {
      const lines: string[] = [];
      const describe = (name: string, type: string, help: string) =>
        lines.push(`# HELP hone_${name} ${help}`, `# TYPE hone_${name} ${type}`);
      describe("requests_total", "counter", "Requests answered.");
      for (const { labels, n } of requests.all()) lines.push(`hone_requests_total${labelled(labels)} ${n}`);
      describe("request_seconds", "histogram", "Time to the end of the answer.");
      for (const [route, { counts: found, sum, n }] of times) {
        const key = labelled({ route });
        const inner = key.slice(1, -1);
        for (const [i, bound] of buckets.entries())
          lines.push(`hone_request_seconds_bucket{${inner},le="${bound}"} ${found[i]}`);
        lines.push(`hone_request_seconds_bucket{${inner},le="+Inf"} ${n}`);
        lines.push(`hone_request_seconds_sum${key} ${sum}`, `hone_request_seconds_count${key} ${n}`);
      }
      describe("tokens_total", "counter", "Tokens read and written.");
      for (const { labels, n } of tokens.all()) lines.push(`hone_tokens_total${labelled(labels)} ${n}`);
      describe("refused_total", "counter", "Requests refused before they were read.");
      lines.push(`hone_refused_total ${counts.get("refused") ?? 0}`);
      for (const { name, help, values } of gauges) {
        describe(name, "gauge", help);
        for (const [labels, value] of values) lines.push(`hone_${name}${labelled(labels)} ${value}`);
      }
      return `${lines.join("\n")}\n`;
    },
  };
}

/** Sums by labels. A key stands for the labels, which are formatted only when metrics are requested. */
function counter() {
  const sums = new Map<string, { labels: Labels; n: number }>();
  return {
    add(key: string, labels: Labels, by: number): void {
      const sum = sums.get(key);
      if (sum) sum.n += by;
      else sums.set(key, { labels, n: by });
    },
    all: () => sums.values(),
  };
}

function labelled(labels: Labels): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return `{${parts.join(",")}}`;
}

const escaped = (value: string): string =>
  value.slice(0, 200).replace(/[\\"]/g, "\\$&").replace(/\n/g, "\\n");
