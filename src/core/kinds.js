// The kinds of subjects: what each is asked, what it replies, what it stands on. Tasks and specializers are written for one
// kind, or for any.
const all = { language: true, encoder: true, motor: true };
export const kinds = Object.keys(all);
