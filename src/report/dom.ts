// The few parts of the DOM that the report's script uses, as types. Not the DOM's own types: those would become global
// for the whole program, where nothing else may touch a document.

export interface Element {
  textContent: string;
  className: string;
  hidden: boolean;
  value: string;
  checked: boolean;
  nextElementSibling: Element | null;
  dataset: Record<string, string | undefined>;
  append(...children: (Element | string)[]): void;
  replaceChildren(...children: (Element | string)[]): void;
  after(sibling: Element): void;
  remove(): void;
  setAttribute(name: string, value: string): void;
  addEventListener(type: string, listener: () => void): void;
  querySelectorAll(selector: string): Iterable<Element>;
}

export interface Document {
  createElement(name: string): Element;
  createElementNS(space: string, name: string): Element;
  getElementById(id: string): Element | null;
  querySelectorAll(selector: string): Iterable<Element>;
}
