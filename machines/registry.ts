import { anchorsMachine } from "./anchors.machine.ts";
import { arkoorSendMachine } from "./arkoor-send.machine.ts";
import { backupMachine } from "./backup.machine.ts";
import { connectionMachine } from "./connection.machine.ts";
import { driveMachine } from "./drive.machine.ts";
import { MachineError } from "./errors.ts";
import { exitMachine } from "./exit.machine.ts";
import { expiryMachine } from "./expiry.machine.ts";
import { lightningReceiveMachine } from "./lightning-receive.machine.ts";
import { lightningSendMachine } from "./lightning-send.machine.ts";
import { mailboxMachine } from "./mailbox.machine.ts";
import { messageMachine } from "./message.machine.ts";
import { quarantinedMachine } from "./quarantined.machine.ts";
import { recoveryMachine } from "./recovery.machine.ts";
import { salvageMachine } from "./salvage.machine.ts";
import type { MachineDefinition } from "./step.ts";
import { walletMachine } from "./wallet.machine.ts";

/** Every machine of this build. */
export const machines: readonly MachineDefinition[] = [
  walletMachine,
  connectionMachine,
  mailboxMachine,
  messageMachine,
  quarantinedMachine,
  salvageMachine,
  expiryMachine,
  anchorsMachine,
  driveMachine,
  arkoorSendMachine,
  lightningReceiveMachine,
  lightningSendMachine,
  recoveryMachine,
  backupMachine,
  exitMachine,
];

/**
 * The machine of that name.
 *
 * @param among the machines of this build; a test may give others
 * @throws MachineError `UNKNOWN_MACHINE`
 */
export function machineNamed(name: string, among: readonly MachineDefinition[] = machines): MachineDefinition {
  const machine = among.find((candidate) => candidate.name === name);
  if (machine === undefined) throw new MachineError("UNKNOWN_MACHINE", `expected a machine of this build, got ${name}`);
  return machine;
}
