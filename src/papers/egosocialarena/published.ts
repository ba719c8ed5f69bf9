// Published figures of EgoSocialArena and its reviews (arXiv 2410.06195 v1; ICLR 2025 submission b1vVm6Ldrd). The full
// ranking was not found in any public copy; these cells are from the reviews. Accuracies, of 1.

export const published = {
  /** ToMi, third person and first. */
  tomi: {
    "claude-3-5-sonnet": { third: 0.71, first: 0.805 },
    "gpt-4-turbo": { third: 0.554, first: 0.697 },
    human: { third: 0.902, first: 0.902 },
  },
  counterfactual: { "o1-preview": 0.9, "gpt-3.5-turbo": 0.37 },
  newWorld: { "claude-3-5-sonnet": 0.9, "llama-3-8b-chat": 0.067 },
} as const;
