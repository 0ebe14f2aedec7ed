import { visibleText } from "./visible-text.ts";

/** What can stand inside an element; a text becomes a text node, never markup. */
export type Child = Node | string | null | undefined | readonly Child[];

/** Attributes by name; what is false, null or undefined is left out, and true is an attribute without a value. */
export type Attributes = { readonly [name: string]: string | number | boolean | null | undefined };

type Listeners = { readonly [Type in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[Type]) => void };

const SVG = "http://www.w3.org/2000/svg";

/** An element of the page. */
export function el<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  setAttributes(element, attributes);
  append(element, children);
  return element;
}

/** An element of a drawing. */
export function svg<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[Tag] {
  const element = document.createElementNS(SVG, tag);
  setAttributes(element, attributes);
  append(element, children);
  return element;
}

/** A button that does something on this page. */
export function button(
  attributes: Attributes,
  onClick: (event: MouseEvent) => void,
  ...children: readonly Child[]
): HTMLButtonElement {
  const made = el("button", { type: "button", ...attributes }, ...children);
  made.addEventListener("click", onClick);
  return made;
}

/** The same element, listening. */
export function listening<E extends HTMLElement>(element: E, listeners: Listeners): E {
  for (const [type, listener] of Object.entries(listeners)) element.addEventListener(type, listener as EventListener);
  return element;
}

/** Sets or takes away attributes. Those that stay as they are cost nothing: a browser would work out their style anew. */
export function setAttributes(element: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) {
      element.removeAttribute(name);
      continue;
    }
    const text = value === true ? "" : visibleText(String(value));
    if (element.getAttribute(name) !== text) element.setAttribute(name, text);
  }
}

/** Puts other children in the place of those there are. */
export function fill(element: Element, ...children: readonly Child[]): void {
  element.replaceChildren();
  append(element, children);
}

/**
 * As {@link fill}, where something in it can have the keyboard's focus: then what has the same name afterwards has it, else
 * what is given for that case.
 */
export function refill(element: Element, otherwise: () => HTMLElement | null | undefined, ...children: readonly Child[]): void {
  const focused = document.activeElement;
  const name = focused !== null && element.contains(focused) && focused !== element ? nameOf(focused) : undefined;
  fill(element, ...children);
  if (name === undefined) return;
  const found = [...element.querySelectorAll<HTMLElement>("button:enabled, summary")].find((one) => nameOf(one) === name);
  (found ?? otherwise())?.focus({ preventScroll: true });
}

function nameOf(element: Element): string {
  return (
    element.getAttribute("data-seq") ??
    element.getAttribute("aria-label") ??
    (element.getAttribute("title") || element.textContent)
  );
}

function append(element: Element, children: readonly Child[]): void {
  for (const child of children) {
    if (child === null || child === undefined) continue;
    if (typeof child === "string") element.append(document.createTextNode(visibleText(child)));
    else if (child instanceof Node) element.append(child);
    else append(element, child);
  }
}
