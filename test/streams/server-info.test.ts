import { expect, test } from "vitest";
import type { ArkInfo, PpmExpiryFeeEntry } from "../../proto/generated/bark_server.ts";
import { negotiateVersion } from "../../streams/protocol-version.ts";
import { convertServerInfo } from "../../streams/server-info.ts";
import { arkInfo, MAILBOX_KEY, SERVER_KEY } from "./server.ts";

const badInfo = expect.objectContaining({ code: "SERVER_BAD_INFO", retryable: false });

test("an honest ArkInfo is converted, in an own copy", () => {
  const wire = arkInfo({ tosLink: "https://ark.example/tos\u001b[31m" });
  const info = convertServerInfo(wire);
  expect(info).toMatchObject({
    network: "regtest",
    serverPubkey: SERVER_KEY,
    mailboxPubkey: MAILBOX_KEY,
    exitDelta: 12,
    vtxoLifetime: 144,
    htlcSendExpiryDelta: 258,
    maxVtxoAmountSats: 21_000_000n,
    minBoardAmountSats: 20_000n,
    maxVtxoExitDepth: 5,
    tosLink: "https://ark.example/tos\\u{1b}[31m",
  });
  wire.serverPubkey.fill(0);
  expect(info.serverPubkey).toEqual(SERVER_KEY);
});

test.each([
  [144, 200, 144],
  [0, 200, 200],
])("lifetime %i and the old field %i mean a lifetime of %i", (vtxoLifetime, vtxoExpiryDelta, expected) => {
  expect(convertServerInfo(arkInfo({ vtxoLifetime, vtxoExpiryDelta })).vtxoLifetime).toBe(expected);
});

test("no limit of VTXO amounts stays no limit", () => {
  expect(convertServerInfo({ ...arkInfo(), maxVtxoAmount: undefined }).maxVtxoAmountSats).toBeUndefined();
});

const DELTAS = [
  "vtxoExitDelta",
  "htlcSendExpiryDelta",
  "htlcExpiryDelta",
  "requiredBoardConfirmations",
  "maxUserInvoiceCltvDelta",
  "vtxoLifetime",
] as const;

test.each(DELTAS)("%s may be 16,383 and not more", (field) => {
  expect(() => convertServerInfo(arkInfo({ [field]: 16_383 }))).not.toThrow();
  expect(() => convertServerInfo(arkInfo({ [field]: 16_384 }))).toThrow(badInfo);
});

test("the old lifetime field is bounded where it counts, and ignored where it does not", () => {
  expect(() => convertServerInfo(arkInfo({ vtxoLifetime: 0, vtxoExpiryDelta: 16_384 }))).toThrow(badInfo);
  expect(() => convertServerInfo(arkInfo({ vtxoLifetime: 1, vtxoExpiryDelta: 16_384 }))).not.toThrow();
});

test("the exit depth fits 16 bits", () => {
  expect(() => convertServerInfo(arkInfo({ maxVtxoExitDepth: 65_535 }))).not.toThrow();
  expect(() => convertServerInfo(arkInfo({ maxVtxoExitDepth: 65_536 }))).toThrow(badInfo);
});

const NOT_ON_CURVE = new Uint8Array(33).fill(0xff).fill(2, 0, 1);

test.each([
  ["no key", new Uint8Array()],
  ["32 bytes", SERVER_KEY.slice(1)],
  ["a bad prefix", new Uint8Array(SERVER_KEY).fill(4, 0, 1)],
  ["no point of the curve", NOT_ON_CURVE],
])("a key that is %s is refused in both places", (_, key) => {
  expect(() => convertServerInfo(arkInfo({ serverPubkey: key }))).toThrow(badInfo);
  expect(() => convertServerInfo(arkInfo({ mailboxPubkey: key }))).toThrow(badInfo);
});

test.each(["", "mainnet", "Bitcoin", "regtest "])("the network %j is refused", (network) => {
  expect(() => convertServerInfo(arkInfo({ network }))).toThrow(badInfo);
});

test.each(["bitcoin", "testnet", "testnet4", "signet", "regtest"])("the network %s is known", (network) => {
  expect(convertServerInfo(arkInfo({ network })).network).toBe(network);
});

test("the fees and each of their five parts must be there", () => {
  expect(() => convertServerInfo({ ...arkInfo(), fees: undefined })).toThrow(badInfo);
  const { fees } = arkInfo();
  for (const part of ["board", "offboard", "refresh", "lightningReceive", "lightningSend"]) {
    expect(() => convertServerInfo({ ...arkInfo(), fees: { ...fees, [part]: undefined } } as ArkInfo)).toThrow(badInfo);
  }
});

const entry = (expiryBlocksThreshold: number, ppm: bigint): PpmExpiryFeeEntry => ({ expiryBlocksThreshold, ppm });

test.each(["offboard", "refresh", "lightningSend"])("the table of %s must not decrease in threshold or rate", (part) => {
  const fees = { board: {}, offboard: {}, refresh: {}, lightningReceive: {}, lightningSend: {} };
  const withTable = (...ppmExpiryTable: PpmExpiryFeeEntry[]) => arkInfo({ fees: { ...fees, [part]: { ppmExpiryTable } } });
  expect(() => convertServerInfo(withTable(entry(0, 1n), entry(0, 1n), entry(10, 1n), entry(10, 2n ** 60n)))).not.toThrow();
  expect(() => convertServerInfo(withTable(entry(10, 1n), entry(9, 2n)))).toThrow(badInfo);
  expect(() => convertServerInfo(withTable(entry(10, 2n), entry(11, 1n)))).toThrow(badInfo);
  const entries = (length: number) => Array.from({ length }, () => entry(1, 1n));
  expect(() => convertServerInfo(withTable(...entries(1_000)))).not.toThrow();
  expect(() => convertServerInfo(withTable(...entries(1_001)))).toThrow(badInfo);
});

test("every fee arrives where it belongs", () => {
  const table = [entry(1, 2n)];
  const fees = convertServerInfo(
    arkInfo({
      fees: {
        board: { minFeeSat: 1n, baseFeeSat: 2n, ppm: 3n },
        offboard: { baseFeeSat: 4n, fixedAdditionalVb: 5n, ppmExpiryTable: table },
        refresh: { baseFeeSat: 6n, ppmExpiryTable: [entry(3, 4n)] },
        lightningReceive: { baseFeeSat: 7n, ppm: 2n ** 63n },
        lightningSend: { minFeeSat: 9n, baseFeeSat: 10n, ppmExpiryTable: [] },
      },
    }),
  ).fees;
  expect(fees).toEqual({
    board: { minFeeSats: 1n, baseFeeSats: 2n, ppm: 3n },
    offboard: { baseFeeSats: 4n, fixedAdditionalVbytes: 5n, ppmExpiryTable: table },
    refresh: { baseFeeSats: 6n, ppmExpiryTable: [entry(3, 4n)] },
    lightningReceive: { baseFeeSats: 7n, ppm: 2n ** 63n },
    lightningSend: { minFeeSats: 9n, baseFeeSats: 10n, ppmExpiryTable: [] },
  });
});

test.each([
  [4n, 5n, 5],
  [1n, 5n, 5],
  [4n, 4n, 4],
  [5n, 9n, 5],
  [0n, 4n, 4],
  [1n, 2n ** 64n - 1n, 5],
])("a server that speaks %s to %s gets version %i", (min, max, expected) => {
  expect(negotiateVersion({ min, max })).toBe(expected);
});

test.each([
  [6n, 9n, "CLIENT_TOO_OLD"],
  [2n ** 63n, 2n ** 63n, "CLIENT_TOO_OLD"],
  [1n, 3n, "SERVER_TOO_OLD"],
  [0n, 0n, "SERVER_TOO_OLD"],
  [5n, 4n, "SERVER_BAD_INFO"],
])("a server that speaks %s to %s is refused as %s", (min, max, code) => {
  expect(() => negotiateVersion({ min, max })).toThrow(expect.objectContaining({ code, retryable: false }));
});
