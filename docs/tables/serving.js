// Tables of the clients that were run against `hone serve`.

import { bench, cell } from "./parts.js";

/** Names of checks with the first line of why they failed. */
const failures = (failed) =>
  failed
    .map(({ name, why }) => `${cell(name)}: \`${cell(why).replaceAll("`", "'").slice(0, 120)}\``)
    .join("; ");

/** Unchanged clients against `hone serve`, and lm-evaluation-harness. */
export function clients() {
  const found = bench("clients")?.clients;
  if (!found) return undefined;
  const { harness, n, sameChoice } = bench("lm-eval");
  return [
    "| client | version | run | checks | passed | failed, and why |",
    "|---|---|---|---:|---:|---|",
    ...Object.values(found).map(
      ({ client, version, date, checks, passed, failed, files }) =>
        `| ${client} | ${version} | ${date} | ${checks} | ${passed} | ${files ? `${failed.length}, see below` : failures(failed)} |`,
    ),
    `| lm-evaluation-harness, \`local-completions\` | ${harness.replace(/^lm_eval /, "")} | | ${n} choices compared | ${sameChoice} | see below |`,
  ];
}

/** llama-server's own unit tests by file. */
export function llamaServer() {
  const found = bench("clients")?.clients["llama-server"];
  if (!found) return undefined;
  const { files, failed } = found;
  /** One entry a test function, for a test has many cases. */
  const failedIn = (file) => {
    const own = failed.filter(({ name }) => name.startsWith(`${file}::`));
    const named = own.map(({ name, why }) => ({ name: name.split("::")[1].split("[")[0], why }));
    return failures(named.filter(({ name }, i) => named.findIndex((one) => one.name === name) === i));
  };
  const left = (reasons) =>
    Object.entries(reasons)
      .map(([why, n]) => `${n} ${why}`)
      .join("; ");
  return [
    "| file | run | passed | failed, and the first case's why | left out, and why |",
    "|---|---:|---:|---|---|",
    ...Object.entries(files)
      .sort(([, a], [, b]) => b.run - a.run)
      .map(
        ([file, one]) => `| ${file} | ${one.run} | ${one.passed} | ${failedIn(file)} | ${left(one.left)} |`,
      ),
  ];
}
