import type { MachineChart } from "./chart.ts";

/** A statechart and where everything of it stands, in CSS pixels at full size. */
export interface ChartLayout {
  readonly chart: MachineChart;
  /** SHA-256 of the chart and of the way it is laid out, hex: for another one it is stale. */
  readonly digest: string;
  readonly width: number;
  readonly height: number;
  /** Centre of the mark at which the machine begins, and the way from there. */
  readonly start: { readonly at: Point; readonly points: readonly Point[] };
  /** Outer ones before inner ones. */
  readonly places: readonly Place[];
  readonly arrows: readonly Arrow[];
}

/** A state's box, or a frame around states that share ways out. */
export interface Place {
  /** The state's id; of a frame a name that no state has. */
  readonly id: string;
  readonly kind: "state" | "frame";
  readonly box: Box;
  /** Transitions that stay where they are: written into the box, not drawn. */
  readonly inner: readonly LabelRow[];
}

/** All transitions from one place to another, as one line with one list of labels. */
export interface Arrow {
  readonly from: string;
  readonly to: string;
  readonly rows: readonly LabelRow[];
  readonly points: readonly Point[];
  readonly label: Box;
}

/** A row of a label, and the edges that it is about; on a frame's arrow the same edge of each state inside. */
export interface LabelRow {
  readonly kind: "event" | "guard";
  readonly text: string;
  readonly edges: readonly string[];
  /** From the top of the label to that of the row, in CSS pixels. */
  readonly top: number;
}

/** A rectangle. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A point: x, then y. */
export type Point = readonly [number, number];
