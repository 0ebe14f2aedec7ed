import { expect, test } from "vitest";
import { decodeHex, encodeHex } from "../../ark/hex.ts";
import { codeOfRefusal, openWallet, setUp } from "./helpers.ts";

test("an invoice whose preimage a notice showed is not paid, and the proof is found, also after a restart (mailbox.md W-13)", async () => {
  const { simulator, wallet, options, address } = await setUp();
  await simulator.pay(address, { amountsSats: [10_000n] });
  const invoice = () => simulator.lightning.invoice({ amountSats: 4_000n });
  const [paid, open] = [invoice(), invoice()];
  const finished = ({ paymentHash }: { readonly paymentHash: string }, preimage: Uint8Array) =>
    simulator.deliverMessage(address, {
      $case: "lightningSendFinished",
      value: { paymentHash: decodeHex(paymentHash), preimage },
    });
  await wallet.sync();
  expect(await wallet.proofOfPayment(paid.paymentHash)).toBeUndefined();
  const preimage = paid.preimage ?? new Uint8Array();
  finished(paid, preimage);
  finished(paid, new Uint8Array(32).fill(7));
  finished(open, preimage);
  await wallet.sync();
  for (const opened of [wallet, undefined]) {
    if (opened === undefined) await wallet.close();
    const now = opened ?? (await openWallet({ ...options, create: false }));
    expect(await now.proofOfPayment(paid.paymentHash)).toBe(encodeHex(preimage));
    expect(await now.proofOfPayment(open.paymentHash)).toBeUndefined();
    expect(await codeOfRefusal(now.pay(paid.bolt11))).toBe("INVOICE_PAID");
    expect(await codeOfRefusal(now.quote(paid.bolt11))).toBe("INVOICE_PAID");
    expect(await codeOfRefusal(now.quote(open.bolt11))).toBe("NOT_CONNECTED");
    expect(await codeOfRefusal(now.proofOfPayment("ab"))).toBe("BAD_OPTION");
  }
});
