// The kinds of subjects: for each, what it is asked, what it replies and the model that it runs on. Tasks and specializers
// are written for one kind, or for any.

import type { CallContext } from "./call.js";
import type { Answer, Query } from "./language.js";
import type { Encoder, LanguageModel } from "./model.js";
import type { Body, MotorTrial, Movement } from "./motor.js";
import type { Net, TextAsk, TextReply } from "./text.js";

/** One vector per text, in order. */
export type Vectors = readonly (readonly number[])[];

/** By kind: what a subject is asked, what it replies, and the model that it runs on. */
export interface Kinds {
  language: { ask: Query; reply: Answer; model: LanguageModel };
  encoder: { ask: readonly string[]; reply: Vectors; model: Encoder };
  motor: { ask: MotorTrial; reply: Movement; model: Body };
  text: { ask: TextAsk; reply: TextReply; model: Net };
}

/** The name of a kind of subject. */
export type Kind = keyof Kinds;

const all: Record<Kind, true> = { language: true, encoder: true, motor: true, text: true };
/** The names of all kinds. */
export const kinds = Object.keys(all) as readonly Kind[];

/** Anything whose skill can be measured: a model with a way of querying it, or a stand-in for one. */
export type Subject<K extends Kind = Kind> = K extends Kind ? SubjectOf<K> : never;

interface SubjectOf<K extends Kind> {
  readonly kind: K;
  readonly name: string;
  /** Fingerprint of everything that decides its replies. */
  readonly id: string;
  /** The model that it runs on; absent for references such as `majority`. */
  readonly model?: Kinds[K]["model"];
  respond(ask: Kinds[K]["ask"], context: CallContext): Promise<Kinds[K]["reply"]>;
}

/** A subject that answers queries: a language model with a way of prompting it, or a stand-in for one. */
export type LanguageSubject = Subject<"language">;
/** A subject that embeds texts. */
export type EncoderSubject = Subject<"encoder">;
/** A subject that moves a body: a controller with its weights. */
export type MotorSubject = Subject<"motor">;
