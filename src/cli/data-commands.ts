// The commands of `hone data`, with their options and help.

import { type Command, Option } from "commander";
import { encoding, json, limits, number, place, reading, store, whole } from "./options.js";

export function dataCommands(program: Command): void {
  const data = program.command("data").description("inspect data, split it, check it for leakage");
  reading(data.command("show"))
    .description("the first rows of a source and the fields they have")
    .argument("<source>", "file:, hf: or pip: reference, or a path")
    .option("--rows <n>", "how many rows", whole(1), 3)
    .addOption(json())
    .action(async (source, options) => (await import("./data.js")).showRows(source, options));
  reading(data.command("count"))
    .description("count the rows of a source")
    .argument("<source>", "file:, hf: or pip: reference, or a path")
    .addOption(json())
    .action(async (source, options) => (await import("./data.js")).count(source, options));
  data
    .command("split")
    .description("split a JSONL file into train, dev and test by seeded hash")
    .argument("<file>")
    .requiredOption("--out <folder>", "where train.jsonl, dev.jsonl and test.jsonl go", place)
    .option("--dev <share>", "share of dev", number(0), 0.1)
    .option("--test <share>", "share of test", number(0), 0.2)
    .option("--stratify <field>", "keep this field's values in proportion")
    .option("--group <field>", "rows with the same value of this field stay together")
    .option("--id <field>", "the field that names a row; default: id, else the line itself")
    .option("--seed <n>", "seed", whole(0), 1)
    .addOption(encoding())
    .addOption(json())
    .action(async (file, options) => (await import("./data.js")).split(file, options));
  data
    .command("check")
    .description("load a study's data: splits, labels, leakage between train and test")
    .argument("<study>", "a study file")
    .option("--data <folder>", "base folder of the study's relative file: sources")
    .addOption(json())
    .action(async (file, options) => (await import("./data.js")).check(file, options));

  limits(
    data
      .command("synth")
      .description(
        "write synthetic training data for a study's task: filtered pairs with their lineage, and a data card",
      )
      .argument("<study>", "a study file; the options of its selfSpecialize are used if it has one"),
  )
    .requiredOption(
      "--out <folder>",
      "where pairs.jsonl, chat.jsonl, instructions.jsonl and the card go",
      place,
    )
    .addOption(
      new Option("--by <way>", "new instructions, new inputs for given answers, or labels for your rows")
        .choices(["instructions", "inputs", "labels"])
        .default("instructions"),
    )
    .option("--pairs <n>", "pairs to keep", whole(1))
    .option("--attempts <n>", "attempts after which it gives up; default: ten times the pairs", whole(1))
    .option("--domain <words>", "the domain in a few words")
    .option("--seeds <source>", "seeds of your own in place of train's: file:, hf: or pip:")
    .option("--documents <source>", "a corpus to retrieve passages from before responses are written")
    .option("--rows <source>", "with --by labels: the rows to label")
    .option(
      "--generator <model>",
      "another model to generate with, such as openai:gpt-4o-mini (distillation)",
    )
    .option("--seed <n>", "seed; default: the study's first", whole(0))
    .option(
      "--data <folder>",
      "base folder of the study's relative file: sources; default: the study's folder",
    )
    .action(async (file, options) => (await import("./synth.js")).synth(file, options));

  data
    .command("export")
    .description("write a study's train or dev samples for training elsewhere; test stays sealed")
    .argument("<study>", "a study file")
    .addOption(
      new Option("--as <form>", "sft: messages with the right answer; dpo: a chosen and a rejected answer")
        .choices(["sft", "dpo"])
        .makeOptionMandatory(),
    )
    .addOption(new Option("--split <name>", "which samples").choices(["train", "dev"]).default("train"))
    .requiredOption("--out <file>", "the JSON lines file to write", place)
    .option("--data <folder>", "base folder of the study's relative file: sources")
    .option("--seed <n>", "seed for drawing the rejected options", whole(0), 0)
    .addOption(store())
    .addOption(json())
    .action(async (study, options) => (await import("./data.js")).exportSamples(study, options));

  data
    .command("first-person")
    .description(
      "retell theory-of-mind items (ToMi, ToMBench, or story, question, options), addressing the reader as you",
    )
    .argument("<file>", "JSON lines")
    .requiredOption(
      "--out <file>",
      "the JSON lines file to write: fields for a choice task, and the lineage",
      place,
    )
    .option("--assist <model>", "a model that retells what the rules refuse, such as openai:gpt-4o")
    .option("--back", "restore the originals of a file that this command wrote")
    .addOption(store())
    .addOption(json())
    .action(async (file, options) => (await import("./first-person.js")).firstPerson(file, options));
}
