/** What a machine looks like, read from its definition. */
export interface MachineChart {
  readonly name: string;
  readonly revision: number;
  /** Outer states before inner ones. */
  readonly states: readonly ChartState[];
  readonly edges: readonly ChartEdge[];
}

/** A state of a machine. */
export interface ChartState {
  /** Its path with dots: `Vetting`, or `Paying.Cosigning` for a nested one. */
  readonly id: string;
  readonly parent: string | null;
  readonly kind: "atomic" | "compound" | "parallel" | "final" | "history";
  readonly isInitial: boolean;
}

/** One transition of a definition, to one of its targets. */
export interface ChartEdge {
  /** `<source>/<event>/<index among the source's transitions of that event>`. */
  readonly id: string;
  readonly source: string;
  readonly event: string;
  /** Name of the guard; `else` where only the transitions in front of it have one; null where nothing is asked. */
  readonly guard: string | null;
  /** Null for one that stays where it is. */
  readonly target: string | null;
  /** Effects that the definition names; those that it computes are not among them. */
  readonly effects: readonly string[];
}
