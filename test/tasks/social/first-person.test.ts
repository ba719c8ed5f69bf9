// Third person to first by rule: agreement, pronouns, options, and what is refused.

import { describe, expect, it } from "vitest";
import { restore, type Told, toFirstPerson } from "../../../src/tasks/social/first-person.js";
import { agreeing } from "../../../src/tasks/social/grammar.js";
import { compromiseTagger } from "../../../src/tasks/social/tagger.js";

function firstPerson(story: string, question: string, who: string, options: readonly string[] = []): Told {
  const converted = toFirstPerson({ story, question, options }, who, compromiseTagger);
  if ("refused" in converted) throw new Error(converted.refused);
  expect(restore(converted.told, converted.lineage)).toEqual({ story, question, options });
  return converted.told;
}

describe("the first person by rule", () => {
  it.each([
    ["sees", "see", "see"],
    ["is", "are", "am"],
    ["was", "were", "was"],
    ["has", "have", "have"],
    ["Goes", "Go", "Go"],
    ["tries", "try", "try"],
    ["lies", "lie", "lie"],
    ["passes", "pass", "pass"],
    ["closes", "close", "close"],
    ["doesn't", "don't", "don't"],
    ["saw", undefined, undefined],
    ["always", undefined, undefined],
    ["across", undefined, undefined],
  ])("%s agrees as %s with you and as %s with I", (word, you, me) => {
    expect(agreeing(word, "you")).toBe(you);
    expect(agreeing(word, "I")).toBe(me);
  });

  it("lowers the order of a question about another's mind", () => {
    const told = firstPerson(
      "Paula and Jim are in the hall. Paula leaves the hall.",
      "Where does Paula think that Jim looks for the ball?",
      "Paula",
    );
    expect(told.story).toBe("You and Jim are in the hall. You leave the hall.");
    expect(told.question).toBe("Where do you think that Jim looks for the ball?");
  });

  it("makes a question about a character one about oneself, and options speak as I", () => {
    const told = firstPerson(
      "Xiao Tan opens a parcel on her birthday and finds the coat that she has wanted for months.",
      "What is Xiao Tan's emotion?",
      "Xiao Tan",
      ["Xiao Tan is glad", "She regrets her wish", "Nothing at all", "Her coat bores her"],
    );
    expect(told.story).toBe(
      "You open a parcel on your birthday and find the coat that you have wanted for months.",
    );
    expect(told.question).toBe("What is your emotion?");
    expect(told.options).toEqual(["I am glad", "I regret my wish", "Nothing at all", "My coat bores me"]);
  });

  it.each([
    ["Ben sees a dog, picks it up and carries it home.", "You see a dog, pick it up and carry it home."],
    ["Ben often walks here because his knee hurts.", "You often walk here because your knee hurts."],
    ["Ben, who loves jazz, was late.", "You, who love jazz, were late."],
    ["The teacher praises Ben. Ben's eyes shine.", "The teacher praises you. Your eyes shine."],
    ["Ben knows that Carla likes tea and hates milk.", "You know that Carla likes tea and hates milk."],
    ['Carla says: "Ben is my friend." Ben smiles.', 'Carla says: "Ben is my friend." You smile.'],
    [
      "Carla and Ben are at the lake. They see a boat.",
      "Carla and you are at the lake. You both see a boat.",
    ],
    [
      "Ben hurts himself and looks at himself in the glass.",
      "You hurt yourself and look at yourself in the glass.",
    ],
    ["The rope in the hands of Ben is old.", "The rope in the hands of you is old."],
  ])("%s", (third, first) => {
    expect(firstPerson(third, "What does Ben do?", "Ben").story).toBe(first);
  });

  it.each([
    ["Ben meets Karl at the station. He is tired.", /ambiguous pronoun/],
    ["The station is empty.", /not in the story/],
    ["The old porter Ben carries trunks, and a passenger Ben knows waits.", /title before the name/],
    ["In the hall the doctor talks to Nurse Ben.", /title before the name: Nurse/],
    ["On the hill lives a robot named Ben.", /title before the name: named/],
    ["The teacher asks Ben to sing. When the teacher asks him again, Ben sings.", /ambiguous pronoun/],
    [
      "The hairdresser cuts the hair of Ben. Ben looks at his hair. The hairdresser sees that he cries.",
      /ambiguous pronoun/,
    ],
    ["Ben walks home with his mother. At the door Anna greets her mother.", /pronoun is left/],
  ])("refuses rather than guesses: %s", (story, why) => {
    const converted = toFirstPerson(
      { story, question: "What does Ben do?", options: [] },
      "Ben",
      compromiseTagger,
    );
    expect(converted).toMatchObject({ refused: expect.stringMatching(why) });
  });

  it.each([
    ["What do you think Ben thinks?", /what you think you think/],
    ["Is the Ben family glad?", /title before the name/],
  ])("refuses what cannot be asked of you: %s", (question, why) => {
    const story = "Ben sees a dog.";
    expect(toFirstPerson({ story, question, options: [] }, "Ben", compromiseTagger)).toMatchObject({
      refused: expect.stringMatching(why),
    });
  });

  it("agrees in a question that names somebody by a title", () => {
    expect(firstPerson("Ben meets Mr. Wang.", "How does Ben greet Mr. Wang?", "Ben").question).toBe(
      "How do you greet Mr. Wang?",
    );
  });

  it("finds a name however it is spaced, and not within another", () => {
    const told = firstPerson("Xiaotan and Xiaotania play. Xiao Tan wins.", "Who wins?", "Xiao Tan");
    expect(told.story).toBe("You and Xiaotania play. You win.");
  });
});
