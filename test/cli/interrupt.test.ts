import { spawn } from "node:child_process";
import { describe, expect, it } from "vitest";

const INTERRUPT = new URL("../../dist/cli/interrupt.js", import.meta.url);

/** A process that needs longer to close than anybody waits. */
const STUBBORN = `
  import { abortOnInterrupt, untilAborted } from ${JSON.stringify(INTERRUPT.href)};
  const signal = abortOnInterrupt(() => console.log("closing"));
  console.log("ready");
  await untilAborted(signal);
  console.log(signal.reason.code);
  await new Promise((resolve) => setTimeout(resolve, 60_000));
`;

describe("interrupts", () => {
  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("the first %s begins to close, the second ends with %i at once", async (name, code) => {
    const child = spawn(process.execPath, ["--input-type=module", "--eval", STUBBORN]);
    const said: string[] = [];
    const until = (text: string) =>
      new Promise<void>((resolve) => {
        const look = () => said.join("").includes(text) && resolve();
        child.stdout.on("data", look);
        look();
      });
    child.stdout.on("data", (data: Buffer) => said.push(data.toString()));
    await until("ready\n");
    child.kill(name);
    await until("INTERRUPTED\n");
    child.kill(name);
    expect(await new Promise((resolve) => child.once("exit", resolve))).toBe(code);
    expect(said.join("")).toBe("ready\nclosing\nINTERRUPTED\n");
  });
});
