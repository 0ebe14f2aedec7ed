import { expect, test } from "vitest";
import { toFeedText, toFeedValue } from "../../visualizer/feed-value.ts";

const HEX = "ab".repeat(32);

test("bigints, bytes and long values become JSON that says what was cut", () => {
  expect(toFeedValue({ amount: 5n, bytes: new Uint8Array([1, 255]), text: "x", none: null, flag: true }, "message")).toEqual({
    amount: { $n: "5" },
    bytes: { $b: "01ff", length: 2 },
    text: "x",
    none: null,
    flag: true,
  });
  expect(toFeedValue(new Uint8Array(1_000), "message")).toEqual({ $b: "00".repeat(256), length: 1_000 });
  expect(
    toFeedValue(
      Array.from({ length: 203 }, () => 1),
      "message",
    ),
  ).toHaveLength(201);
  expect(
    (
      toFeedValue(
        Array.from({ length: 203 }, () => 1),
        "message",
      ) as string[]
    ).at(-1),
  ).toBe("… 3 more");
  expect(toFeedText("y".repeat(5_000))).toHaveLength(4_001);
});

test("secrets do not leave the process, wherever they stand", () => {
  const value = {
    authorization: HEX,
    mailboxAuthorization: HEX,
    inner: [{ seed: new Uint8Array(64) }, { mnemonic: "abandon about" }, { secretNonce: HEX }, { privateKey: HEX }],
    preimage: HEX,
    metadata: { payment_preimage: HEX },
    serverUrl: "https://user:password@chain.example/path",
  };
  const text = JSON.stringify(toFeedValue(value, "lightning-receive"));
  for (const secret of [HEX, "abandon", "password@", "0000"]) expect(text).not.toContain(secret);
  expect(toFeedValue(value, "lightning-receive")).toMatchObject({
    authorization: { $redacted: "authorization" },
    serverUrl: "https://…@chain.example/path",
  });
});

test("what proves that a payment was made is shown, and no preimage of anything else", () => {
  expect(toFeedValue({ preimage: HEX }, "lightning-send")).toEqual({ preimage: HEX });
  expect(toFeedValue({ preimage: HEX }, "lightning-receive")).toEqual({ preimage: { $redacted: "preimage" } });
  expect(toFeedValue({ preimage: null }, "lightning-receive")).toEqual({ preimage: null });
});
