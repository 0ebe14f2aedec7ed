import type { WalletEvent } from "heartwood";
import { formatEvent } from "./event-view.ts";
import { toJson } from "./json.ts";
import type { Output } from "./output.ts";

/** Prints events in order, for people or as JSON. */
export class EventPrinter {
  readonly #output: Output;
  readonly #json: boolean;
  #printed: Promise<void> = Promise.resolve();

  constructor(output: Output, json: boolean) {
    this.#output = output;
    this.#json = json;
  }

  /** Prints an event after those before it; resolves when there is room for more. */
  print(event: WalletEvent): Promise<void> {
    this.#printed = this.#printed.then(() =>
      this.#output.line(this.#json ? toJson(event) : formatEvent(event, this.#output.style)),
    );
    // Whoever waits for the end is told too.
    this.#printed.catch(() => {});
    return this.#printed;
  }

  /** Resolves when every event is written. @throws what writing threw */
  finish(): Promise<void> {
    return this.#printed;
  }
}
