// The papers that `hone reproduce` knows. A new one needs one folder and one line here.

import { bilateral } from "./bilateral/paper.js";
import { deepseekmoe } from "./deepseekmoe/paper.js";
import { egosocialarena } from "./egosocialarena/paper.js";
import { lawma } from "./lawma/paper.js";
import { lexical } from "./lexical/paper.js";
import { medprompt } from "./medprompt/paper.js";
import type { PaperEntry } from "./paper.js";
import { selfSpecialization } from "./self-specialization/paper.js";

export const papers: readonly PaperEntry[] = [
  lawma,
  medprompt,
  selfSpecialization,
  lexical,
  egosocialarena,
  deepseekmoe,
  bilateral,
];
