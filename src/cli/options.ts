// Options that several commands share, and how their values are read.

import { type Command, InvalidArgumentError, Option } from "commander";
import { delimiterOf, encodings, formats } from "../data/reading.js";

export const number = (least: number) => (text: string) => {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value < least) {
    throw new InvalidArgumentError(`give a number of at least ${least}`);
  }
  return value;
};
export const whole = (least: number, most?: number) => (text: string) => {
  const value = number(least)(text);
  if (!Number.isInteger(value)) throw new InvalidArgumentError("give a whole number");
  if (most !== undefined && value > most) throw new InvalidArgumentError(`give a number of at most ${most}`);
  return value;
};

const separator = (text: string) => {
  const read = delimiterOf(text);
  if (read === undefined) throw new InvalidArgumentError("give one character, or tab");
  return read;
};

export const list = (text: string) => text.split(",").map((word) => word.trim());

/** An empty value would mean the working folder, which nobody intends. */
export const place = (text: string) => {
  if (text.trim() === "") throw new InvalidArgumentError("give a path");
  return text;
};

export const json = () => new Option("--json", "print JSON lines on stdout, everything else on stderr");
export const store = () =>
  new Option("--store <folder>", "where journal, specialists and reports are kept")
    .default(".hone")
    .argParser(place);

export function limits(command: Command): Command {
  return command
    .option("--max-cost <usd>", "stop cleanly before spending more than this", number(0))
    .option("--max-time <seconds>", "stop cleanly after this long", number(0))
    .option("--concurrency <n>", "samples in flight", whole(1))
    .option(
      "--retry-errors",
      "retry samples that an earlier run left unscored, and make again what it made without some answers",
    )
    .option("--quiet", "no progress")
    .addOption(store())
    .addOption(json());
}

export const encoding = () =>
  new Option("--encoding <name>", "encoding of a text file; default: utf8").choices(encodings);

/** How data files are read, where their contents do not show it. */
export function reading(command: Command): Command {
  return command
    .addOption(encoding())
    .addOption(
      new Option("--format <name>", "file format, if the extension does not show it").choices(formats),
    )
    .option("--delimiter <character>", "between the fields of CSV, or tab; default: detected", separator)
    .option("--columns <names>", "a,b,c: the columns of a CSV or Excel file without a header row", list)
    .option("--table <name>", "SQLite table, Excel sheet, or field of a JSON object that holds the rows");
}

export function haves(command: Command): Command {
  command
    .option(
      "--access <words>",
      "what the model gives you: text, logprobs, embeddings, gradients, weights (weights: all of them)",
      list,
    )
    .option("--labels <n>", "labelled samples to learn from", whole(0))
    .option("--documents <n>", "documents to search: how many, yes, no, or their file")
    .option("--budget <usd>", "dollars for all answers", number(0))
    .option("--answers <n>", "how many answers the budget is for; default: 1000", whole(1))
    .option("--price <in,out>", "dollars per million input and output tokens")
    .option("--latency <ms>", "maximum milliseconds per answer", number(0))
    .option("--hours <h>", "maximum hours of training", number(0))
    .option("--task <kind>", "choice or answer (open text); default: choice, or what the data hold")
    .option("--options <n>", "how many options there are to choose from", whole(2))
    .option(
      "--own-options [field]",
      "every question brings its own options, as in an exam; the field that holds them",
    )
    .option("--calculates", "answers must be calculated or looked up")
    .option("--strength <kind>", "the model: small, large (GPT-4 class) or reasoning (o1 class)")
    .option("--model <ref>", "the model; implies --access where Hone knows it")
    .option("--data <file>", "a data file to build the study for: JSONL, CSV, Excel, SQLite, Parquet, …")
    .option("--input <field>", "the field that holds the text")
    .option("--label <field>", "the field that holds the answer")
    .option("--test-only", "use all rows for testing: a study of prompts only")
    .option("--no-test-only", "split the rows, whatever the file is called");
  return reading(command).option("--force", "overwrite").addOption(json());
}
