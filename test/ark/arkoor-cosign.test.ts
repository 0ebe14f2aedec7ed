import { describe, expect, it } from "vitest";
import { ArkoorCosignSession } from "../../ark/arkoor-cosign.ts";
import type { ArkoorCosignRequest, ArkoorCosignResponse } from "../../ark/arkoor-request.ts";
import { ARKOOR_COSIGN_RULES, type ArkoorRpcRules, checkArkoorRequests, cosignArkoorPart } from "../../ark/arkoor-server.ts";
import { GROUP_ORDER, scalarToBytes } from "../../ark/crypto.ts";
import type { Vtxo } from "../../ark/vtxo.ts";
import { alice, answer, board, bob, carol, destination, randomBytes, server, startPackage } from "./payments.ts";

const first = board(alice, 10_000n, 1).vtxo;
const second = board(bob, 5_000n, 2).vtxo;
const inputs = [first, second];
const spends = [
  { vtxo: first, owner: alice },
  { vtxo: second, owner: bob },
];
const destinations = [destination(12_000n, carol), destination(3_000n, alice)];

describe("the wallet's side", () => {
  it("finishes with VTXOs when the server answers right", () => {
    const { session, secretKeys } = startPackage(spends, destinations);
    const created = session.finish(answer(session.requests, inputs), secretKeys);
    expect(created.map(({ amountSats }) => amountSats)).toEqual([10_000n, 2_000n, 3_000n]);
  });

  it("may repeat the same package with new nonces and gets the same VTXOs with other signatures", () => {
    const attempts = [0, 1].map(() => {
      const { session, secretKeys } = startPackage(spends, destinations);
      return {
        nonces: session.requests.flatMap(({ userPublicNonces }) => userPublicNonces),
        created: session.finish(answer(session.requests, inputs), secretKeys),
      };
    });
    expect(attempts[0]?.nonces).not.toEqual(attempts[1]?.nonces);
    expect(attempts[0]?.created).not.toEqual(attempts[1]?.created);
    expect(attempts[0]?.created.map(({ point }) => point)).toEqual(attempts[1]?.created.map(({ point }) => point));
  });

  it("can be finished once, successfully or not", () => {
    for (const spoil of [(all: ArkoorCosignResponse[]) => all, () => []]) {
      const { session, secretKeys } = startPackage(spends, destinations);
      const answers = answer(session.requests, inputs);
      try {
        session.finish(spoil(answers), secretKeys);
      } catch {
        // One of the two is meant to fail.
      }
      expect(() => session.finish(answers, secretKeys)).toThrow(refused("ARKOOR_NONCE_REUSED"));
    }
  });

  it("cannot be finished once abandoned", () => {
    const { session, secretKeys } = startPackage(spends, destinations);
    session.abandon();
    expect(() => session.finish(answer(session.requests, inputs), secretKeys)).toThrow(refused("ARKOOR_NONCE_REUSED"));
  });

  it.each([
    [0, 0],
    [1, 1],
    [1, 2],
  ])("refuses a forged partial signature of part %i at index %i, naming both", (partIndex, signatureIndex) => {
    const spoil = (all: ArkoorCosignResponse[]): ArkoorCosignResponse[] =>
      changed(all, partIndex, (part) => ({
        ...part,
        serverPartialSignatures: part.serverPartialSignatures.with(signatureIndex, scalarToBytes(7n)),
      }));
    expect(finishWith(spoil)).toThrow(refused("ARKOOR_INVALID_PARTIAL_SIGNATURE", { partIndex, signatureIndex }));
  });

  it("refuses a partial signature made with another nonce than the one sent", () => {
    const { session, secretKeys } = startPackage(spends, destinations);
    const one = answer(session.requests, inputs);
    const other = answer(session.requests, inputs);
    const mixed = one.map((part, i) => ({ ...part, serverPublicNonces: other[i]?.serverPublicNonces ?? [] }));
    expect(() => session.finish(mixed, secretKeys)).toThrow(
      refused("ARKOOR_INVALID_PARTIAL_SIGNATURE", { partIndex: 0, signatureIndex: 0 }),
    );
  });

  const badNonce = Uint8Array.of(5, ...new Uint8Array(65));
  const tooLarge = scalarToBytes(GROUP_ORDER);
  it.each<[string, string, (all: ArkoorCosignResponse[]) => ArkoorCosignResponse[]]>([
    [
      "a nonce off the curve, before the number of parts",
      "ARKOOR_BAD_NONCE",
      ([, last]) => [{ ...some(last), serverPublicNonces: [badNonce] }],
    ],
    [
      "a partial signature above the order, before the number of parts",
      "ARKOOR_BAD_PARTIAL_SIGNATURE",
      ([, last]) => [{ ...some(last), serverPartialSignatures: [tooLarge] }],
    ],
    ["too few parts", "ARKOOR_INVALID_NB_PACKAGES", (all) => all.slice(1)],
    ["too many parts", "ARKOOR_INVALID_NB_PACKAGES", (all) => [...all, some(all[0])]],
    [
      "too few nonces",
      "ARKOOR_INVALID_NB_SERVER_NONCES",
      (all) => changed(all, 0, (part) => ({ serverPublicNonces: part.serverPublicNonces.slice(1), serverPartialSignatures: [] })),
    ],
    [
      "too many nonces",
      "ARKOOR_INVALID_NB_SERVER_NONCES",
      (all) =>
        changed(all, 0, (part) => ({
          ...part,
          serverPublicNonces: [...part.serverPublicNonces, some(part.serverPublicNonces[0])],
        })),
    ],
    [
      "too few partial signatures",
      "ARKOOR_INVALID_NB_SERVER_PARTIAL_SIGS",
      (all) => changed(all, 0, (part) => ({ ...part, serverPartialSignatures: part.serverPartialSignatures.slice(1) })),
    ],
  ])("refuses %s", (_, code, spoil) => {
    const { session, secretKeys } = startPackage(spends, destinations);
    // Well-formed, so that only the spoiled part of it can be refused before a signature is looked at.
    const wellFormed = session.requests.map(({ userPublicNonces }) => ({
      serverPublicNonces: userPublicNonces,
      serverPartialSignatures: userPublicNonces.map(() => scalarToBytes(7n)),
    }));
    expect(() => session.finish(spoil(wellFormed), secretKeys)).toThrow(refused(code));
  });

  it("refuses keys that are not those of the inputs", () => {
    const { parts } = startPackage(spends, destinations);
    const start = (secretKeys: Uint8Array[]) => (): unknown => ArkoorCosignSession.start({ parts, secretKeys, randomBytes });
    expect(start([alice.secretKey])).toThrow(refused("ARKOOR_INVALID_NB_KEYPAIRS"));
    expect(start([alice.secretKey, alice.secretKey])).toThrow(refused("ARKOOR_INCORRECT_KEY", { partIndex: 1 }));
    const { session } = startPackage(spends, destinations);
    const { session: short } = startPackage(spends, destinations);
    expect(() => short.finish(answer(short.requests, inputs), [alice.secretKey])).toThrow(refused("ARKOOR_INVALID_NB_KEYPAIRS"));
    expect(() => session.finish(answer(session.requests, inputs), [bob.secretKey, bob.secretKey])).toThrow(
      refused("ARKOOR_INCORRECT_KEY", { partIndex: 0 }),
    );
  });
});

describe("the server's side", () => {
  const request = (change: Partial<ArkoorCosignRequest> = {}): ArkoorCosignRequest => {
    const { session } = startPackage([{ vtxo: first, owner: alice }], [destination(10_000n, carol)]);
    return { ...some(session.requests[0]), ...change };
  };
  const check =
    (asked: ArkoorCosignRequest, rules: Partial<ArkoorRpcRules> = {}, input = first) =>
    (): unknown =>
      checkArkoorRequests([{ request: asked, input }], { ...ARKOOR_COSIGN_RULES, ...rules });

  it("accepts what the wallet sends", () => {
    expect(check(request())).not.toThrow();
  });

  it("refuses an empty package", () => {
    expect(() => checkArkoorRequests([], ARKOOR_COSIGN_RULES)).toThrow(refused("ARKOOR_EMPTY_PACKAGE"));
  });

  it("refuses an input of another policy", () => {
    expect(check(request(), { inputPolicies: ["server-htlc-send-v1"] })).toThrow(
      refused("ARKOOR_INPUT_POLICY", { partIndex: 0 }),
    );
  });

  it("refuses the other mode before anything that costs a signature check", () => {
    const asked = request({ useCheckpoint: false, attestation: new Uint8Array(64) });
    expect(check(asked)).toThrow(refused("ARKOOR_WRONG_MODE"));
  });

  it.each<[string, Partial<ArkoorCosignRequest>]>([
    ["a forged one", { attestation: new Uint8Array(64) }],
    ["one for other amounts", { outputs: [destination(9_999n, carol), destination(1n, carol)] }],
    ["one for other policies", { outputs: [destination(10_000n, bob)] }],
  ])("refuses an attestation that does not cover the request: %s", (_, change) => {
    expect(check(request(change))).toThrow(refused("ARKOOR_INVALID_ATTESTATION", { partIndex: 0 }));
  });

  it("takes a list that was moved to the isolated outputs as attested, but not as valid", () => {
    // The attestation does not tell the two lists apart (arkoor.md §7).
    const asked = request();
    expect(check({ ...asked, outputs: [], isolatedOutputs: asked.outputs })).toThrow(refused("ARKOOR_NO_OUTPUTS"));
  });

  it("refuses a number of nonces that is not the number of signatures", () => {
    const asked = request();
    const nonces = asked.userPublicNonces;
    expect(check({ ...asked, userPublicNonces: nonces.slice(1) })).toThrow(refused("ARKOOR_INVALID_NB_USER_NONCES"));
    expect(check({ ...asked, userPublicNonces: [...nonces, some(nonces[0])] })).toThrow(refused("ARKOOR_INVALID_NB_USER_NONCES"));
  });

  it("refuses an input at the depth limit, unless the RPC has none", () => {
    expect(check(request(), { maxExitDepth: 1 })).toThrow(refused("ARKOOR_EXIT_DEPTH"));
    expect(check(request(), { maxExitDepth: 2 })).not.toThrow();
    expect(check(request(), { maxExitDepth: null })).not.toThrow();
  });

  it("refuses more outputs than its fan-out limit", () => {
    const { session } = startPackage(
      [{ vtxo: first, owner: alice }],
      Array.from({ length: 5 }, () => destination(2_000n, carol)),
    );
    expect(check(some(session.requests[0]))).toThrow(refused("ARKOOR_FAN_OUT"));
    expect(check(some(session.requests[0]), { maxFanOut: 5 })).not.toThrow();
  });

  it("refuses dust beside what could be split, unless the RPC takes it", () => {
    const outputs = { normal: [destination(9_900n, carol), destination(100n, carol)], isolated: [] };
    const part = { input: first, outputs };
    const session = ArkoorCosignSession.start({
      parts: [{ ...part, mode: "checkpoint", transactions: [] }],
      secretKeys: [alice.secretKey],
      randomBytes,
    });
    const nonce = some(request().userPublicNonces[0]);
    const asked = { ...some(session.requests[0]), userPublicNonces: [nonce, nonce, nonce] };
    expect(check(asked)).toThrow(refused("ARKOOR_DUST"));
    expect(check(asked, { dustRule: false })).not.toThrow();
  });

  it("does not sign with another key than the input's server key", () => {
    const asked = request();
    const [part] = checkArkoorRequests([{ request: asked, input: first }], ARKOOR_COSIGN_RULES);
    expect(() => cosignArkoorPart(some(part), asked.userPublicNonces, { secretKey: carol.secretKey, randomBytes })).toThrow(
      refused("ARKOOR_INCORRECT_KEY"),
    );
  });

  it("answers a repeated request with fresh nonces", () => {
    const asked = request();
    const [part] = checkArkoorRequests([{ request: asked, input: first }], ARKOOR_COSIGN_RULES);
    const sign = (): ArkoorCosignResponse =>
      cosignArkoorPart(some(part), asked.userPublicNonces, { secretKey: server.secretKey, randomBytes });
    expect(sign().serverPublicNonces).not.toEqual(sign().serverPublicNonces);
  });
});

function finishWith(spoil: (all: ArkoorCosignResponse[]) => ArkoorCosignResponse[]): () => Vtxo[] {
  const { session, secretKeys } = startPackage(spends, destinations);
  const answers = spoil(answer(session.requests, inputs));
  return () => session.finish(answers, secretKeys);
}

function changed(
  all: readonly ArkoorCosignResponse[],
  index: number,
  change: (part: ArkoorCosignResponse) => ArkoorCosignResponse,
): ArkoorCosignResponse[] {
  return all.with(index, change(some(all[index])));
}

function some<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error("expected a value, got none");
  return value;
}

function refused(code: string, where: { partIndex?: number; signatureIndex?: number } = {}): unknown {
  return expect.objectContaining({ code, ...where });
}
