import type { VtxoId } from "../ark/vtxo-id.ts";
import { type ActionMovement, idsOf, sumOf } from "./books.ts";
import {
  clearDelay,
  definition,
  end,
  fail,
  keepClaimed,
  keepDelay,
  keepGrant,
  keepInvoice,
  noteExitNear,
  noteExitRequired,
  request,
  succeed,
} from "./lightning-receive.changes.ts";
import {
  type InvoiceTerms,
  type LightningReceiveContext,
  type LightningReceiveEvent,
  receiveEvents,
  receiveMovementOf,
} from "./lightning-receive.ts";
import { leftOf } from "./package.ts";
import type { MachineDefinition } from "./step.ts";

type Scope = { readonly context: LightningReceiveContext; readonly event: LightningReceiveEvent };

const termsOf = ({ context }: Scope): InvoiceTerms => {
  const { paymentHash, salt, keyIndex, amountSats, description, cltvDelta, feeSats, destination, bolt11, expiresAtMs } = context;
  return { paymentHash, salt, keyIndex, amountSats, description, cltvDelta, feeSats, destination, bolt11, expiresAtMs };
};

const hashOf = ({ context }: Scope) => ({ paymentHash: context.paymentHash });
const revealOf = ({ context: { paymentHash, latestExitHeight } }: Scope) => ({ paymentHash, latestExitHeight });
const htlcIds = ({ context }: Scope): { ids: readonly VtxoId[] } => ({ ids: idsOf(context.htlcs) });

const claim = {
  type: "claimReceive" as const,
  params: ({ context: { paymentHash, salt, keyIndex, destination, htlcs } }: Scope) => ({
    paymentHash,
    salt,
    keyIndex,
    destination,
    amountSats: sumOf(htlcs),
    sources: htlcs.map(({ source }) => source),
  }),
};

const lockHtlcs = {
  type: "createCoins" as const,
  params: ({ context }: Scope) => ({ coins: context.htlcs, locked: true }),
};

/** They are stored, so their ids belong into the recovery mailbox, whatever becomes of the receive (§4.5). */
const backUpHtlcs = { type: "backUpIds" as const, params: htlcIds };

const spendHtlcs = { type: "spendCoins" as const, params: htlcIds };

const writeMovement = (status: ActionMovement["status"], effective: "htlcs" | "nothing") => ({
  type: "writeMovement" as const,
  params: ({ context }: Scope) => ({ movement: receiveMovementOf(context, status, effective) }),
});

/** The HTLCs are this receive's: pending in, until they are claimed. */
const bookGrant = [keepGrant, lockHtlcs, writeMovement("pending", "htlcs"), backUpHtlcs];

/** What the server did not take keeps nothing else back (mailbox.md W-34). */
const postLeft = { type: "postRecoveryIds" as const, params: ({ event }: Scope) => ({ ids: leftOf(event) }) };

const delayed = { guard: "isNews" as const, actions: [keepDelay] };

/** `lightning-receive/<payment hash>`: Requesting → AwaitingPayment → HtlcsReady → PreimageRevealed → Claimed → Completed. */
export const lightningReceiveMachine: MachineDefinition = {
  name: "lightning-receive",
  revision: 1,
  events: receiveEvents,
  logic: definition.createMachine({
    id: "lightning-receive",
    initial: "Requested",
    context: {
      paymentHash: "",
      salt: "",
      keyIndex: 0,
      amountSats: 0n,
      description: null,
      cltvDelta: 0,
      feeSats: 0n,
      destination: null,
      bolt11: null,
      expiresAtMs: 0,
      movement: "",
      htlcs: [],
      htlcExpiryHeight: 0,
      latestExitHeight: 0,
      claimed: [],
      preimage: null,
      exitStage: null,
      delay: null,
      outcome: null,
    },
    states: {
      Requested: {
        on: {
          "invoice.requested": {
            target: "Requesting",
            actions: [
              request,
              { type: "reserveKeys", params: ({ context }) => ({ from: context.keyIndex, count: 1 }) },
              { type: "requestInvoice", params: termsOf },
            ],
          },
        },
      },
      /** Sent: the hash of a preimage that only the seed gives. Awaited: the invoice. Nobody has it yet (R3). */
      Requesting: {
        on: {
          "invoice.issued": { target: "AwaitingPayment", actions: [keepInvoice, { type: "awaitGrant", params: termsOf }] },
          "invoice.refused": { target: "Failed", actions: [fail] },
        },
      },
      /**
       * Awaited: somebody who pays the invoice, and then HTLC VTXOs that are worth the preimage. At risk: nothing, the
       * payer gets the money back.
       */
      AwaitingPayment: {
        on: {
          "grant.accepted": [
            {
              guard: "isSettled",
              target: "PreimageRevealed",
              actions: [...bookGrant, claim],
            },
            {
              target: "HtlcsReady",
              actions: [...bookGrant, { type: "vetReveal", params: revealOf }],
            },
          ],
          "grant.failed": { target: "Failed", actions: [fail] },
          "invoice.expired": {
            target: "Expired",
            actions: [end("canceled", "INVOICE_EXPIRED", "nobody paid the invoice in time")],
          },
          "cancel.requested": { target: "Cancelling", actions: [clearDelay, { type: "cancelReceive", params: hashOf }] },
          "step.delayed": delayed,
        },
      },
      /** The invoice is given up. Awaited: any answer of the server. */
      Cancelling: {
        on: {
          "receive.cancelled": {
            target: "Cancelled",
            actions: [end("canceled", "CANCELLED", "the owner cancelled the invoice")],
          },
        },
      },
      /**
       * The grant is good. Awaited: a tip and a status with which a claim can still succeed. At risk: nothing, as long as
       * the preimage stays here; too late, it never leaves (R6).
       */
      HtlcsReady: {
        on: {
          "reveal.vetted": [
            {
              guard: "isHopeless",
              target: "Abandoned",
              actions: [
                end("canceled", "ABANDONED", "it was too late to claim: the payer gets the money back"),
                spendHtlcs,
                writeMovement("canceled", "nothing"),
              ],
            },
            { target: "PreimageRevealed", actions: [clearDelay, claim] },
          ],
          "step.delayed": delayed,
        },
      },
      /**
       * Sent, or about to be: the preimage. Whether it left cannot be known after a crash, so it is claimed whatever the
       * tip is. Awaited: the signatures. At risk: the payment, until it is claimed or exited (R7).
       */
      PreimageRevealed: {
        on: {
          "claim.succeeded": [
            {
              guard: "isForwarded",
              target: "Delivering",
              actions: [
                keepClaimed,
                spendHtlcs,
                writeMovement("pending", "nothing"),
                {
                  type: "deliverPayment",
                  params: ({ context }) => ({
                    address: context.destination?.address ?? "",
                    sources: context.claimed.map(({ source }) => source),
                  }),
                },
              ],
            },
            {
              guard: "isWhole",
              target: "Claimed",
              actions: [
                keepClaimed,
                succeed,
                spendHtlcs,
                {
                  type: "createCoins",
                  params: ({ event }) => ({ coins: event.type === "claim.succeeded" ? event.coins : [], locked: false }),
                },
                writeMovement("successful", "htlcs"),
                { type: "postRecoveryIds", params: ({ context }) => ({ ids: idsOf(context.claimed) }) },
              ],
            },
          ],
          "step.delayed": delayed,
          "deadline.checked": [
            {
              guard: "isExitRequired",
              actions: [
                noteExitRequired,
                {
                  type: "requireExit",
                  params: ({ context }) => ({ ids: idsOf(context.htlcs), byHeight: context.latestExitHeight }),
                },
              ],
            },
            { guard: "isExitNear", actions: [noteExitNear] },
          ],
          "giveUp.requested": {
            guard: "isPastExpiry",
            target: "GivenUp",
            actions: [
              end("failed", "GIVEN_UP", "the owner gave the payment up after its expiry"),
              spendHtlcs,
              writeMovement("failed", "nothing"),
            ],
          },
        },
      },
      /** The money is the wallet's. Awaited: the backup of the ids. */
      Claimed: { on: { "recoveryIds.posted": [{ guard: "isTakenInPart", actions: [postLeft] }, { target: "Completed" }] } },
      /** The money is another wallet's. Awaited: a mailbox that takes it; this log has the only copy of the VTXOs. */
      Delivering: {
        on: {
          "package.delivered": { target: "Delivered", actions: [succeed, writeMovement("successful", "nothing")] },
          "delivery.failed": delayed,
        },
      },
      Completed: { type: "final" },
      Delivered: { type: "final" },
      Expired: { type: "final" },
      Cancelled: { type: "final" },
      Abandoned: { type: "final" },
      Failed: { type: "final" },
      GivenUp: { type: "final" },
    },
  }),
};
