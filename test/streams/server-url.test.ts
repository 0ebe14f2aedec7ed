import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { escapeServerText } from "../../streams/server-text.ts";
import { checkServerUrl, parseServerUrl } from "../../streams/server-url.ts";
import { checkUserAgent, DEFAULT_USER_AGENT, HEARTWOOD_VERSION } from "../../streams/user-agent.ts";

test.each([
  ["ark.example", "https://ark.example:443", true],
  ["  ark.example:3535 ", "https://ark.example:3535", true],
  ["https://ark.example/", "https://ark.example:443", true],
  ["HTTPS://Ark.Example:9", "https://ark.example:9", true],
  ["http://localhost:3535", "http://localhost:3535", false],
  ["http://[::1]:3535", "http://[::1]:3535", false],
  ["http://127.0.0.1", "http://127.0.0.1:80", false],
])("the address %j means %s", (text, url, secure) => {
  expect(parseServerUrl(text)).toMatchObject({ url, secure });
});

test.each([
  "",
  "   ",
  "https://",
  "http:///path",
  "ftp://ark.example",
  "grpc://ark.example:1",
  "https://user:secret@ark.example",
  "https://ark.example/api",
  "https://ark.example/?a=b",
  "https://ark.example/#x",
  "https://ark.example:99999",
  "https://a b",
  "https://a\nb",
  "https:\\\\ark.example",
])("the address %j is refused", (text) => {
  expect(() => parseServerUrl(text)).toThrow(expect.objectContaining({ code: "BAD_URL", retryable: false }));
});

test("a password in an address does not reach the error", () => {
  const refusals = ["https://user:hunter2@ark.example", "https://user:hunter2@a b"].map((text) => {
    try {
      return parseServerUrl(text);
    } catch (error) {
      return error as Error;
    }
  });
  for (const error of refusals) {
    expect(error).toBeInstanceOf(Error);
    expect(JSON.stringify(Object.getOwnPropertyDescriptors(error))).not.toContain("hunter2");
  }
});

test.each([
  ["http://localhost", true],
  ["http://127.1.2.3:1", true],
  ["http://[::1]", true],
  ["http://127.0.0.1.example", false],
  ["http://localhost.example", false],
  ["http://192.168.0.1", false],
  ["http://0.0.0.0", false],
  ["http://ark.example", false],
])("clear text to %s is allowed without asking: %s", (text, allowed) => {
  const check = () => checkServerUrl(text, { allowPlaintext: false });
  if (allowed) expect(check()).toMatchObject({ secure: false, loopback: true });
  else expect(check).toThrow(expect.objectContaining({ code: "PLAINTEXT_REFUSED" }));
  expect(checkServerUrl(text, { allowPlaintext: true }).secure).toBe(false);
});

test("the user agent says the version of the package", () => {
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  expect(HEARTWOOD_VERSION).toBe(version);
  expect(checkUserAgent(DEFAULT_USER_AGENT)).toBe(`heartwood/${version}`);
});

test.each(["heartwood", "/1", "a/", "Heartwood/1", `${"a".repeat(33)}/1`, "a/1\n", "a b/1", "a/1 2"])(
  "the user agent %j is refused",
  (text) => {
    expect(() => checkUserAgent(text)).toThrow(expect.objectContaining({ code: "BAD_OPTION" }));
  },
);

test("text of a server is shown without control, format or private characters, and cut", () => {
  expect(escapeServerText("plain – ünïcode 木")).toBe("plain – ünïcode 木");
  expect(escapeServerText("a\u001b[2Jb\u202Ec\u2028d\u0000")).toBe("a\\u{1b}[2Jb\\u{202e}c\\u{2028}d\\u{0}");
  expect(escapeServerText("\ud800x")).toBe("\\u{d800}x");
  expect(escapeServerText("x".repeat(1_000))).toBe("x".repeat(1_000));
  expect(escapeServerText("x".repeat(1_001))).toBe(`${"x".repeat(1_000)}…`);
  expect(escapeServerText("😀😀😀", 4)).toBe("😀😀…");
  const once = escapeServerText("\u0007\\u{7}");
  expect(escapeServerText(once)).toBe(once);
});
