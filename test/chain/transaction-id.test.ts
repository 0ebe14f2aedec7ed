import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { transactionIdOf } from "../../chain/transaction-id.ts";

const TXID = "20591032a1483578b56345aa9b90da46762cdcfec03554a1863febe3e67fe130";
const BODY =
  "010000000000000000000000000000000000000000000000000000000000000000ffffffff00000000000168a100000000000022512050c4d1d21d439c2c62292527da84fcaf0834d1dea2e4280b5755a3c8860f38d8";
const PLAIN = `02000000${BODY}00000000`;
const WITNESS = `02000000${"0001"}${BODY}${"0203aabbcc00"}00000000`;

const idOf = (hex: string) => transactionIdOf(Buffer.from(hex, "hex"));

describe("the id of a transaction", () => {
  it("does not depend on the witness", () => {
    expect(idOf(PLAIN)).toBe(TXID);
    expect(idOf(WITNESS)).toBe(TXID);
  });

  it("agrees with every known answer", () => {
    const answers = JSON.parse(readFileSync(new URL("../vectors/bark-known-answers.json", import.meta.url), "utf8")) as {
      vtxos: { exit_transactions: { txid: string; raw_hex: string }[] }[];
    };
    const known = answers.vtxos.flatMap((vtxo) => vtxo.exit_transactions);
    expect(known.length).toBeGreaterThan(5);
    for (const { txid, raw_hex } of known) expect(idOf(raw_hex)).toBe(txid);
  });

  it("exists for no prefix and no extension of a transaction", () => {
    for (const whole of [PLAIN, WITNESS]) {
      for (let length = 0; length < whole.length; length += 2) expect(idOf(whole.slice(0, length))).toBeUndefined();
      expect(idOf(`${whole}00`)).toBeUndefined();
    }
  });

  it("does not exist without an input", () => {
    expect(idOf("020000000002000000000000000000000000000000000000000000")).toBeUndefined();
    expect(idOf(`02000000${"0001"}00${"01"}${"00".repeat(8)}00${"00000000"}`)).toBeUndefined();
  });

  it("is refused at once where a count promises more than there is", () => {
    for (const count of ["fdffff", "feffffffff", "ffffffffffffffffff"])
      expect(idOf(`02000000${count}${BODY.slice(2)}00000000`)).toBeUndefined();
  });
});
