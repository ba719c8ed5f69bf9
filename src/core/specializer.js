// A specializer maps a subject to a subject of the same kind. It does so in two steps, and that split is what makes a
// specialist resumable, savable and servable: `fit` learns a state (plain JSON) from train and dev; `apply` turns a
// subject and that state into the specialist, deterministically and without the data.
export {};
