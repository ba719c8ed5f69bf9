// The six tasks of bench/routes.js, fixed on 2026-11-29 before any of them was measured: what a text is about (licences, the Supreme
// Court's issue areas, medical subjects), what it asks for or rests on (question types, kinds of law), and what it shows (PubMedQA).
// On 2026-11-30, before any score of theirs was seen, kinds of law lost the facts and kept the question, to save hours.
// Up to 500 labelled rows of train, 100 or 200 of dev, 500 sealed test rows. The shipped studies have opened rows of the licences',
// the issue areas' and PubMedQA's tests, the cases with another label; medical subjects and question types are new.

const cases = (input, label, options) => ({
  splits: {
    train: "file:law/scdb_oyez/train_*.jsonl",
    dev: "file:law/scdb_oyez/val.jsonl",
    test: "file:law/scdb_oyez/test.jsonl",
  },
  input,
  label,
  options,
  otherLabels: "drop",
  leakage: "report",
  limit: { train: 500, dev: 200, test: 500 },
});
const drawn = { by: "hash", stratify: true, group: "near", seed: 1 };

export const routeTasks = {
  licences: {
    name: "licence category",
    kind: "choice",
    instruction: "Sort each software licence into its category.",
    data: {
      source:
        "pip:licensedcode-data==32.1.0#licensedcode/data/licenses/*.LICENSE&sha256=18f60bde6dbabbc0a925d45ed80089cdbb7168156a2a1c118737198f9b743b96",
      where: { is_deprecated: { not: true }, is_exception: { not: true } },
      id: "key",
      input: "{{text|600}}",
      label: "category",
      options: [
        "Permissive",
        "Copyleft",
        "Copyleft Limited",
        "Proprietary Free",
        "Free Restricted",
        "Commercial",
      ],
      otherLabels: "drop",
      split: { ...drawn, fractions: { train: 0.4, dev: 0.15, test: 0.45 } },
      limit: { train: 500, dev: 200, test: 500 },
    },
  },
  "issue-area": {
    name: "issue area",
    kind: "choice",
    instruction: "What is the issue area of this Supreme Court case?",
    data: cases("{{question}} {{facts|1200}}", "labels.issueArea", {
      1: "Criminal Procedure",
      2: "Civil Rights",
      3: "First Amendment",
      4: "Due Process",
      5: "Privacy",
      7: "Unions",
      8: "Economic Activity",
      9: "Judicial Power",
      10: "Federalism",
      12: "Federal Taxation",
    }),
  },
  "law-type": {
    name: "law type",
    kind: "choice",
    instruction: "What kind of law did the Supreme Court apply in this case?",
    data: cases("{{question}}", "labels.lawType", {
      1: "Constitution",
      2: "Constitutional amendment",
      3: "Federal statute",
      4: "Court rules",
      6: "Infrequently litigated statute",
    }),
  },
  pubmedqa: {
    name: "pubmedqa",
    kind: "choice",
    instruction: "Answer each biomedical question from the abstract.",
    data: {
      splits: { train: "file:med/pubmedqa_train.jsonl", test: "file:med/pubmedqa_test.jsonl" },
      input: "{{context}}",
      question: "{{question}}",
      label: "answer",
      options: { A: "yes", B: "no", C: "maybe" },
      limit: { dev: 100 },
    },
  },
  subject: {
    name: "medical subject",
    kind: "choice",
    instruction: "Which subject of medicine is this exam question from?",
    data: {
      source: "file:med/medmcqa_dev.jsonl",
      input: "{{question}} {{options.A}}; {{options.B}}; {{options.C}}; {{options.D}}",
      label: "subject",
      options: [
        "Dental",
        "Surgery",
        "Pathology",
        "Medicine",
        "Pharmacology",
        "Anatomy",
        "Pediatrics",
        "Gynaecology & Obstetrics",
        "Physiology",
        "Biochemistry",
        "Social & Preventive Medicine",
        "Microbiology",
      ],
      otherLabels: "drop",
      split: { ...drawn, fractions: { train: 0.4, dev: 0.2, test: 0.4 } },
      limit: { train: 500, dev: 200, test: 500 },
    },
  },
  "question-type": {
    name: "question type",
    kind: "choice",
    instruction: "What kind of answer does this biomedical question ask for?",
    data: {
      source: "file:med/bioasq/*.json",
      table: "questions",
      id: "id",
      input: "body",
      label: "type",
      options: { factoid: "one name", yesno: "yes or no", list: "a list", summary: "a summary" },
      split: { ...drawn, fractions: { train: 0.5, dev: 0.15, test: 0.35 } },
      limit: { train: 500, dev: 200, test: 500 },
    },
  },
};

const long = ["pubmedqa", "issue-area"];
const parts = ["", "-prompts", "-trained"];
/** Each task's studies: one of all routes, or where texts are long that of routes on features, of prompts, and of trained weights. */
export const routeStudies = Object.fromEntries(
  Object.keys(routeTasks).map((name) => [
    name,
    (long.includes(name) ? parts : [""]).map((part) => `routes-${name}${part}`),
  ]),
);
