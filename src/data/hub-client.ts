// HTTP client for the Hugging Face Hub: retries for a busy server, a size limit on listings, a token that is sent
// nowhere else, and one error for every failure. hub.ts decides what is requested.

import { setTimeout as sleep } from "node:timers/promises";
import { HubApiError } from "@huggingface/hub";
import { HoneError, messageOf } from "../core/errors.js";
import type { SourceOptions } from "./sources.js";

/** Attempts before a server's failure counts. */
export const tries = 4;
/** Longest time without data, in milliseconds. */
export const stallMs = 60_000;
const maxListingBytes = 64 * 1024 * 1024;

export interface HubClient {
  params: { hubUrl: string; fetch: typeof fetch; accessToken?: string };
  /** Runs a request and turns whatever it throws into one HoneError. */
  guard<T>(run: () => Promise<T>): Promise<T>;
}

export function hubClient(ref: string, options: SourceOptions): HubClient {
  const hubUrl = (process.env.HF_ENDPOINT || "https://huggingface.co").replace(/\/+$/, "");
  const token = process.env.HF_TOKEN || undefined;
  if (!URL.canParse(hubUrl) || (token && !token.startsWith("hf_"))) {
    throw new HoneError({
      what: "Cannot reach the Hub.",
      where: token ? "HF_TOKEN" : "HF_ENDPOINT",
      why: URL.canParse(hubUrl) ? "a token begins with hf_" : "it is not an address",
      next: "Correct or unset the variable.",
      kind: "usage",
    });
  }
  const origin = new URL(hubUrl).origin;
  return {
    params: {
      hubUrl,
      fetch: (input, init) => patientFetch(input, init, origin, token, options.signal),
      ...(token ? { accessToken: token } : {}),
    },
    async guard(run) {
      try {
        return await run();
      } catch (error) {
        options.signal?.throwIfAborted();
        throw error instanceof HoneError ? error : describe(error, ref, hubUrl, token !== undefined);
      }
    },
  };
}

/** fetch with retries on 429 and 5xx, a limit on listings, and a token that never leaves the Hub's origin. */
async function patientFetch(
  input: Parameters<typeof fetch>[0],
  init: RequestInit | undefined,
  origin: string,
  token: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Response> {
  const url = new URL(input instanceof Request ? input.url : String(input));
  const headers = new Headers(init?.headers);
  if (token && url.origin !== origin && headers.get("authorization") === `Bearer ${token}`)
    headers.delete("authorization");
  for (let attempt = 1; ; attempt++) {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new Error("no answer within 60 s")), stallMs);
    try {
      const response = await fetch(url, {
        ...init,
        headers,
        signal: signal ? AbortSignal.any([signal, late.signal]) : late.signal,
      });
      if ((response.status === 429 || response.status >= 500) && attempt < tries) {
        await response.body?.cancel();
        const asked = Number(response.headers.get("retry-after"));
        await sleep(
          asked > 0 ? Math.min(asked, 30) * 1000 : 250 * 2 ** attempt,
          undefined,
          signal ? { signal } : {},
        );
        continue;
      }
      return url.pathname.startsWith("/api/") ? await limited(response) : response;
    } catch (error) {
      signal?.throwIfAborted();
      if (attempt >= tries || !(error instanceof TypeError)) throw error;
      await sleep(250 * 2 ** attempt, undefined, signal ? { signal } : {});
    } finally {
      clearTimeout(timer);
    }
  }
}

async function limited(response: Response): Promise<Response> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > maxListingBytes) throw new Error("the Hub's answer exceeds 64 MiB");
    chunks.push(chunk);
  }
  const empty = response.status === 204 || response.status === 304;
  return new Response(empty ? null : Buffer.concat(chunks), {
    status: response.status,
    headers: response.headers,
  });
}

function describe(error: unknown, ref: string, hubUrl: string, hasToken: boolean): HoneError {
  const status = error instanceof HubApiError ? error.statusCode : undefined;
  const what = "Cannot fetch from the Hub.";
  if (status === 401 || status === 403) {
    const next = hasToken
      ? "Ask for access on the repository's page, or use a token that has it."
      : "Set HF_TOKEN to a token with access; a repository that does not exist answers like this too.";
    return new HoneError({ what, where: ref, why: `access refused (HTTP ${status})`, next, cause: error });
  }
  if (status === 404) {
    const next = "Check owner, name, revision and folder; models are written hf:models/owner/name/….";
    return new HoneError({ what, where: ref, why: "not found (HTTP 404)", next, cause: error });
  }
  if (status !== undefined) {
    return new HoneError({
      what,
      where: ref,
      why: `HTTP ${status} after ${tries} tries`,
      next: "Try again later.",
      cause: error,
    });
  }
  const unreachable = error instanceof TypeError;
  const inner = unreachable && error.cause ? `: ${messageOf(error.cause)}` : "";
  return new HoneError({
    what,
    where: ref,
    why: unreachable ? `${hubUrl} cannot be reached${inner}` : messageOf(error),
    next: unreachable
      ? "Check the network or HF_ENDPOINT. What was fetched before is used with HF_HUB_OFFLINE=1."
      : "Run it again; files that are complete are not fetched again.",
    cause: error,
  });
}
