// Claims from the abstract and the README, each a difference of errors, seed by seed. Less error is better.

import { below, type Draft } from "../claim.js";
import { type BySeed, seedDifference } from "../figures.js";
import { mains } from "./plans.js";
import { type ArmName, type MainTask, mainTasks } from "./settings.js";

/** Equivalence margin in m: worse by less is as good. Fixed before anything was measured. */
export const margin = 0.005;

const note = "No figures are published. Metric: distance of hand and target, final (reach) or mean (hold).";

/** @param errorOf an arm's errors on the task that it was trained on */
export function claimsOf(errorOf: (task: MainTask, arm: ArmName) => BySeed): Draft[] {
  return mains.flatMap((task) => {
    const { preferred, other } = mainTasks[task];
    const both: ArmName = "bilateral specialized, cc";
    const claim = (id: string, words: string, a: ArmName, b: ArmName, within = 0): Draft =>
      below(
        `${id}.${task}`,
        `${words} (${task}).`,
        null,
        note,
        seedDifference(errorOf(task, a), errorOf(task, b), within),
      );
    const asGood = `The bilateral controller is as good as the preferred hand or better, within ${1000 * margin} mm`;
    return [
      claim("c1", "Each system beats the non-favoured one on its preferred task", preferred, other),
      claim("c2", "The bilateral controller beats the non-preferred hand", both, other),
      claim("c3", asGood, both, preferred, margin),
      claim("c4", "The callosum helps specialized hemispheres", both, "bilateral specialized"),
      claim(
        "c5",
        "The callosum helps hemispheres that are not specialized",
        "bilateral common, cc",
        "bilateral common",
      ),
      claim("s1", "Specialization helps two hemispheres with a callosum", both, "bilateral common, cc"),
    ];
  });
}
