// The abstract's statements and the README's, each as a difference of errors with an interval over seeds. Less error is better.

import { type Claim, makeClaim } from "../claim.js";
import { type BySeed, seedDifference } from "./measured.js";
import { type ArmName, type MainTask, mainTasks } from "./settings.js";

/** Worse by less than this, in m, is as good. Fixed before anything was measured. */
export const margin = 0.005;

const note = "No figures are published. Metric: distance of hand and target, final (reach) or mean (hold).";
const less = { side: "below", threshold: 0 } as const;

/** @param scoresOf an arm's errors on the task that it was trained on */
export function claimsOf(scoresOf: (task: MainTask, arm: ArmName) => BySeed | undefined): Claim[] {
  return (Object.keys(mainTasks) as MainTask[]).flatMap((task) => {
    const { preferred, other } = mainTasks[task];
    const claim = (id: string, words: string, a: ArmName, b: ArmName, threshold = 0): Claim =>
      makeClaim(
        { id: `${id}.${task}`, claim: `${words} (${task}).`, published: null, note },
        { ...less, threshold },
        seedDifference(scoresOf(task, a), scoresOf(task, b)),
      );
    const both: ArmName = "bilateral specialized, cc";
    return [
      claim("c1", "Each system beats the non-favoured one on its preferred task", preferred, other),
      claim("c2", "The bilateral controller beats the non-preferred hand", both, other),
      claim(
        "c3",
        `The bilateral controller is as good as the preferred hand or better, within ${1000 * margin} mm`,
        both,
        preferred,
        margin,
      ),
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
