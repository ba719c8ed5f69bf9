// Nouns for people by relation ("mother") or by occupation.

import type { Gender } from "./grammar.js";

export const roles: Readonly<Record<string, Gender | "either">> = {
  ...each("she", "mother mom mum mommy mama grandmother grandma granny aunt auntie sister daughter granddaughter niece girl woman wife girlfriend lady queen hostess princess actress waitress bride nun"),
  ...each("he", "father dad daddy papa grandfather grandpa uncle brother son grandson nephew boy man husband boyfriend gentleman king policeman prince monk groom abbot"),
  ...each("either", "friend teacher boss colleague classmate roommate neighbor neighbour doctor manager owner assistant student coach child baby customer clerk guest nurse patient leader director partner cousin stranger someone somebody host chef waiter driver parent companion player captain expert employee judge seller artist supervisor professor tutor author actor librarian administrator guide"),
  ...each("either", "bully enemy rival competitor opponent nanny gardener firefighter prisoner scientist athlete blogger knight thief robber scoundrel traveler traveller activist conductor examiner vendor suspect teammate interviewer editor photographer resident candidate applicant kid deskmate monitor minister host buddy lover fiance fiancee spouse sibling relative grandchild elder adult teenager person toddler baker tailor cook therapist counselor tenant landlord debater tourist visitor client witness lawyer hairdresser barber carpenter musician magician speaker superior subordinate staff receptionist cashier courier pilot priest detective beggar homeowner outsider newcomer"),
  // Stories also refer to these as "he".
  ...each("either", "dog puppy cat kitten robot monkey bear rabbit fox wolf lion tiger bird horse ghost fairy wizard monster"),
}; // biome-ignore format: a list

function each<T extends string>(gender: T, words: string): Record<string, T> {
  return Object.fromEntries(words.split(" ").map((word) => [word, gender]));
}

/** Whether a word denotes a person by relation or occupation. */
export function isRole(word: string): boolean {
  return (
    Object.hasOwn(roles, word.toLowerCase()) ||
    /^[a-z]{3,}(?:person|man|woman|ist|ian|seller|keeper|worker|mate)$/.test(word) ||
    /^(?:passenger|reporter|researcher|manager|engineer|officer|ranger|trainer|designer|writer|singer|painter|dancer|farmer|worker|soldier|lawyer|dealer|sailor|mayor|chairman|secretary|intern|pupil|volunteer|chairperson|fan|vet|waitress|consultant|janitor|president|suitor)$/.test(
      word,
    )
  );
}

/** Verbs whose subject is treated as a person, whatever the noun: "the examinee nods". */
export const animateVerbs = new Set(
  "says asks thinks tells replies wants smiles nods sees walks knows hears decides answers believes hopes loves laughs cries sighs speaks whispers shouts wonders remembers forgets greets praises scolds apologizes thanks".split(
    " ",
  ),
);

/** Whether a word denotes several people, by a plural or as a collective noun. */
export function isPeople(word: string): boolean {
  return several.has(word) || (word.endsWith("s") && isRole(word.slice(0, -1)));
}

const several = new Set(
  "people children everyone everybody others team staff crowd audience grandparents men women villagers both kids members leaders colleagues".split(
    " ",
  ),
);
