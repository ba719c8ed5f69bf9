// Events that people hope for and fear: each as it is expected, as it comes true and as it fails to.

export type Happening = readonly [would: string, did: string, not: string];

/** Things of one kind, X, and what may happen to each. */
const families: readonly (readonly [kinds: readonly string[], becomes: readonly Happening[]])[] = [
  [
    ["the match", "the concert", "the picnic", "the parade", "the garden party", "the flea market", "the film night", "the race", "the poetry reading"],
    [
      ["X would be cancelled", "X was cancelled", "X took place as planned"],
      ["X would be moved indoors", "X was moved indoors", "X stayed outdoors"],
      ["X would be put off until autumn", "X was put off until autumn", "X was held in summer"],
    ],
  ],
  [
    ["the youngest cousin", "the old neighbour", "the piano teacher", "the new boss", "the man from upstairs", "the friend from Norway"],
    [
      ["X would come to stay", "X came to stay", "X stayed at home"],
      ["X would bring the drums", "X brought the drums", "X left the drums at home"],
      ["X would make a speech", "X made a speech", "X said no more than good evening"],
      ["X would ring on Sunday", "X rang on Sunday", "X never rang"],
    ],
  ],
  [
    ["the shop on the corner", "the old cinema", "the swimming pool", "the village library", "the café by the river", "the skating rink"],
    [
      ["X would close for good", "X closed for good", "X stayed open"],
      ["X would be pulled down", "X was pulled down", "X was left standing"],
      ["X would be painted pink", "X was painted pink", "X kept its old colour"],
    ],
  ],
  [
    ["on Saturday", "on the first day of the holidays", "on the day of the wedding", "on the morning of the hike"],
    [
      ["it would snow X", "it snowed X", "there was no snow X"],
      ["it would rain X", "it rained X", "it stayed dry X"],
      ["it would be very hot X", "it was very hot X", "it was rather cool X"],
    ],
  ],
  [
    ["the bus", "the ferry", "the night train", "the school coach", "the tram"],
    [
      ["X would be late", "X was late", "X was on time"],
      ["X would be full", "X was full", "X was half empty"],
      ["X would run on the holiday", "X ran on the holiday", "X did not run on the holiday"],
    ],
  ],
  [
    ["the class", "the team", "the choir", "the orchestra", "the chess club"],
    [
      ["X would be split in two", "X was split in two", "X stayed together"],
      ["X would get a new leader", "X got a new leader", "X kept its leader"],
      ["X would travel to the mountains", "X travelled to the mountains", "X went no farther than the next town"],
    ],
  ],
  [
    ["the school play"],
    [
      ["X would be on television", "X was on television", "nobody filmed X"],
      ["X would last until midnight", "X lasted until midnight", "X ended at nine"],
    ],
  ],
  [["the old oak"], [["X would be felled", "X was felled", "X was left standing"]]],
  [["the teacher"], [["X would read the essay aloud", "X read the essay aloud", "X handed the essay back unread"]]],
  [["the power"], [["X would fail at night", "X failed at night", "the lights burned all night"]]],
  [["a stranger"], [["X would take the free seat", "X took the free seat", "the seat stayed free"]]],
  [["the river"], [["X would freeze", "X froze", "X flowed as ever"]]],
  [["the letter"], [["X would be lost in the post", "X was lost in the post", "X arrived"]]],
  [["the painting"], [["X would be sold", "X was sold", "nobody bought X"]]],
  [["the dog"], [["X would find the way home", "X found the way home", "X had to be fetched by car"]]],
  [["the cake"], [["X would all be eaten", "X was all eaten", "half of X was left over"]]],
  [["the path through the field"], [["X would be shut", "X was shut", "X stayed open"]]],
]; // biome-ignore format: a list

export const happenings: readonly Happening[] = families.flatMap(([kinds, becomes]) =>
  kinds.flatMap((kind) =>
    becomes.map(([would, did, not]): Happening => {
      const of = (text: string) => text.replace("X", kind);
      return [of(would), of(did), of(not)];
    }),
  ),
);
