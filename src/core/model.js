// What a model can do, as capabilities: write, score, embed, open its weights. A model has those that it is able to, and no
// others. Every call either comes back whole or throws a `CallError` that says why.
export {};
