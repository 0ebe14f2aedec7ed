import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { Running, run } from "./heartwood.ts";

interface Endpoints {
  network: string;
  serverUrl: string;
  chainUrl: string;
  controlUrl: string;
}

async function simulate(...words: string[]) {
  const running = new Running("simulate", ...words);
  const endpoints = JSON.parse(await running.line()) as Endpoints;
  return { running, endpoints };
}

describe("heartwood simulate", () => {
  it.each(["SIGINT", "SIGTERM"] as const)(
    "prints its endpoints as one line, serves them and ends with 0 on %s",
    async (signal) => {
      const { running, endpoints } = await simulate("--network", "signet", "--seed", "a");
      expect(Object.keys(endpoints)).toEqual(["network", "serverUrl", "chainUrl", "controlUrl"]);
      expect(endpoints.network).toBe("signet");
      for (const url of [endpoints.serverUrl, endpoints.chainUrl, endpoints.controlUrl])
        expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
      expect(await (await fetch(`${endpoints.chainUrl}/blocks/tip/height`)).text()).toMatch(/^\d+$/);
      expect(await (await fetch(`${endpoints.controlUrl}/status`)).json()).toMatchObject({
        network: "signet",
        serverUrl: endpoints.serverUrl,
      });
      running.child.kill(signal);
      expect(await running.ended).toEqual({
        code: 0,
        stdout: `${JSON.stringify(endpoints)}\n`,
        stderr: "stopping (interrupt again to end at once)\n",
      });
      await expect(fetch(`${endpoints.chainUrl}/blocks/tip/height`)).rejects.toThrow();
    },
  );

  it("has the keys that follow from its seed", async () => {
    const keys = [];
    for (const seed of ["a", "a", "b"]) {
      const { running, endpoints } = await simulate("--seed", seed);
      keys.push(((await (await fetch(`${endpoints.controlUrl}/status`)).json()) as { serverPubkey: string }).serverPubkey);
      running.child.kill("SIGKILL");
    }
    expect(keys[0]).toBe(keys[1]);
    expect(keys[0]).not.toBe(keys[2]);
  });

  it("takes the ports it is given, and refuses one that is taken", async () => {
    const busy = createServer();
    await new Promise<void>((resolve) => busy.listen(0, "127.0.0.1", resolve));
    const port = String((busy.address() as AddressInfo).port);
    const refused = await run(["simulate", "--chain-port", port]);
    expect([refused.code, refused.stdout]).toEqual([1, ""]);
    expect(refused.stderr).toContain("heartwood: LISTEN_FAILED: ");
    await new Promise((resolve) => busy.close(resolve));

    const { running, endpoints } = await simulate("--chain-port", port);
    expect(endpoints.chainUrl).toBe(`http://127.0.0.1:${port}`);
    running.child.kill("SIGKILL");
  });

  it.each([
    [["--network", "mainnet"], 2, "USAGE"],
    [["--grpc-port", "65536"], 2, "USAGE"],
    [["--host", "0.0.0.0"], 1, "OPTION_INVALID"],
  ])("%j ends with %i", async (words, code, error) => {
    const refused = await run(["simulate", ...words]);
    expect([refused.code, refused.stdout]).toEqual([code, ""]);
    expect(refused.stderr).toContain(`heartwood: ${error}: `);
  });
});
