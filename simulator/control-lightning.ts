import type { ControlBody } from "./control-body.ts";
import { GRANT_FAULTS, INVOICE_FAULTS } from "./lightning-faults.ts";
import { PAYMENT_OUTCOMES } from "./lightning-network.ts";
import type { Simulator } from "./simulator.ts";

/** The requests of the control interface that concern Lightning, as `docs/simulator.md` describes them. */
export const LIGHTNING_HANDLERS: Readonly<Record<string, (simulator: Simulator, body: ControlBody) => unknown>> = {
  "GET /lightning": ({ lightning }) => ({
    isNodeOnline: lightning.isNodeOnline,
    payments: lightning.payments(),
    receives: lightning.receives(),
  }),
  "POST /lightning/invoice": ({ lightning }, body) => {
    const amountSats = body.optional("amountSats", body.big);
    const description = body.optional("description", body.text);
    const expirySeconds = body.has("expirySeconds") ? body.wholeFrom("expirySeconds", 0) : undefined;
    body.end();
    return lightning.invoice({
      ...(amountSats === undefined ? {} : { amountSats }),
      ...(description === undefined ? {} : { description }),
      ...(expirySeconds === undefined ? {} : { expirySeconds }),
    });
  },
  "POST /lightning/pay": ({ lightning }, body) => {
    const bolt11 = body.text("bolt11");
    const expiryHeight = body.has("expiryHeight") ? body.wholeFrom("expiryHeight", 1) : undefined;
    body.end();
    return lightning.pay(bolt11, expiryHeight === undefined ? {} : { expiryHeight });
  },
  "POST /lightning/incoming": ({ lightning }, body) => {
    const bolt11 = body.text("bolt11");
    body.end();
    return lightning.incoming(bolt11);
  },
  "POST /lightning/outcome": ({ lightning }, body) => {
    const outcome = body.word("outcome", PAYMENT_OUTCOMES);
    const paymentHash = body.optional("paymentHash", body.text);
    body.end();
    lightning.setOutcome(outcome, paymentHash);
    return { outcome };
  },
  "POST /lightning/finish": ({ lightning }, body) => {
    const paymentHash = body.text("paymentHash");
    const how = body.word("how", ["success", "failure"]);
    body.end();
    lightning.finish(paymentHash, how);
    return { payments: lightning.payments(paymentHash) };
  },
  "POST /lightning/node": ({ lightning }, body) => {
    const isOnline = body.flag("online");
    body.end();
    lightning.isNodeOnline = isOnline;
    return { isNodeOnline: isOnline };
  },
};

/**
 * Reads the member `lightning` of a request to `POST /faults`; everything in it is optional.
 *
 * @returns What to do once the whole request has been understood.
 * @throws SimulatorError `BAD_REQUEST`
 */
export function readLightningFaults(body: ControlBody): (simulator: Simulator) => void {
  const changes = {
    ...(body.has("invoice") ? { invoice: body.wordOrNull("invoice", INVOICE_FAULTS) } : {}),
    ...(body.has("grant") ? { grant: body.wordOrNull("grant", GRANT_FAULTS) } : {}),
    ...(body.has("wrongSignatures") ? { wrongSignatures: body.flag("wrongSignatures") } : {}),
    ...(body.has("tipAhead") ? { tipAhead: body.whole("tipAhead") } : {}),
    ...(body.has("dropRegistrations") ? { dropRegistrations: body.wholeFrom("dropRegistrations", 0) } : {}),
    ...(body.has("dropNotices") ? { dropNotices: body.flag("dropNotices") } : {}),
    ...(body.has("hidePreimages") ? { hidePreimages: body.flag("hidePreimages") } : {}),
  };
  const raiseFeesSats = body.optional("raiseFeesSats", body.big);
  body.end();
  return ({ faults, lightning }) => {
    Object.assign(faults.lightning, changes);
    if (raiseFeesSats !== undefined) lightning.raiseFees(raiseFeesSats);
  };
}

/** The switched faults of Lightning; `hasOtherFees` stands for a whole schedule. */
export function describeLightningFaults({ faults }: Simulator): object {
  const { fees, ...others } = faults.lightning;
  return { ...others, hasOtherFees: fees !== null };
}
