import { describe, expect, it } from "vitest";
import {
  authorizationDigest,
  decodeAuthorization,
  encodeAuthorization,
  verifyAuthorization,
} from "../../../ark/authorization.ts";
import { decodeHex, encodeHex } from "../../../ark/hex.ts";
import type { KnownAnswers } from "../../vectors.ts";

/** Claims about `mailbox_authorizations` and the rejected authorizations of the known answers. */
export function describeAuthorizations(answers: KnownAnswers): void {
  describe("known mailbox authorizations", () => {
    it.each(answers.mailbox_authorizations)("$name: decodes, re-encodes and verifies until it expires", (answer) => {
      const authorization = decodeAuthorization(decodeHex(answer.hex));
      expect(encodeHex(authorization.mailboxId)).toBe(answer.decoded.mailbox_id);
      expect(authorization.expiresAt.toString()).toBe(answer.decoded.expiry_unix);
      expect(encodeHex(authorization.signature)).toBe(answer.decoded.signature);
      expect(encodeHex(encodeAuthorization(authorization))).toBe(answer.hex);
      expect(encodeHex(authorizationDigest(authorization.expiresAt))).toBe(answer.message_digest);

      const { mailboxId } = authorization;
      const lastMs = Number(authorization.expiresAt) * 1000 + 5000;
      expect(answer.signature_valid).toBe(true);
      expect(() => verifyAuthorization(authorization, { mailboxId, nowMs: lastMs })).not.toThrow();
      expect(() => verifyAuthorization(authorization, { mailboxId, nowMs: lastMs + 1 })).toThrow(
        expect.objectContaining({ code: "AUTHORIZATION_EXPIRED" }),
      );
    });

    const refused = answers.rejections.filter(({ input }) => input === "mailbox-authorization");
    it.each(refused)("$name is refused: $error", ({ hex, stage }) => {
      const read = (): void => {
        const authorization = decodeAuthorization(decodeHex(hex ?? ""));
        if (stage === "verify") verifyAuthorization(authorization, { mailboxId: authorization.mailboxId, nowMs: 0 });
      };
      expect(read).toThrow(expect.objectContaining({ code: stage === "verify" ? "AUTHORIZATION_SIGNATURE" : "BAD_TIMESTAMP" }));
    });
  });
}
