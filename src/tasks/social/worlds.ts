// The invented worlds of the new-world scenario, each with its own beings, colours, weather, money, week and customs. They are the
// same for every seed of items and never change between items.

import { randomFor, shuffled } from "../../core/random.js";
import { ruleOf } from "./customs.js";
import { type Custom, customsList } from "./customs-list.js";
import { between, listed, some } from "./generator.js";

/** Kinds of movement, and the beings that move so. For every kind one being lives in a world, and nobody there knows the others. */
export const movements = [
  ["flaps both arms up and down", ["eagle", "butterfly", "bat", "heron", "moth"]],
  ["slides forward on the belly", ["snake", "seal", "slug", "eel", "worm"]],
  ["hops on both feet with knees bent", ["frog", "kangaroo", "hare", "cricket", "sparrow"]],
  ["crawls on all fours with fingers bent", ["crab", "spider", "beetle", "scorpion", "lizard"]],
  ["stamps on the ground with the head lowered", ["bull", "bison", "goat", "rhinoceros", "ram"]],
  ["waddles along with stiff arms", ["penguin", "duck", "goose", "puffin", "gull"]],
  ["opens a round mouth again and again", ["carp", "trout", "salmon", "herring", "perch"]],
  ["steals along on silent toes", ["cat", "lion", "tiger", "panther", "lynx"]],
  ["howls with the head thrown back", ["wolf", "dog", "coyote", "jackal", "husky"]],
  ["hangs from a beam by one arm", ["monkey", "gibbon", "sloth", "orangutan", "chimpanzee"]],
] as const; // biome-ignore format: a list

export const feelings = ["joy", "fear", "anger", "sorrow", "pride"] as const;
const colours = ["green", "violet", "orange", "silver", "brown"] as const;
const weathers = ["rain", "hail", "fog", "a north wind", "a red sun"] as const;
const goods = [
  ["pearl", "shell", "comb"], ["feather", "lamp", "broom"], ["bead", "rope", "bowl"], ["disc", "cloak", "spoon"], ["horn", "kite", "needle"],
] as const; // biome-ignore format: a list
const weeks = [
  ["Ama", "Bri", "Cul", "Dorn", "Elt"], ["Fira", "Golt", "Hesk", "Imra", "Jun"], ["Kest", "Lorn", "Mirr", "Nalt", "Opal"],
  ["Pirn", "Quell", "Rund", "Silt", "Torv"], ["Ulm", "Vesk", "Wirr", "Yort", "Zand"],
] as const; // biome-ignore format: a list

const lands = [
  ["Nerith", "an underwater city of robots"], ["Calder", "a town in the crown of one tree"], ["Osmia", "a hollow moon"],
  ["Veld", "a glacier with streets in it"], ["Tamsin", "a raft of a thousand boats"], ["Ruun", "a desert of glass"],
  ["Ilvar", "a cloud that carries houses"], ["Pomar", "an orchard without an end"], ["Skarn", "a mine that people live in"],
  ["Lethe", "a lake on the back of a giant"], ["Dovin", "a library as large as a land"], ["Harrow", "a road that never stops"],
  ["Mistral", "a city of windmills"], ["Korin", "a reef above the waves"], ["Bask", "a valley with two suns"],
  ["Aldune", "a castle made of salt"], ["Brimm", "an island that swims"], ["Cinder", "a village in a quiet volcano"],
  ["Drell", "a tower without a top"], ["Eskar", "a bridge between two stars"], ["Fennow", "a swamp of warm milk"],
  ["Gant", "a harbour for flying ships"], ["Hollin", "a forest of paper"], ["Isper", "a cave full of lanterns"],
  ["Jarrow", "a carpet as wide as a country"], ["Kelp", "a garden at the bottom of the sea"], ["Luma", "a town inside a snowflake"],
  ["Marn", "a mountain that hums"], ["Nivel", "a staircase with a house on each step"], ["Orrin", "a city inside a clock"],
  ["Peth", "a beach of blue sand"], ["Quarn", "a canyon full of echoes"], ["Rilla", "a river that flows upwards"],
  ["Sorrel", "a meadow on a whale"], ["Tarn", "a fortress of ice and copper"], ["Umber", "a street that is a circle"],
  ["Vantor", "a market that never closes"], ["Wick", "a town of candles"], ["Xandre", "a palace of mirrors"],
  ["Yarrow", "a nest as large as a city"], ["Zephra", "a kite with a village on it"], ["Arvel", "a cellar below the world"],
  ["Bolder", "a wall with doors to everywhere"], ["Corvo", "a ship in a bottle"], ["Dunmar", "a field of talking stones"],
] as const; // biome-ignore format: a list

export interface InventedWorld {
  name: string;
  what: string;
  /** The being of each kind of movement. */
  beings: readonly string[];
  /** Colour and weather of each feeling. */
  colour: readonly string[];
  weather: readonly string[];
  goods: readonly [string, string, string];
  /** How many of the second good buy one of the first, and how many of the third one of the second. */
  rates: readonly [number, number];
  week: readonly string[];
  customs: readonly { custom: Custom; actions: readonly string[] }[];
}

/** The worlds. Over all of them each being, colour and weather occurs equally often. */
export const worlds: readonly InventedWorld[] = lands.map(([name, what], i) => {
  const random = randomFor(0, "new-world", name);
  const turn = <T>(list: readonly T[], by: number): T[] =>
    list.map((_, k) => list[(k + by) % list.length] as T);
  const group = i % 5;
  const round = Math.floor(i / 5);
  return {
    name,
    what,
    beings: movements.map(
      ([, beings], k) =>
        shuffled(beings, randomFor(0, "beings", round * movements.length + k))[group] as string,
    ),
    colour: turn(shuffled(colours, randomFor(0, "colours", round)), group),
    weather: turn(shuffled(weathers, randomFor(0, "weathers", round)), group),
    goods: goods[group] as readonly [string, string, string],
    rates: [between(random, 2, 5), between(random, 2, 6)],
    week: shuffled(weeks[(i * 2) % 5] as readonly string[], random),
    customs: some(random, customsList, 4).map((custom) => ({
      custom,
      actions: shuffled(custom.actions, random),
    })),
  };
});

/** The facts of a world as text, each separately: to check that no two items contradict each other. */
export function factsOf(
  world: InventedWorld,
): Record<"beings" | "colours" | "weathers" | "money" | "week", string> & { customs: string[] } {
  const [first, second, third] = world.goods;
  return {
    beings: `The only creatures there, and the only ones that anybody has heard of, are ${listed(world.beings.map((being) => `the ${being}`))}.`,
    colours: `Whoever feels something takes on a colour: ${world.colour.map((colour, i) => `${colour} for ${feelings[i]}`).join(", ")}.`,
    weathers: `The weather decides what everybody feels: ${world.weather.map((weather, i) => `${weather} brings ${feelings[i]}`).join(", ")}.`,
    money: `A ${first} buys ${world.rates[0]} ${second}s, and a ${second} buys ${world.rates[1]} ${third}s; there is no other money.`,
    week: `The week has five days: ${listed(world.week)}, and then ${world.week[0]} again.`,
    customs: world.customs.map(
      ({ custom, actions }) => `By custom ${ruleOf(custom, actions).replace(/^O/, "o")}.`,
    ),
  };
}
