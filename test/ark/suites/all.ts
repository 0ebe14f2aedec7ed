import type { KnownAnswers } from "../../vectors.ts";
import { describeAddresses } from "./address.ts";
import { describeAuthorizations } from "./authorization.ts";
import { describeKeys } from "./keys.ts";
import { describePolicies } from "./policy.ts";
import { describeRejections } from "./rejection.ts";
import { describeStandardness } from "./standardness.ts";
import { describeTransitions } from "./transition.ts";
import { describeTransactions, describeVtxos } from "./vtxo.ts";
import { describeVtxoIds } from "./vtxo-id.ts";

/** Every claim about a file of known answers. */
export function describeKnownAnswers(answers: KnownAnswers): void {
  describeAddresses(answers);
  describeAuthorizations(answers);
  describeKeys(answers);
  describePolicies(answers);
  describeRejections(answers);
  describeStandardness(answers);
  describeTransactions(answers);
  describeTransitions(answers);
  describeVtxoIds(answers);
  describeVtxos(answers);
}
