// A symbolic world with people, rooms, containers and things, and each person's beliefs about it, to any depth: the ground
// truth of unexpected-transfer stories (Le, Boureau and Nickel 2019, ToMi). It reads events, never the words of a question.

/** An event in such a story. Names are strings; rooms, containers and things are named as in the story. */
export type WorldEvent =
  | { kind: "enter"; who: string; room: string }
  | { kind: "exit"; who: string }
  /** The thing is in the container, as the story says before anybody touches it. */
  | { kind: "placed"; thing: string; container: string }
  | { kind: "stands"; container: string; room: string }
  | { kind: "move"; who: string; thing: string; container: string }
  /** One person tells others, wherever they are, where a thing is now; those told believe it, and know of each other. */
  | { kind: "tell"; who: string; to: readonly string[]; thing: string }
  | { kind: "nothing" };

export interface World {
  happen(event: WorldEvent): void;
  /** Where the thing is; undefined if the story never said. */
  now(thing: string): string | undefined;
  /** Where the thing was first. */
  first(thing: string): string | undefined;
  /**
   * Where the first of `chain` thinks that the second thinks … that the thing is.
   * Someone who never learnt of the thing takes it to be where it was first, as in ToMi's labels.
   */
  belief(chain: readonly string[], thing: string): string | undefined;
}

/** @param depth the longest chain of "thinks that" that is tracked */
export function makeWorld(depth = 2): World {
  const roomOf = new Map<string, string>();
  const standsIn = new Map<string, string>();
  const places = new Map<string, string>();
  const firsts = new Map<string, string>();
  const beliefs = new Map<string, string>();
  const key = (chain: readonly string[], thing: string) => JSON.stringify([chain, thing]);

  /** All witnesses see where the thing is, and see each other see it. */
  const witnessed = (witnesses: readonly string[], thing: string): void => {
    const place = places.get(thing);
    if (place === undefined) return;
    let chains: string[][] = [[]];
    for (let length = 1; length <= depth; length++) {
      chains = chains.flatMap((chain) =>
        witnesses.filter((who) => who !== chain.at(-1)).map((who) => [...chain, who]),
      );
      for (const chain of chains) beliefs.set(key(chain, thing), place);
    }
  };
  const within = (room: string | undefined): string[] =>
    room === undefined ? [] : [...roomOf].filter(([, at]) => at === room).map(([who]) => who);
  const roomOfThing = (thing: string) => standsIn.get(places.get(thing) ?? "");

  return {
    happen(event) {
      switch (event.kind) {
        case "enter": {
          roomOf.set(event.who, event.room);
          const things = [...places.keys()].filter((thing) => roomOfThing(thing) === event.room);
          for (const thing of things) witnessed(within(event.room), thing);
          break;
        }
        case "exit":
          roomOf.delete(event.who);
          break;
        case "placed":
          places.set(event.thing, event.container);
          if (!firsts.has(event.thing)) firsts.set(event.thing, event.container);
          witnessed(within(roomOfThing(event.thing)), event.thing);
          break;
        case "stands": {
          standsIn.set(event.container, event.room);
          const things = [...places].filter(([, at]) => at === event.container).map(([thing]) => thing);
          for (const thing of things) witnessed(within(event.room), thing);
          break;
        }
        case "move": {
          places.set(event.thing, event.container);
          const room = roomOf.get(event.who);
          if (room !== undefined) standsIn.set(event.container, room);
          witnessed([...new Set([...within(room), event.who])], event.thing);
          break;
        }
        case "tell":
          witnessed([event.who, ...event.to], event.thing);
          break;
        case "nothing":
      }
    },
    now: (thing) => places.get(thing),
    first: (thing) => firsts.get(thing),
    belief: (chain, thing) => beliefs.get(key(chain, thing)) ?? firsts.get(thing),
  };
}
