import { ArkService } from "./ark-service.ts";
import { ArkoorCosigner } from "./arkoor-cosigner.ts";
import { answerBitcoinCore } from "./bitcoin-core.ts";
import { CallGate } from "./call-gate.ts";
import { CheckpointSequence } from "./checkpoint-sequence.ts";
import { Deliveries } from "./deliveries.ts";
import { answerEsplora } from "./esplora.ts";
import { Faults } from "./faults.ts";
import { GrpcServer } from "./grpc-server.ts";
import { HttpServer } from "./http-server.ts";
import { Lightning } from "./lightning.ts";
import { MailboxService } from "./mailbox-service.ts";
import { MailboxStore } from "./mailbox-store.ts";
import type { ResolvedOptions } from "./options.ts";
import { Payer } from "./payer.ts";
import { SeededRandom } from "./seeded-random.ts";
import { ServerKeys } from "./server-keys.ts";
import { SimulatedChain } from "./simulated-chain.ts";
import type { SimulatedLightning } from "./simulated-lightning.ts";
import { SkewedClock } from "./skewed-clock.ts";
import { Subscriptions } from "./subscriptions.ts";
import { VtxoLedger } from "./vtxo-ledger.ts";
import { VtxoRegistry } from "./vtxo-registry.ts";

/** Everything that a simulator consists of, wired together, not listening yet. */
export interface World {
  readonly options: ResolvedOptions;
  readonly keys: ServerKeys;
  readonly chain: SimulatedChain;
  readonly ledger: VtxoLedger;
  readonly store: MailboxStore;
  readonly subscriptions: Subscriptions;
  readonly deliveries: Deliveries;
  readonly faults: Faults;
  readonly gate: CallGate;
  readonly mailbox: MailboxService;
  readonly payer: Payer;
  readonly lightning: SimulatedLightning;
  readonly grpc: GrpcServer;
  readonly esplora: HttpServer;
}

/** Builds the parts in the order in which they need each other. */
export function buildWorld(options: ResolvedOptions): World {
  const { network, terms, host } = options;
  const random = new SeededRandom(options.seed);
  const keys = new ServerKeys(random.fork("keys"));
  const chain = new SimulatedChain(network, options.tipHeight);
  const ledger = new VtxoLedger();
  const clock = new SkewedClock(options.now);
  const store = new MailboxStore(new CheckpointSequence(clock.nowMs));
  const subscriptions = new Subscriptions(store);
  const faults = new Faults(subscriptions, clock);
  const { nowMs } = clock;

  const registry = new VtxoRegistry(ledger, chain);
  const cosigner = new ArkoorCosigner({ ledger, chain, keys, terms, random: random.fork("nonces") });
  const lightning = new Lightning({
    ...{ bitcoinNetwork: network, keys, terms, ledger, chain, cosigner, mailboxes: store, nowMs },
    ...{ faults: faults.lightning, random: random.fork("lightning") },
  });
  const gate = new CallGate(faults, nowMs);
  const mailbox = new MailboxService({ keys, ledger, terms, store, subscriptions, faults, pageLimit: options.pageLimit, nowMs });
  const ark = new ArkService({ ...options, keys, ledger, registry, cosigner, lightning, faults });
  return {
    options,
    keys,
    chain,
    ledger,
    store,
    subscriptions,
    deliveries: new Deliveries(store, subscriptions),
    faults,
    gate,
    mailbox,
    lightning: lightning.outside,
    payer: new Payer({ keys, terms, ledger, chain, cosigner, registry, random: random.fork("payer") }),
    grpc: new GrpcServer(host, options.grpcPort, { ark, mailbox, gate, subscriptions }),
    esplora: new HttpServer(host, options.chainPort, (request) =>
      request.method === "POST" ? answerBitcoinCore(chain, request) : answerEsplora(chain, request),
    ),
  };
}
