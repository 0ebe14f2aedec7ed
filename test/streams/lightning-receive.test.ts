import { expect, test } from "vitest";
import { MAX_GRANTED_VTXOS } from "../../ark/htlc-terms.ts";
import { encodeVtxoId } from "../../ark/vtxo-id.ts";
import { CheckLightningReceiveResponse } from "../../proto/generated/bark_server.ts";
import { idOf } from "../machines/fixtures.ts";
import { connect, startServer } from "./server.ts";

test("of the VTXOs of a grant one more is read than may be granted, so that too many show, and no work is done for the others", async () => {
  const htlcVtxos = new Array<Uint8Array>(5_000).fill(encodeVtxoId(idOf(1)));
  const receive = CheckLightningReceiveResponse.fromPartial({ status: 2, htlcVtxos });
  await using server = await startServer({
    ark: {
      checkLightningReceive: async () => receive,
      prepareLightningReceiveClaim: async () => ({ receive, htlcVtxos }),
    },
  });
  await using session = await connect(server);
  const paymentHash = new Uint8Array(32);
  const { htlcIds, state } = await session.lightningReceive.check(paymentHash);
  expect([state, htlcIds.length]).toEqual(["htlcs-ready", MAX_GRANTED_VTXOS + 1]);
  const request = { paymentHash, userPubkey: new Uint8Array(33), htlcExpiryHeight: 1 };
  const { report, vtxos } = await session.lightningReceive.prepare(request);
  expect([report.htlcIds.length, vtxos.length]).toEqual([MAX_GRANTED_VTXOS + 1, MAX_GRANTED_VTXOS + 1]);
});
