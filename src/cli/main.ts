// The command line: all commands with their options and help, in one list; those of `hone data` in ./data-commands.ts. Each command
// is implemented in its own file, which is loaded on use, so that help prints at once.

import { Command, CommanderError, Help, Option } from "commander";
import { exitCodes } from "../core/errors.js";
import { version } from "../version.js";
import { dataCommands } from "./data-commands.js";
import { haves, json, limits, number, place, reading, store, whole } from "./options.js";
import { printError } from "./output.js";
import { columnsOf, fold } from "./width.js";

const program = new Command("hone")
  .configureOutput({
    getOutHelpWidth: () => columnsOf() ?? 80,
    getErrHelpWidth: () => columnsOf(process.stderr) ?? 80,
  })
  .description("Hone a generalist model into a specialist, and prove it.")
  .version(version)
  .exitOverride()
  .showSuggestionAfterError(true)
  .configureHelp({
    showGlobalOptions: true,
    minWidthToWrap: 20,
    // A narrow terminal has no room beside long names: the description goes below.
    formatItem(term, termWidth, description, helper) {
      const room = (this.helpWidth ?? 80) - termWidth - 4;
      if (room >= 30 || description === "")
        return Help.prototype.formatItem.call(this, term, termWidth, description, helper);
      return fold(`  ${term}\n      ${description}`, this.helpWidth);
    },
  })
  .addHelpText("after", () =>
    fold(`
Begin with:
  hone demo                     a whole study on real licence texts, in a few minutes
  hone init                     a study file of your own
  hone run my.study.yaml        run it, or continue where it stopped

Exit codes: 0 success, 1 failure, 2 usage, 100 a gate was not met, a limit stopped the run or training rows occur in test, 130 stopped by Ctrl-C, 143 by SIGTERM; a server that is stopped exits with 0.`),
  );

haves(
  program
    .command("advise")
    .description(
      "which routes fit what you have, in the order to try them, and why; without options: the map",
    ),
)
  .option("--out <file>", "write the study file there", place)
  .action(async (options) => (await import("./advise.js")).adviseCommand(options));

limits(
  program
    .command("demo")
    .description(
      "a real study: which of six methods classifies licence texts best? (SmolLM2-135M, ScanCode's texts)",
    ),
)
  .option("--dry-run", "print the plan and its cost")
  .action(async (options) => (await import("./demo.js")).demo(options));

limits(
  program
    .command("run")
    .description("run a study, or continue it where it stopped")
    .argument("<study>", "a study file (YAML or JSON)"),
)
  .option("--data <folder>", "base folder of the study's relative file: sources; default: the study's folder")
  .option("--allow-modules", "load modules under `use` from outside the study's folder: their code is run")
  .option("--dry-run", "print the plan: samples, calls, tokens and an estimate of the cost")
  .addOption(
    new Option(
      "--dev-only",
      "make every specialist, score it on dev, and stop: the test stays sealed",
    ).conflicts(["dryRun", "junit"]),
  )
  .option("--junit <file>", "write the result there as JUnit XML", place)
  .action(async (file, options) => (await import("./run.js")).run(file, options));

reading(
  program
    .command("predict")
    .description("label new rows with a study's champion, or any subject by name")
    .argument("<study>", "name of a study in the store, or a saved specialist's file or folder"),
)
  .requiredOption("--data <file>", "the rows: CSV, JSONL, Parquet, …; - is stdin (JSON lines, or --format)")
  .option("--out <file>", "where predictions go: .csv, .jsonl or .parquet; default: stdout", place)
  .option("--subject <name>", "a subject of the study in place of its champion")
  .option("--skip-bad", "skip rows that cannot be read, and report them")
  .option("--allow-modules", "load the modules that the specialist names: their code is run")
  .option("--allow-endpoint", "let a specialist from elsewhere send the rows to an endpoint of its own")
  .option("--max-cost <usd>", "stop cleanly before spending more than this", number(0))
  .option("--max-time <seconds>", "stop cleanly after this long", number(0))
  .option("--concurrency <n>", "rows in flight", whole(1))
  .option("--quiet", "no progress")
  .addOption(store())
  .addOption(json())
  .action(async (study, options) => (await import("./predict.js")).predictCommand(study, options));

program
  .command("export")
  .description("write a specialist as a folder that runs without its study: weights, prompt, card, checksums")
  .argument("<study>", "name of a study in the store, or a saved specialist's file or folder")
  .requiredOption("--out <folder>", "the folder to write, which must not exist yet", place)
  .option("--subject <name>", "a subject of the study in place of its champion")
  .option("--with-base", "copy the generalist's weights, too")
  .option("--allow-modules", "load the modules that the specialist names: their code is run")
  .addOption(store())
  .addOption(json())
  .action(async (study, options) => (await import("./export.js")).exportCommand(study, options));

program
  .command("import")
  .description("copy an exported folder into the store after verifying its checksums")
  .argument("<folder>")
  .option("--name <name>", "its name in the store; default: its study's name")
  .option("--allow-endpoint", "accept a specialist that sends rows to an endpoint of its own")
  .addOption(store())
  .addOption(json())
  .action(async (folder, options) => (await import("./export.js")).importCommand(folder, options));

program
  .command("serve")
  .description("serve specialists and models behind one OpenAI-compatible server on this machine")
  .argument("<what...>", "studies, saved specialists and models (llama:…, openai:…); NAME=… names one")
  .option("--port <n>", "port; 0 picks a free one", whole(0, 65_535), 8642)
  .option("--host <address>", "bind this address in place of loopback; needs --token")
  .option("--token <text>", "what clients must send; generated if omitted")
  .option("--name <host...>", "with --host: host names by which clients reach it")
  .option(
    "--shadow <pair...>",
    "FIRST:SECOND: both answer what FIRST is asked; FIRST's answer is returned, both are kept",
  )
  .option(
    "--check <n>",
    "score champions again through the server on this many of their test samples",
    whole(1),
  )
  .option("--timeout <seconds>", "time limit for one answer", number(1), 600)
  .option("--most-waiting <n>", "most requests in the queue; more get 429", whole(0), 256)
  .option("--allow-modules", "load the modules that specialists name: their code is run")
  .option("--allow-endpoint", "let specialists from elsewhere send requests to an endpoint of their own")
  .addOption(store())
  .addOption(json())
  .action(async (what, options) => (await import("./serve.js")).serveCommand(what, options));

program
  .command("compare")
  .description("compare a study's subjects pair by pair, or systems by their predictions")
  .argument("[study]", "name of a study in the store")
  .argument("[subjects...]", "compare only these subjects, or with --predictions these systems")
  .option(
    "--predictions <file>",
    'JSON lines {"id", "task"?, "group"?, "gold", "answers": {"system": "answer"}}',
  )
  .option("--answers <field>", "the field that holds the answers")
  .option("--match <rule>", "exact, or choice to read the letter or number out of free text", "exact")
  .option("--seed <n>", "seed of resampling", whole(0), 1)
  .addOption(store())
  .addOption(json())
  .action(async (study, subjects, options) =>
    (await import("./compare.js")).compare(study, subjects, options),
  );

program
  .command("report")
  .description("write a study's report")
  .argument("<study>", "name of a study in the store")
  .option("--out <folder>", "where to write it; default: in the store", place)
  .option("--format <format>", "print html, md, json or csv on stdout instead")
  .addOption(store())
  .addOption(json())
  .action(async (study, options) => (await import("./report.js")).report(study, options));

limits(
  program
    .command("reproduce")
    .description(
      "repeat a paper's studies and compare its claims with the results; continues where it stopped",
    )
    .argument("[paper]", "its short name; if omitted, lists the papers"),
)
  .option("--smoke", "a few minutes: everything once, underpowered")
  .option("--original", "the paper's own sizes, for its own data and a larger machine")
  .option(
    "--data <folder>",
    "the folder that holds med/, law/, social/ and lexical/, or those of them that the paper reads",
  )
  .option(
    "--model <ref...>",
    "models in place of the paper's own, the smallest first; some papers take one or two at most",
  )
  .option("--out <file>", "also write the result there: as Markdown if it ends in .md, else as JSON", place)
  .action(async (paper, options) => (await import("./reproduce.js")).reproduce(paper, options));

const models = program.command("models").description("the models that Hone knows by name");
models
  .command("list", { isDefault: true })
  .description("every model, what it grants, and whether it is here")
  .addOption(json())
  .action(async (options) => (await import("./models.js")).listCommand(options));
models
  .command("show")
  .description("one model in full")
  .argument("<model>")
  .addOption(json())
  .action(async (name, options) => (await import("./models.js")).showCommand(name, options));
models
  .command("pull")
  .description("fetch a model's files into the cache")
  .argument("<model>")
  .addOption(json())
  .action(async (name, options) => (await import("./models.js")).pullCommand(name, options));

program
  .command("words")
  .description("translations of a word into other languages, from an index of word vectors")
  .argument("[word]", "the word to translate")
  .requiredOption("--index <folder>", "the index", place)
  .option("--to <languages>", "target languages, such as de,fr; default: all in the index")
  .option("--from <language>", "the word's own language, where the index has it in several")
  .option("-k, --k <n>", "answers per language", whole(1), 5)
  .option("--build <file>", "build the index from this file: a language, a tab and a word on every line")
  .option("--model <ref>", "with --build: the encoder, encoder:gemma3-270m?layer=12")
  .option("--trained <folder>", "with --build: what `lexical` saved, loaded into that encoder")
  .addOption(json())
  .action(async (word, options) => (await import("./words.js")).words(word, options));

dataCommands(program);

program
  .command("completion")
  .description("print hone's completion script for bash, zsh or fish")
  .argument("<shell>")
  .action(async (shell) => (await import("./completion.js")).completion(shell, program));

program
  .command("doctor")
  .description("check this machine, or the integrity of a store")
  .option("--store <folder>", "examine this store: every record of its journal, and its files")
  .option("--repair", "with --store: save what can be read in a new journal, and keep the damaged one")
  .addOption(json())
  .action(async (options) => (await import("./doctor.js")).doctor(options));

haves(
  program
    .command("init")
    .description("write a starter study file, from a data file if one is given")
    .argument("[name]", "name of the study", "my-study"),
)
  .option("--folder <folder>", "where to write it; default: here")
  .option("--advise", "all specialists that `hone advise` recommends; any option on what you have implies it")
  .option("--schema", "print the JSON schema of study files instead")
  .action(async (name, options) => (await import("./init.js")).init(name, options));

program
  .command("play")
  .description("play a game at the terminal, or by moves on stdin: holdem, leduc, kuhn, blackjack, guessing")
  .argument("<game>", "its name")
  .option("--against <who>", "a scripted player, a model (llama:…) or a saved specialist's path")
  .option("--hands <n>", "how many hands", whole(1), 10)
  .option("--seed <n>", "seed of the deals; random if omitted", whole(0))
  .addOption(json())
  .action(async (game, options) => (await import("./play.js")).play(game, options));

program
  .command("ls")
  .description("the studies in the store")
  .addOption(store())
  .addOption(json())
  .action(async (options) => (await import("./ls.js")).ls(options));

program
  .command("show")
  .description("a study's verdict and figures, or one sample with every prompt and answer")
  .argument("<study>", "name of a study in the store")
  .option("--sample <id>", "one sample of the test split")
  .option("--subject <name>", "only this subject")
  .addOption(store())
  .addOption(json())
  .action(async (study, options) => (await import("./show.js")).show(study, options));

try {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") {
        // Usually a full disk. If stderr itself cannot be written, there is nowhere to report it.
        if (stream === process.stdout)
          process.stderr.write(`\nCannot write the output\n  why:   ${error.message}\n`);
        process.exit(exitCodes.broke);
      }
      // A reader that goes away (`hone ls | head`) is not an error, but a study that it cut short is not done.
      const [, , command = "", ...others] = process.argv;
      const study =
        ["demo", "predict", "reproduce", "run"].includes(command) && !others.includes("--dry-run");
      process.exit(study ? exitCodes.broke : 0);
    });
  }
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has printed its own message; help and version are not errors.
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else {
    process.exitCode = printError(error, process.argv.includes("--json"));
  }
}
