import { describe, expect, it } from "vitest";
import { type Coin, selectCoins } from "../../ark/coin-selection.ts";

interface NamedCoin extends Coin {
  readonly name: string;
}

const coin = (name: string, amountSats: bigint, expiryHeight: number, exitDepth = 1): NamedCoin => ({
  name,
  amountSats,
  expiryHeight,
  exitDepth,
  policyKind: "pubkey",
});

const names = (coins: readonly NamedCoin[]): string => coins.map(({ name }) => name).join("");

describe("coin selection (arkoor.md §3.1)", () => {
  const coins = [coin("a", 10n, 300), coin("b", 10n, 100, 2), coin("c", 10n, 100, 5), coin("d", 10n, 100, 2)];

  it("takes the soonest expiry first, then the deepest, then the listed order", () => {
    expect(names(selectCoins({ coins, targetSats: 40n, maxExitDepth: 100 }))).toBe("cbda");
    expect(names(selectCoins({ coins, targetSats: 21n, maxExitDepth: 100 }))).toBe("cbd");
    expect(names(selectCoins({ coins, targetSats: 20n, maxExitDepth: 100 }))).toBe("cb");
  });

  it("leaves out coins at the server's depth limit and contracts", () => {
    const contract: NamedCoin = { ...coin("h", 50n, 1), policyKind: "server-htlc-send-v1" };
    expect(names(selectCoins({ coins: [contract, ...coins], targetSats: 10n, maxExitDepth: 5 }))).toBe("b");
  });

  it("says what is missing", () => {
    expect(() => selectCoins({ coins, targetSats: 41n, maxExitDepth: 100 })).toThrow(
      expect.objectContaining({ code: "INSUFFICIENT_FUNDS" }),
    );
  });

  it("scans on until amount and fee of the selection are covered", () => {
    const feeOf = (selected: readonly Coin[]): bigint => BigInt(selected.length) * 3n;
    expect(names(selectCoins({ coins, targetSats: 10n, maxExitDepth: 100, feeOf }))).toBe("cb");
    expect(names(selectCoins({ coins, targetSats: 18n, maxExitDepth: 100, feeOf }))).toBe("cbd");
    expect(() => selectCoins({ coins, targetSats: 30n, maxExitDepth: 100, feeOf })).toThrow(
      expect.objectContaining({ code: "INSUFFICIENT_FUNDS" }),
    );
  });

  it("ends when the fee grows faster than the selection", () => {
    const many = Array.from({ length: 200 }, (_, i) => coin("x", 10n, i));
    const feeOf = (selected: readonly Coin[]): bigint => BigInt(selected.length) * 10n;
    expect(() => selectCoins({ coins: many, targetSats: 1n, maxExitDepth: 100, feeOf })).toThrow();
  });

  it("at its cap swaps the smallest coin, the latest-expiring of equals, for a strictly larger one", () => {
    const mixed = [coin("a", 5n, 1), coin("b", 5n, 2), coin("c", 5n, 3), coin("d", 9n, 4), coin("e", 20n, 5)];
    expect(names(selectCoins({ coins: mixed, targetSats: 14n, maxExitDepth: 100, maxInputs: 2 }))).toBe("ad");
    expect(names(selectCoins({ coins: mixed, targetSats: 29n, maxExitDepth: 100, maxInputs: 2 }))).toBe("de");
  });

  it("tells too many inputs from too little money", () => {
    expect(() => selectCoins({ coins, targetSats: 30n, maxExitDepth: 100, maxInputs: 2 })).toThrow(
      expect.objectContaining({ code: "ARKOOR_TOO_MANY_INPUTS" }),
    );
  });
});
