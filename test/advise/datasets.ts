// Data sets as analysts have them, prepared for nobody: written anew for each test, with near-duplicates, gaps and odd spellings.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Random, randomFor } from "../../src/core/random.js";

export type Row = Record<string, unknown>;

const nouns =
  "invoice login router contract parcel keyboard password refund charger account meeting licence monitor payment delivery printer session backup voucher upgrade".split(
    " ",
  );
const verbs = "arrived failed vanished stopped doubled changed expired crashed moved froze".split(" ");
const times = "yesterday,on Monday,last week,after the update,this morning,since March,twice,again".split(
  ",",
);

const pick = <T>(items: readonly T[], random: Random): T => items[Math.floor(random() * items.length)] as T;

/** A few sentences that no other call repeats. */
export function sentences(random: Random, count = 3): string {
  const word = () => `${pick(nouns, random)}${Math.floor(random() * 1e5)}`;
  return Array.from(
    { length: count },
    () =>
      `The ${word()} ${pick(verbs, random)} ${pick(times, random)} and the ${word()} ${pick(verbs, random)} too.`,
  ).join(" ");
}

export function writeJsonLines(folder: string, name: string, rows: readonly Row[]): string {
  writeFileSync(join(folder, name), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  return name;
}

export function writeCsv(folder: string, name: string, rows: readonly Row[]): string {
  const cell = (value: unknown) => {
    const text = value === null || value === undefined ? "" : String(value);
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const fields = Object.keys(rows[0] as Row);
  const lines = [fields, ...rows.map((row) => fields.map((field) => row[field]))];
  writeFileSync(join(folder, name), lines.map((line) => `${line.map(cell).join(",")}\n`).join(""));
  return name;
}

/** Support tickets: customers with several tickets each, a fifth of them near-duplicates of another customer's. */
export function tickets(rows = 400): Row[] {
  const random = randomFor(7, "tickets");
  const teams = ["Billing", "Access", "Hardware", "Shipping"];
  const bodies: string[] = [];
  return Array.from({ length: rows }, (_, i) => {
    const copied = i > 20 && random() < 0.2;
    const body = copied ? `${bodies[Math.floor(random() * i)]} Thanks, case ${i}.` : sentences(random, 4);
    bodies.push(body);
    const team = pick(teams, random);
    return {
      ticket_id: `T-${10_000 + i}`,
      created_at: `2026-03-${String(1 + (i % 28)).padStart(2, "0")} 09:${String(i % 60).padStart(2, "0")}`,
      customer_id: `C${100 + Math.floor(random() * 90)}`,
      channel: pick(["mail", "phone", "web"], random),
      subject: `${team} trouble with the ${pick(nouns, random)}`,
      body,
      agent_reply: `We passed it to ${team}.`,
      team,
    };
  });
}

const subjects = ["biology", "law", "history"];

/** Exam questions with a column for each option; the answer is a letter. */
export function examColumns(rows = 240): Row[] {
  const random = randomFor(8, "exam");
  return Array.from({ length: rows }, (_, i) => {
    const options = Array.from(
      { length: 4 },
      () => `the ${pick(nouns, random)} ${Math.floor(random() * 1e6)}`,
    );
    return {
      no: i,
      question: `Which one ${pick(verbs, random)} when ${sentences(random, 1)}`,
      option_a: options[0],
      option_b: options[1],
      option_c: options[2],
      option_d: i % 9 === 0 ? "" : options[3],
      answer: "ABC"[i % 3],
      explanation: sentences(random, 1),
      topic: subjects[i % 3],
    };
  });
}

/** Exam questions as JSON lines with a list of choices; the answer is an index from 0. */
export function examList(rows = 240): Row[] {
  const random = randomFor(9, "list");
  return Array.from({ length: rows }, (_, i) => ({
    id: `q${i}`,
    question: `Why had it ${pick(verbs, random)}? ${sentences(random, 1)}`,
    choices: Array.from(
      { length: 3 + (i % 3) },
      () => `${pick(nouns, random)} ${Math.floor(random() * 1e6)}`,
    ),
    answer: i % 3,
  }));
}

/** Several tasks in one file, each with labels of its own; texts occur once in each. */
export function severalTasks(rows = 360): Row[] {
  const random = randomFor(10, "tasks");
  const labels: Record<string, string[]> = {
    tone: ["polite", "rude"],
    urgency: ["today", "this week", "some day"],
    topic: ["money", "people", "things"],
  };
  const names = Object.keys(labels);
  return Array.from({ length: rows }, (_, i) => {
    const task = names[i % 3] as string;
    return { task, text: sentences(random, 2), label: pick(labels[task] as string[], random) };
  });
}

/** Labels as people type them: mixed case, spaces, and some not given. */
export function mixedLabels(rows = 300): Row[] {
  const random = randomFor(11, "mixed");
  const spellings = [
    "positive",
    "Positive",
    " POSITIVE ",
    "negative",
    "Negative",
    "neither  one",
    "Neither one",
  ];
  return Array.from({ length: rows }, (_, i) => ({
    "Review Text": sentences(random, 2),
    Stars: 1 + (i % 5),
    Sentiment: i % 12 === 0 ? "" : i % 12 === 1 ? "  " : pick(spellings, random),
  }));
}
