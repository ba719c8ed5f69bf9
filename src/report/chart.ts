// Small drawing helpers for SVG that stretches with its column: x in percent, y in pixels, text at its own size.
// Colours and line styles are classes of the style sheet, so that one drawing serves light, dark and paper.

import { type Html, html } from "./escape.js";

/** A linear or logarithmic axis with round ticks. `at` gives percent of the width. */
export interface Axis {
  ticks: number[];
  at: (value: number) => number;
}

/** A linear axis over exactly [low, high] with about `count` round ticks inside; `inset` percent stay free at both ends. */
export function linearAxis(low: number, high: number, count = 5, inset = 0): Axis {
  // With nothing measured yet the bounds are infinite; the axis is then 0 to 1.
  if (!Number.isFinite(low) || !Number.isFinite(high)) return linearAxis(0, 1, count, inset);
  const span = high - low > 1e-9 ? high - low : 1;
  const step = roundStep(span / count);
  const ticks: number[] = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= low + span * (1 + 1e-9); i++) {
    ticks.push(Number((i * step).toPrecision(12)) || 0);
  }
  const scale = (100 - 2 * inset) / span;
  return { ticks, at: (value) => inset + (value - low) * scale };
}

/** A logarithmic axis over positive values. Zero has a place of its own at the left edge when `zero` is set. */
export function logAxis(low: number, high: number, zero: boolean, inset = 4): Axis {
  const first = Math.floor(Math.log10(low) + 1e-9);
  const last = Math.max(first + 1, Math.ceil(Math.log10(high) - 1e-9));
  const left = zero ? 16 : inset;
  const scale = (100 - inset - left) / (last - first);
  const every = Math.max(1, Math.ceil((last - first) / 6));
  const ticks: number[] = zero ? [0] : [];
  for (let power = first; power <= last; power += every) ticks.push(10 ** power);
  return { ticks, at: (value) => (value <= 0 ? inset : left + (Math.log10(value) - first) * scale) };
}

function roundStep(raw: number): number {
  const power = 10 ** Math.floor(Math.log10(raw));
  const unit = raw / power;
  return power * (unit <= 1 ? 1 : unit <= 2 ? 2 : unit <= 2.5 ? 2.5 : unit <= 5 ? 5 : 10);
}

/** A coordinate with no more digits than a screen can show. */
export function px(value: number): string {
  return Number.isFinite(value) ? String(Math.round(100 * value) / 100) : "0";
}

export function canvas(height: number, content: (Html | false)[], label?: string): Html {
  return label
    ? html`<svg class="canvas" height="${px(height)}" role="img" aria-label="${label}">${content}</svg>`
    : html`<svg class="canvas" height="${px(height)}" aria-hidden="true">${content}</svg>`;
}

export function vertical(x: number, y1: number, y2: number, style: string): Html {
  return html`<line class="${style}" x1="${px(x)}%" x2="${px(x)}%" y1="${px(y1)}" y2="${px(y2)}"/>`;
}

export function horizontal(x1: number, x2: number, y: number, style: string): Html {
  return html`<line class="${style}" x1="${px(x1)}%" x2="${px(x2)}%" y1="${px(y)}" y2="${px(y)}"/>`;
}

export type Anchor = "start" | "middle" | "end";

/** Text at x percent and y pixels, moved by `dx` pixels. */
export function words(text: string, x: number, y: number, anchor: Anchor, style = "", dx = 0): Html {
  return html`<text class="${style}" x="${px(x)}%" y="${px(y)}" dx="${px(dx)}" text-anchor="${anchor}">${text}</text>`;
}

export type Shape = "generalist" | "specialist" | "reference";

const outlines: Record<Shape, string> = {
  generalist: "M-4.5-4.5h9v9h-9z",
  specialist: "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0z",
  reference: "M0-6L6 0L0 6L-6 0z",
};

/** A subject's mark: square for the generalist, disc for specialists, diamond for references; the champion wears a ring. */
export function mark(x: number, y: number, shape: Shape, champion = false): Html {
  const ring = champion && html`<circle class="ring" r="8.5"/>`;
  return html`<svg x="${px(x)}%" y="${px(y)}" class="at">${ring}<path class="mark ${shape}" d="${outlines[shape]}"/></svg>`;
}

/** The same mark for a legend or a table cell, 18 pixels square. */
export function glyph(shape: Shape, champion = false): Html {
  const ring = champion && html`<circle class="ring" r="8"/>`;
  return html`<svg class="glyph" width="18" height="18" viewBox="-9 -9 18 18" aria-hidden="true">${ring}<path class="mark ${shape}" d="${outlines[shape]}"/></svg>`;
}

/** A small hollow circle: what was expected before test was opened. */
export function hollow(x: number, y: number): Html {
  return html`<svg x="${px(x)}%" y="${px(y)}" class="at"><circle class="hollow" r="3"/></svg>`;
}

export interface Label {
  text: string;
  /** Percent of the width. */
  x: number;
  /** Pixels, of the point and of the ends of its interval. */
  y: number;
  top: number;
  bottom: number;
  style: string;
}

/** Labels beside their points, on the side and at the height that hide least, with a hair line where one moved far. */
export function labels(items: readonly Label[], width: number, height: number): Html[] {
  const placed: { left: number; right: number; y: number }[] = [];
  return [...items]
    .sort((a, b) => a.y - b.y)
    .map((item) => {
      const reach = item.text.length * 6.6 + 14;
      const point = (item.x / 100) * width;
      const harm = (y: number, left: number): number => {
        const right = left + reach;
        let sum = Math.abs(y - item.y);
        if (left < 0 || right > width || y < 8 || y > height - 4) sum += 1000;
        for (const other of placed)
          if (Math.abs(other.y - y) < 14 && other.left < right && other.right > left) sum += 500;
        for (const other of items) {
          const x = (other.x / 100) * width;
          if (other === item || x < left - 7 || x > right + 7) continue;
          if (Math.abs(other.y - y) < 13) sum += 200;
          else if (y > other.top - 5 && y < other.bottom + 5) sum += 9;
        }
        return sum;
      };
      let best = { y: item.y, left: point, harm: Number.POSITIVE_INFINITY };
      for (let step = -12; step <= 12; step++) {
        for (const left of [point, point - reach]) {
          const y = item.y + 7 * step;
          const here = harm(y, left);
          if (here < best.harm) best = { y, left, harm: here };
        }
      }
      placed.push({ left: best.left, right: best.left + reach, y: best.y });
      const end = best.left < point;
      const side = end ? -12 : 12;
      const far = Math.abs(best.y - item.y) > 8;
      const line = `M${px(side / 2)} ${px((best.y - item.y) / 2)}L${px(side)} ${px(best.y - item.y)}`;
      const leader = html`<svg x="${px(item.x)}%" y="${px(item.y)}" class="at"><path class="leader" d="${line}"/></svg>`;
      return html`${far && leader}${words(item.text, item.x, best.y + 4, end ? "end" : "start", item.style, side)}`;
    });
}
