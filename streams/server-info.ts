import { isValidPublicKey } from "../ark/crypto.ts";
import type { FeeSchedule } from "../ark/fees.ts";
import type { ArkInfo } from "../proto/generated/bark_server.ts";
import { StreamError } from "./errors.ts";
import { convertFees } from "./fees.ts";
import { escapeServerText } from "./server-text.ts";

/** The Bitcoin networks that a server can name. */
export const NETWORKS = ["bitcoin", "testnet", "testnet4", "signet", "regtest"] as const;

/** A Bitcoin network, by the name that servers use. */
export type Network = (typeof NETWORKS)[number];

/** What a server says about itself, checked (mailbox.md §1.3, ArkInfo). Deltas and lifetimes are blocks. */
export interface ServerInfo {
  readonly network: Network;
  /** 33 bytes, a point of the curve: the server's identity. */
  readonly serverPubkey: Uint8Array;
  /** 33 bytes, a point of the curve: the key that blinds mailbox ids. */
  readonly mailboxPubkey: Uint8Array;
  readonly roundIntervalSecs: number;
  /** Nonces that a round wants for each output. */
  readonly roundNonces: number;
  /** Relative timelock of the exit clause. */
  readonly exitDelta: number;
  /** How long a new VTXO lives. */
  readonly vtxoLifetime: number;
  readonly htlcSendExpiryDelta: number;
  readonly htlcExpiryDelta: number;
  /** Largest VTXO; undefined without a limit. */
  readonly maxVtxoAmountSats: bigint | undefined;
  readonly requiredBoardConfirmations: number;
  readonly maxUserInvoiceCltvDelta: number;
  readonly minBoardAmountSats: bigint;
  readonly lightningReceiveAntiDosRequired: boolean;
  /** Deepest VTXO that the server cosigns from. */
  readonly maxVtxoExitDepth: number;
  readonly maxOffboardInputs: number;
  /** Address of the terms of service, escaped; not a checked URL. */
  readonly tosLink: string | undefined;
  readonly fees: FeeSchedule;
}

/** A quarter of 65,535, rounded down: the bound of every block delta (mailbox.md §1.3, range rule). */
const MAX_BLOCK_DELTA = 16_383;

/**
 * Checks and converts an `ArkInfo` by the rules of mailbox.md §1.3: lifetime fall-back, ranges, keys, network, fees.
 *
 * @throws StreamError `SERVER_BAD_INFO`
 */
export function convertServerInfo(info: ArkInfo): ServerInfo {
  return {
    network: network(info.network),
    serverPubkey: publicKey("server_pubkey", info.serverPubkey),
    mailboxPubkey: publicKey("mailbox_pubkey", info.mailboxPubkey),
    roundIntervalSecs: info.roundIntervalSecs,
    roundNonces: info.nbRoundNonces,
    exitDelta: bounded("vtxo_exit_delta", info.vtxoExitDelta, MAX_BLOCK_DELTA),
    vtxoLifetime: bounded("vtxo_lifetime", info.vtxoLifetime || info.vtxoExpiryDelta, MAX_BLOCK_DELTA),
    htlcSendExpiryDelta: bounded("htlc_send_expiry_delta", info.htlcSendExpiryDelta, MAX_BLOCK_DELTA),
    htlcExpiryDelta: bounded("htlc_expiry_delta", info.htlcExpiryDelta, MAX_BLOCK_DELTA),
    maxVtxoAmountSats: info.maxVtxoAmount,
    requiredBoardConfirmations: bounded("required_board_confirmations", info.requiredBoardConfirmations, MAX_BLOCK_DELTA),
    maxUserInvoiceCltvDelta: bounded("max_user_invoice_cltv_delta", info.maxUserInvoiceCltvDelta, MAX_BLOCK_DELTA),
    minBoardAmountSats: info.minBoardAmount,
    lightningReceiveAntiDosRequired: info.lnReceiveAntiDosRequired,
    maxVtxoExitDepth: bounded("max_vtxo_exit_depth", info.maxVtxoExitDepth, 0xffff),
    maxOffboardInputs: info.maxOffboardInputs,
    tosLink: info.tosLink === undefined ? undefined : escapeServerText(info.tosLink),
    fees: convertFees(info),
  };
}

/** Whether a text names a {@link Network}. */
export function isNetwork(text: string): text is Network {
  return (NETWORKS as readonly string[]).includes(text);
}

function network(text: string): Network {
  if (!isNetwork(text)) {
    throw new StreamError(
      "SERVER_BAD_INFO",
      `expected one of ${NETWORKS.join(", ")}, got network "${escapeServerText(text, 50)}"`,
    );
  }
  return text;
}

function publicKey(name: string, key: Uint8Array): Uint8Array {
  if (!isValidPublicKey(key)) {
    throw new StreamError(
      "SERVER_BAD_INFO",
      `expected a compressed point of the curve as ${name}, got ${key.length} other bytes`,
    );
  }
  return new Uint8Array(key);
}

function bounded(name: string, value: number, most: number): number {
  if (value > most) throw new StreamError("SERVER_BAD_INFO", `expected ${name} of at most ${most}, got ${value}`);
  return value;
}
