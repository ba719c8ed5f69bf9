// hone completion SHELL: what a shell needs to complete commands, options, and the studies in the store. Generated from the
// commands themselves.

import type { Command } from "commander";
import { HoneError } from "../core/errors.js";

interface Words {
  /** `data show`; empty for the program. */
  path: string;
  commands: string[];
  options: string[];
}

const shells = ["bash", "zsh", "fish"] as const;

export function completion(shell: string, program: Command): void {
  const all = wordsOf(program, "");
  const make = {
    bash: bashOf,
    zsh: (words: Words[]) => `autoload -U +X bashcompinit && bashcompinit\n${bashOf(words)}`,
    fish: fishOf,
  };
  if (!(shells as readonly string[]).includes(shell))
    throw new HoneError({
      what: "Unknown shell",
      where: shell,
      why: `known: ${shells.join(", ")}`,
      next: "In bash: source <(hone completion bash)",
      kind: "usage",
    });
  process.stdout.write(make[shell as (typeof shells)[number]](all));
}

function wordsOf(command: Command, path: string): Words[] {
  const shown = command.createHelp().visibleCommands(command);
  // Commander's help also shows a `help` of its own.
  const visible = command.commands.filter((one) => shown.includes(one));
  const own = {
    path,
    commands: visible.map((one) => one.name()),
    options: [...command.options.flatMap(({ long }) => long ?? []), "--help"],
  };
  return [own, ...visible.flatMap((one) => wordsOf(one, `${path} ${one.name()}`.trim()))];
}

/** Commands whose argument is a study of the store; study names are those of its report folders. */
const ofStudies = ["compare", "export", "predict", "report", "serve", "show"];

function bashOf(all: readonly Words[]): string {
  const cases = all.map(({ path, commands, options }) => {
    const studies = ofStudies.includes(path) ? " $(ls .hone/reports 2>/dev/null)" : "";
    return `    ${JSON.stringify(path)}) words="${commands.join(" ")}${studies}"; options="${options.join(" ")}" ;;`;
  });
  const known = all.filter(({ path }) => path !== "").map(({ path }) => JSON.stringify(path));
  return `# hone's completion: source <(hone completion bash)
_hone() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path="" next word words="" options=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    next="\${path:+$path }$word"
    case "$next" in ${known.join("|")}) path="$next" ;; esac
  done
  case "$path" in
${cases.join("\n")}
  esac
  if [[ "$current" == -* ]]; then words="$options"; fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _hone hone
`;
}

function fishOf(all: readonly Words[]): string {
  const lines = ["# hone's completion: hone completion fish | source", "complete -c hone -f"];
  for (const { path, commands, options } of all) {
    const seen =
      path === ""
        ? "__fish_use_subcommand"
        : path
            .split(" ")
            .map((word) => `__fish_seen_subcommand_from ${word}`)
            .join("; and ");
    if (commands.length > 0) lines.push(`complete -c hone -n '${seen}' -a '${commands.join(" ")}'`);
    for (const option of options) lines.push(`complete -c hone -n '${seen}' -l ${option.slice(2)}`);
    if (ofStudies.includes(path))
      lines.push(`complete -c hone -n '${seen}' -a '(ls .hone/reports 2>/dev/null)'`);
    if (["run", "predict"].includes(path)) lines.push(`complete -c hone -n '${seen}' -F`);
  }
  return `${lines.join("\n")}\n`;
}
