// The papers that `hone reproduce` knows. A new one is one folder and one line here.

import { bilateral } from "./bilateral/paper.js";
import { deepseekmoe } from "./deepseekmoe/paper.js";
import { egosocialarena } from "./egosocialarena/paper.js";
import { lawma } from "./lawma/paper.js";
import { medprompt } from "./medprompt/paper.js";
import type { PaperEntry } from "./paper.js";

export const papers: readonly PaperEntry[] = [lawma, medprompt, egosocialarena, deepseekmoe, bilateral];
