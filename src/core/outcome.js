// What a study keeps of one subject on one sample. Comparisons are made from these and nothing else.
export {};
