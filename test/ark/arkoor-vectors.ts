import { readVectors } from "../vectors.ts";

/** `arkoor.json`: the conformance values of arkoor.md §14. */
export interface ArkoorVectors {
  readonly package: {
    readonly secrets: { readonly server: string; readonly inputUser: string; readonly htlcUser: string };
    readonly serverPubkey: string;
    readonly inputUserPubkey: string;
    readonly input: {
      readonly amountSats: string;
      readonly expiryHeight: number;
      readonly exitDelta: number;
      readonly point: string;
    };
    readonly aggregateX: string;
    readonly inputLeaf: string;
    readonly inputTweak: string;
    readonly inputScript: string;
    readonly checkpointLeaf: string;
    readonly checkpointTweak: string;
    readonly destinations: readonly [
      {
        readonly amountSats: string;
        readonly paymentHash: string;
        readonly htlcExpiryHeight: number;
        readonly encodedPolicy: string;
      },
      { readonly amountSats: string; readonly userPubkey: string },
    ];
    readonly htlcLeaves: readonly string[];
    readonly htlcScript: string;
    readonly checkpointTx: string;
    readonly checkpointTxid: string;
    readonly arkoorTxids: readonly string[];
    readonly sighashes: readonly string[];
    readonly attestationDigest: string;
    readonly signatures: readonly string[];
  };
  readonly chained: {
    readonly destinations: readonly [
      { readonly amountSats: string; readonly userSecret: string },
      { readonly amountSats: string; readonly userPubkey: string },
    ];
    readonly tweaks: readonly string[];
    readonly idHex: string;
  };
  readonly isolation: {
    readonly destinationsSats: readonly string[];
    readonly normalSats: readonly string[];
    readonly isolatedSats: readonly string[];
    readonly checkpointMode: {
      readonly checkpointTxid: string;
      readonly arkoorTxid: string;
      readonly fanOutTxid: string;
      readonly sighashes: readonly string[];
    };
    readonly directMode: { readonly arkoorTxid: string; readonly fanOutTxid: string; readonly sighashes: readonly string[] };
    readonly attestationDigest: string;
  };
  readonly attestations: {
    readonly vtxoIdHex: string;
    readonly userPubkey: string;
    readonly amountSats: string;
    readonly interactiveRound: SignedDigest;
    readonly delegatedRound: SignedDigest;
    readonly lightningReceive: SignedDigest;
    readonly vtxoStatus: SignedDigest;
    readonly arkoorCosign: { readonly amountSats: string; readonly digest: string };
  };
  readonly blinding: {
    readonly mailboxId: string;
    readonly serverMailboxPubkey: string;
    readonly vtxoSecret: string;
    readonly blindedId: string;
    readonly toy: {
      readonly mailboxSecret: number;
      readonly serverMailboxSecret: number;
      readonly vtxoSecret: number;
      readonly blindedId: string;
    };
  };
}

interface SignedDigest {
  readonly digest: string;
  readonly signature: string;
}

export const arkoorVectors: ArkoorVectors = JSON.parse(readVectors("arkoor.json"));
