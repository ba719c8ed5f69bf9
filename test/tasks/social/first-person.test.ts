// Third person to first by rule: agreement, pronouns, options, and what is refused.

import { describe, expect, it } from "vitest";
import { restore, toFirstPerson } from "../../../src/tasks/social/first-person.js";
import { agreeing } from "../../../src/tasks/social/grammar.js";
import { compromiseTagger } from "../../../src/tasks/social/tagger.js";
import type { Told } from "../../../src/tasks/social/told.js";

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
    ["The rope in the hands of Ben is old.", "The rope in your hands is old."],
    ["Two cousins of Ben marry today.", "Two cousins of yours marry today."],
    ["Carla drops the vase of Ben.", "Carla drops your vase."],
    [
      "Ben stands before Carla and no longer knows the name.",
      "You stand before Carla and no longer know the name.",
    ],
    ["Ben has found the cat, and all is well.", "You have found the cat, and all is well."],
    ["Carla gives a cup to Ben, who leaves for years.", "Carla gives a cup to you, who leave for years."],
    [
      "Ben, whom nobody there has ever met, gives a cup to Carla.",
      "You, whom nobody there has ever met, give a cup to Carla.",
    ],
    [
      "Carla, who commands the ship on which Ben serves, asks Ben to tea.",
      "Carla, who commands the ship on which you serve, asks you to tea.",
    ],
    [
      'Ben feels a bit down, but still smiles and responds: "Oh, is it? Happy birthday."',
      'You feel a bit down, but still smile and respond: "Oh, is it? Happy birthday."',
    ],
    [
      'Ben says, "Dad, does the pet store open? I like animals, especially dogs."',
      'You say, "Dad, does the pet store open? I like animals, especially dogs."',
    ],
    [
      "Ben, with a smile on his face, hands Carla a gift.",
      "You, with a smile on your face, hand Carla a gift.",
    ],
    [
      "Ben, who loves bananas the most, picks up a banana and puts it to his ear.",
      "You, who love bananas the most, pick up a banana and put it to your ear.",
    ],
    [
      "The town talks, and Ben, in order to avoid doubts, says to everyone that it hides.",
      "The town talks, and you, in order to avoid doubts, say to everyone that it hides.",
    ],
    [
      "Ben looks at the piece, then glances at Carla, then nods.",
      "You look at the piece, then glance at Carla, then nod.",
    ],
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
    ["Li Hua's kitchen has apples. He tells Ben that he eats most of them. Ben counts.", /ambiguous pronoun/],
    ["The school bully runs past Ben. Suddenly he slips. Ben thinks he gets it.", /ambiguous pronoun/],
    [
      'Karl is late. When Karl sits down, he is upset. Ben sees his face and says to him: "Well."',
      /ambiguous pronoun/,
    ],
    [
      "Mom comes home, and Ben sings because he likes it. Mom asks Ben if she wants tea.",
      /ambiguous pronoun|he and she/,
    ],
    ["Karl only expresses his thanks for her help. Ben smiles.", /ambiguous pronoun/],
    ["Karl comes late. His boss, Ben, calls Karl and says nothing.", /apposition/],
    ["The teacher tells a student, Ben, that it rains.", /apposition/],
    ["It is debater Ben's turn to speak.", /title before the name: debater/],
    [
      "Ben excitedly comes to the office, sees Carla is organizing files, and happily says a word.",
      /yours or another/,
    ],
    [
      "Ben, while cleaning the room because Carla, the boss, is out, mistakes it.",
      /interrupted|yours or another/,
    ],
    ["Ben and Karl play in a match. A coach sees them.", /plural/],
    ["Ben is at home. Karl winks at Ben, and both of them laugh.", /plural/],
    ['Ben says "does not go out".', /third person/],
    ['Ben asks: "Is the "Odyssey" here?"', /quotation mark/],
    ["Ben is a small robot. It lives on a moon.", /pronoun is left/],
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

  it.each([
    ["Ben promises to treat him to a big meal", /option/],
    ["Karl's smile is a way to encourage him", /option/],
  ])("refuses an option whose object may be another: %s", (option, why) => {
    const story = "Ben and Karl are roommates. Ben needs a suit.";
    const told = { story, question: "How does Ben persuade Karl?", options: [option, "Nothing"] };
    expect(toFirstPerson(told, "Ben", compromiseTagger)).toMatchObject({
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
