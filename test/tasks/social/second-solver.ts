// A second solver of transfers and rumours, written apart from the generators: it keeps for everybody a diary of what they took part
// in or were told of, and reads another's mind off the pages that both have. Where the pages leave a question open it says so.

interface Page {
  /** Where the thing is from then on, or what is planned. */
  value: string;
  /** Whose diaries have the page; each of them knows it of the others. */
  known: ReadonlySet<string>;
  /** The page is somebody's word, not what those people saw. */
  told?: { by: string; to: ReadonlySet<string> };
}

export interface Read {
  story: string;
  question: string;
  options: readonly string[];
}

const sentences = (story: string) => story.match(/[^.]+\./g)?.map((one) => one.trim()) ?? [];
/** "I", "You" and "you" are one. */
const who = (name: string) => (/^(?:I|you)$/i.test(name) ? "you" : name);
const people = (list: string) => list.split(/,| and /).map((one) => who(one.trim()));

/** What somebody believes: the last page of the own diary. */
const own = (pages: readonly Page[], one: string) => pages.findLast(({ known }) => known.has(one))?.value;

/** What one thinks that another believes: the last page that the one knows the other to have. */
const others = (pages: readonly Page[], outer: string, inner: string) =>
  pages.findLast(({ known }) => known.has(outer) && known.has(inner))?.value;

/** The right option of a transfer, or "open" where the story does not settle what is asked. */
export function readTransfer({ story, question }: Read): string | "open" {
  const asked = question.match(/\S+/g) ?? [];
  const thing = (asked.at(-1) as string).slice(0, -1);
  const pages: Page[] = [];
  let here = new Set<string>();
  let place = "";
  for (const line of sentences(story)) {
    const words = line.slice(0, -1).split(" ");
    const first = who(words[0] as string);
    if (line.includes(" were in the ") && pages.length === 0)
      here = new Set(people(line.slice(0, line.indexOf(" were in the "))));
    else if (line.startsWith("Everybody saw")) {
      const at = line.indexOf(`the ${thing} was in the `);
      place = line.slice(at).split(" ")[5]?.replace(/\W/g, "") as string;
      pages.push({ value: place, known: new Set(here) });
    } else if (words[1] === "left") here.delete(first);
    else if (words[1] === "moved") {
      place = words.at(-1) as string;
      pages.push({ value: place, known: new Set(here) });
    } else if (words[1] === "came") {
      here.add(first);
      pages.push({ value: place, known: new Set(here) });
    } else if (words[1] === "told") {
      const to = who(words[2] as string);
      pages.push({ value: place, known: new Set([first, to]), told: { by: first, to: new Set([to]) } });
    }
  }
  if (asked[0] === "Where" && asked[1] === "will") return `the ${own(pages, who(asked[2] as string))}`;
  const [outer, inner] = [who(asked[2] as string), who(asked[5] as string)];
  // Who knows a place by hearsay knows who told it; of those who were there the word says nothing.
  const last = pages.findLast(({ known }) => known.has(outer));
  if (last?.told?.to.has(outer) && last.told.by !== inner) return "open";
  return `the ${others(pages, outer, inner)}`;
}

/** The right option of a rumour, or "open". */
export function readRumour({ story, question }: Read): string | "open" {
  const pages: Page[] = [];
  let maker = "";
  let everybody: string[] = [];
  let plan = "";
  /** Told by the maker together with others, one may suppose that those who are not there were told before. */
  const unsettled = new Set<string>();
  for (const line of sentences(story)) {
    const words = line.slice(0, -1).split(" ");
    if (line.includes(" had to settle ")) everybody = people(line.slice(0, line.indexOf(" had to settle ")));
    else if (line.startsWith("Everybody agreed on ")) {
      plan = line.slice("Everybody agreed on ".length, -1);
      pages.push({ value: plan, known: new Set(everybody) });
    } else if (line.includes(" changed it ")) {
      maker = who(words[words.indexOf("changed") - 1] as string);
      const again = line.includes("changed it again");
      plan = line
        .slice(line.indexOf(again ? "again, to " : "it to ") + (again ? 10 : 6))
        .replace(/,? and told .*/, "");
      const to = who(words.at(-2) as string);
      // Who is told of a later change alone does not know whether anybody was told of an earlier one.
      for (const { told } of pages)
        for (const one of told?.to ?? []) if (one !== to) unsettled.add(`${to} ${one}`);
      pages.push({ value: plan, known: new Set([maker, to]), told: { by: maker, to: new Set([to]) } });
    } else if (line.includes(" of the change")) {
      const teller = who(words[1] as string);
      const to = people(line.slice(line.indexOf(" told ") + 6).replace(/ (?:in private|together) of .*/, ""));
      const absent = / while (\w+) (?:was|were) away/.exec(line)?.[1];
      if (absent !== undefined) for (const one of to) unsettled.add(`${one} ${who(absent)}`);
      // Each of the told ones shares the page with the teller and, whether there or not, with the one who made the change.
      pages.push({ value: plan, known: new Set([teller, ...to]), told: { by: teller, to: new Set(to) } });
      for (const one of to) pages.push({ value: plan, known: new Set([`${one} of ${maker}`]) });
    }
  }
  const asked = /(?:does|do) (\w+) think that (\w+) believes? about/.exec(question) ?? [];
  const [outer, inner] = [who(asked[1] as string), who(asked[2] as string)];
  if (unsettled.has(`${outer} ${inner}`)) return "open";
  const byName = pages.findLast(({ known }) => known.has(`${outer} of ${inner}`))?.value;
  return `It is ${byName ?? others(pages, outer, inner)}`;
}
