// The right answers of transfers and rumours, by a solver that shares nothing with the generators; and what it has to find wrong.

import { describe, expect, it } from "vitest";
import { drawItems, generators, persons } from "../../../src/tasks/social/items.js";
import { type Read, readRumour, readTransfer } from "./second-solver.js";

const cases: readonly (readonly [string, (told: Read) => string])[] = [
  ["daily-tom/transfer", readTransfer],
  ["daily-self/own belief", readTransfer],
  ["daily-tom/rumour", readRumour],
];

describe("a second solver", () => {
  it.each(cases)("%s: agrees on each of 500 items in every person", { timeout: 120_000 }, (name, read) => {
    const items = drawItems(
      500,
      7,
      generators.filter((one) => one.name === name),
    );
    expect(items).toHaveLength(500);
    for (const { told, answer, id } of items)
      for (const person of persons)
        expect(read(told[person]), `${id} ${person}: ${told[person].story} ${told[person].question}`).toBe(
          told[person].options[answer],
        );
  });

  const rumour = (question: string): Read => ({
    story:
      "Lena, Mara, Farah and Omar had to settle the dish for the picnic: soup, salad or pancakes. Everybody agreed on soup. Nobody ever spoke of salad again. Later Lena changed it to pancakes and told Mara alone. Then Mara told Farah in private of the change that Lena had made. Nobody else heard of any of this.",
    question: `What does ${question} believes about the dish for the picnic?`,
    options: ["It is soup", "It is pancakes", "It is salad"],
  });
  it.each([
    ["Farah think that Lena", "It is pancakes"],
    ["Farah think that Mara", "It is pancakes"],
    ["Lena think that Farah", "It is soup"],
    ["Mara think that Lena", "It is pancakes"],
    ["Omar think that Lena", "It is soup"],
  ])("knows that who is told of a change knows who made it: %s", (question, right) => {
    expect(readRumour(rumour(question))).toBe(right);
  });

  const transfer = (question: string): Read => ({
    story:
      "Vera, Elif and Luca were in the attic. There were also a tin, a box and a bag. Everybody saw that the passport was in the tin and that the key was in the bag. Vera left the attic. Elif moved the passport to the box. Luca told Vera on the phone, in private, where the passport was. Nobody else was told anything. After that nobody touched the bag, the tin or the box.",
    question: `Where does ${question} will look for the passport?`,
    options: ["the tin", "the box", "the bag"],
  });
  it.each([
    ["Vera think that Elif", "open"],
    ["Vera think that Luca", "the box"],
    ["Elif think that Vera", "the tin"],
    ["Luca think that Vera", "the box"],
  ])("leaves open what a word on the phone leaves open: %s", (question, right) => {
    expect(readTransfer(transfer(question))).toBe(right);
  });
});
