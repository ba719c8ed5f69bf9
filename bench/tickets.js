// Support tickets as from a help desk, generated from a seed: short texts with five unbalanced labels, whose greetings,
// products and closings carry no information about the label. Real tickets cannot be published.

import { randomFor } from "../dist/index.js";

const labels = {
  billing: [
    9,
    [
      "I was charged twice for {month}",
      "the invoice for {month} shows {product} although we cancelled it",
      "why did the price go up on my last statement",
      "please refund the {amount} that left my account yesterday",
      "our VAT number is missing from the receipt",
      "the discount code was not taken off the total",
      "can I pay by bank transfer instead of card",
      "your reminder says we owe {amount} but it was paid in {month}",
    ],
  ],
  bug: [
    6,
    [
      "{product} crashes whenever I open a large file",
      "the export button does nothing since the update",
      "dates in the {product} table are a day off",
      "I get error {number} when saving",
      "search returns nothing although the entry is there",
      "the page stays white after {month}'s release",
      "notifications arrive three times",
      "uploads hang at ninety-nine percent",
    ],
  ],
  access: [
    4,
    [
      "I cannot log in any more, the reset mail never comes",
      "my colleague needs the administrator role for {product}",
      "the code from my phone is refused",
      "please unlock my user, I typed it wrong too often",
      "single sign-on sends me round in a circle",
      "somebody left the company, remove their seat in {product}",
      "how do I change the address that I sign in with",
      "I am told that my session expired every few minutes",
    ],
  ],
  feature: [
    3,
    [
      "it would help us to have a dark mode in {product}",
      "could you add an export to spreadsheets",
      "we would love to sort the list by customer",
      "is there a plan for a mobile version of {product}",
      "please let us schedule reports every {month}",
      "a keyboard shortcut for closing would save us hours",
      "can templates be shared between teams in future",
      "we miss a way to merge two entries",
    ],
  ],
  delivery: [
    3,
    [
      "the parcel with {product} has not moved since {month}",
      "I received the wrong size",
      "half of the order was missing from the box",
      "the courier left it in the rain",
      "can you send it to our other office instead",
      "tracking number {number} is unknown to the carrier",
      "the case of {product} arrived broken",
      "when will the back-ordered part be sent out",
    ],
  ],
};
const openings = [
  "Hi,",
  "Hello team,",
  "Good morning,",
  "Hey there,",
  "Dear support,",
  "",
  "Sorry to bother you again,",
  "Urgent:",
];
const middles = [
  "",
  "We have used {product} since {month}.",
  "This is the second time I write.",
  "I looked through the help pages first.",
  "My customer number is {number}.",
  "It is for our office in {city}.",
];
const closings = [
  "",
  "Thanks!",
  "Kind regards, {name}",
  "Please answer soon.",
  "Best, {name}",
  "Many thanks from {city}",
];
const slots = {
  month: ["January", "March", "April", "June", "July", "September", "October", "December"],
  product: ["Atlas", "the planner", "Northwind", "the scanner", "Ledger Pro", "the mobile kit"],
  amount: ["49 euros", "$120", "18.90", "two thousand", "£35"],
  city: ["Graz", "Lyon", "Leeds", "Porto", "Malmö"],
  name: ["Ana", "Tom", "Priya", "J. Weber", "Olu", "Mette"],
};

/** `count` rows of `id`, `text` and `label`; no text occurs twice. */
export function tickets(count, seed) {
  const random = randomFor(seed, "tickets");
  const draw = (list) => list[Math.floor(random() * list.length)];
  const total = Object.values(labels).reduce((sum, [weight]) => sum + weight, 0);
  const drawLabel = () => {
    let at = random() * total;
    return Object.keys(labels).find((label) => {
      at -= labels[label][0];
      return at < 0;
    });
  };
  const fill = (text) =>
    text.replace(/\{(\w+)\}/g, (_, slot) =>
      slot === "number" ? String(1000 + Math.floor(random() * 9000)) : draw(slots[slot]),
    );
  const texts = new Map();
  while (texts.size < count) {
    const label = drawLabel();
    const sentence = draw(labels[label][1]);
    const parts = [draw(openings), draw(middles), `${sentence}.`, draw(closings)];
    // Half of the tickets begin with their subject.
    if (random() < 0.5) [parts[1], parts[2]] = [parts[2], parts[1]];
    texts.set(fill(parts.filter(Boolean).join(" ")), label);
  }
  return [...texts].map(([text, label], i) => ({ id: `t${i}`, text, label }));
}
