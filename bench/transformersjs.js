// Opens the folder `encoder/` that `lexical` leaves in transformers.js: compares token ids, and its vectors with Hone's. MiniLM and a tiny
// random XLM-R, each trained for a few steps in a study. Usage:
//   npm run build && HONE_TRANSFORMERS_JS=FOLDER npm run bench:transformersjs
// FOLDER has @huggingface/transformers in its node_modules (npm i --ignore-scripts @huggingface/transformers); without one the check is
// skipped. Writes bench/recorded/transformersjs.json; exits with 1 if ids differ or a cosine is further from 1 than 1e-5.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { runStudy } from "../dist/index.js";
import { openModel } from "../dist/models/registry.js";
import { openTrainedFolder } from "../dist/specializers/training/contrastive/kept.js";
import { parseStudy } from "../dist/study/spec.js";
import { record } from "./record.js";

const packages = process.env.HONE_TRANSFORMERS_JS;
if (!packages) {
  console.log("transformersjs: no folder with @huggingface/transformers (HONE_TRANSFORMERS_JS), skipped");
  process.exit(0);
}
const most = 1e-5;
const { signal } = new AbortController();

const texts = `court
Court of Appeal
the judge, the jury and the accused
A river runs through the garden.
The court held that the law was void; the appeal was dismissed with costs.
Is this a question? Yes: it is!
don't, can't, won't
3.14159 and 2,718 at 50%
https://example.org/path?query=1
snake_case and camelCase
Gericht
Rechtsschutzversicherungsgesellschaft
Der Fluß fließt durch die Gärten.
tribunal
L'été où j'ai été reçu à l'école
¿Dónde está el juzgado?
tribunale
mahkeme
İstanbul'da ışıl ışıl bir gün
źródło prawa
Příliš žluťoučký kůň
bíróság
tòa án nhân dân
Þetta er íslenska
суд
Верховный суд отменил решение.
справедливість
δικαστήριο
Η θάλασσα είναι ήρεμη.
בית משפט
محكمة
القانون فوق الجميع
عدالت
न्यायालय
कानून सबके लिए समान है
আদালত
நீதிமன்றம்
ศาล
ศาลตัดสินให้ยกฟ้อง
法院
最高人民法院作出了判决。
裁判所
カタカナとひらがな
법원
판사가 판결을 내렸다.
სასამართლო
դատարան
ፍርድ ቤት
⚖️ justice 🏛️
naïve café, ﬁnancial, ½ and ²
   spaces   around and   within   
a
!`
  .split("\n")
  .concat("")
  // As long as the smaller net accepts: transformers.js truncates longer texts without keeping their end token.
  .concat("The court heard the case and gave its reasons. ".repeat(2).trim());

/** Words of the same meaning, as `lexical` reads them. */
const meanings = `court Gericht tribunal суд mahkeme
law Gesetz loi закон yasa
river Fluss rivière река nehir
house Haus maison дом ev
book Buch livre книга kitap
water Wasser eau вода su
night Nacht nuit ночь gece
bread Brot pain хлеб ekmek`
  .split("\n")
  .map((line) => line.split(" "));
const languages = ["en", "de", "fr", "ru", "tr"];

const folder = mkdtempSync(join(tmpdir(), "hone-bench-transformersjs-"));
try {
  writeFileSync(join(folder, "texts.json"), JSON.stringify(texts));
  writeFileSync(
    join(folder, "constraints.tsv"),
    [
      "synsetID\tlang1\tword1\tsent1\tlang2\tword2\tsent2",
      ...meanings.flatMap((words, synset) =>
        words
          .slice(1)
          .map((word, i) => [`s${synset}`, "en", words[0], "", languages[i + 1], word, ""].join("\t")),
      ),
    ].join("\n"),
  );
  writeFileSync(
    join(folder, "vocabulary.tsv"),
    meanings.flatMap((words) => words.map((word, i) => `${languages[i]}\t${word}`)).join("\n"),
  );
  const rows = meanings.map(([text, answer], id) => ({ id, text, answer, stratum: "en-de" }));
  for (const [split, own] of Object.entries({
    train: rows.slice(0, 2),
    dev: rows.slice(2, 4),
    test: rows.slice(4),
  }))
    writeFileSync(join(folder, `${split}.jsonl`), own.map((row) => JSON.stringify(row)).join("\n"));

  const models = [
    await check("minilm", "encoder:minilm-f32", { method: "lora", rank: 8, steps: 6, learningRate: 0.003 }),
    await check(
      "tiny random xlm-roberta",
      `encoder:file:${join(import.meta.dirname, "../test/nets/fixtures/xlmr")}`,
      { method: "full", steps: 6, learningRate: 0.003 },
    ),
  ];
  const version = (name) =>
    JSON.parse(readFileSync(join(packages, "node_modules", name, "package.json"), "utf8")).version;
  record("transformersjs", {
    transformersJs: version("@huggingface/transformers"),
    onnxruntimeNode: version("onnxruntime-node"),
    models,
  });
  for (const { model, sameTokens, greatestDifferenceOfCosine: apart } of models) {
    console.log(
      `transformersjs: ${model}: ${sameTokens} of ${texts.length} texts have the same tokens; 1 - cosine is at most ${apart.toExponential(1)}`,
    );
    if (sameTokens < texts.length || !(apart <= most)) process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true });
}

/** Trains in a study, finds the written encoder, and runs both. */
async function check(model, ref, options) {
  const name = model.replaceAll(" ", "-");
  const study = parseStudy(
    {
      study: name,
      model: `${ref}?threads=1`,
      task: {
        name: "words",
        kind: "lexicon",
        vocabulary: "file:vocabulary.tsv",
        data: {
          splits: { train: "file:train.jsonl", dev: "file:dev.jsonl", test: "file:test.jsonl" },
          id: "id",
          input: "text",
          label: "answer",
          stratum: "stratum",
          leakage: "report",
        },
      },
      specialists: [{ lexical: { source: "file:constraints.tsv", batch: 16, ...options } }],
    },
    "bench/transformersjs.js",
  );
  const store = join(folder, name);
  await runStudy(study, { base: folder, store });
  const files = readdirSync(store, { recursive: true }).map(String);
  const config = files.find((path) => path.endsWith(join("encoder", "config.json")));
  const encoderFolder = join(store, dirname(config));

  const base = await openModel(`${ref}?threads=1`);
  const trained = await openTrainedFolder(base, dirname(encoderFolder));
  const own = await trained.vectors(texts, signal);
  const before = await base.vectors(texts, signal);
  const tokens = texts.map((text) => trained.net.read(text, "all").ids);
  const { width } = base.net;
  await trained.close();
  await base.close();

  const answer = join(folder, `${name}.json`);
  execFileSync(
    process.execPath,
    [
      join(import.meta.dirname, "clients/transformersjs.mjs"),
      packages,
      encoderFolder,
      join(folder, "texts.json"),
      answer,
    ],
    { stdio: ["ignore", "inherit", "inherit"] },
  );
  const other = JSON.parse(readFileSync(answer, "utf8"));
  const rowOf = (vectors, at) => vectors.subarray(at * width, (at + 1) * width);
  const apart = texts.map((_, i) => 1 - cosine(rowOf(own, i), other.vectors[i]));
  const moved = texts.map((_, i) => 1 - cosine(rowOf(own, i), rowOf(before, i)));
  const different = texts.filter((_, i) => tokens[i].join() !== other.tokens[i].join());
  for (const text of different)
    console.log(`transformersjs: ${model}: other tokens: ${JSON.stringify(text)}`);
  return {
    model,
    trained: options,
    texts: texts.length,
    tokens: tokens.flat().length,
    sameTokens: texts.length - different.length,
    greatestDifferenceOfCosine: Math.max(...apart),
    // Distance from the encoder before training: the difference above if the file had the untrained weights.
    medianMovedByTraining: [...moved].sort((a, b) => a - b)[moved.length >> 1],
  };
}

function cosine(a, b) {
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) [ab, aa, bb] = [ab + a[i] * b[i], aa + a[i] * a[i], bb + b[i] * b[i]];
  return ab / Math.sqrt(aa * bb);
}
