import { MailboxMessages, MailboxServiceDefinition } from "../proto/generated/mailbox_server.ts";

/** A page whose messages are bytes already. */
export interface RawMailboxPage {
  readonly messages: readonly Uint8Array[];
  readonly haveMore: boolean;
}

/** Hands bytes out as they are, so that the server can also send what its own schema cannot express. */
const rawMessageType = {
  encode: (bytes: Uint8Array) => ({ finish: () => bytes }),
  decode: (bytes: Uint8Array) => bytes,
};

const rawPageType = {
  encode(page: RawMailboxPage) {
    const writer = MailboxMessages.encode({ messages: [], haveMore: page.haveMore });
    for (const message of page.messages) writer.uint32(MESSAGES_TAG).bytes(message);
    return writer;
  },
  decode(): RawMailboxPage {
    throw new Error("a server decodes no page");
  },
};

/** Field 1, length-delimited: `MailboxMessages.messages`. */
const MESSAGES_TAG = (1 << 3) | 2;

/** The mailbox service with mailbox messages as bytes on the way out. */
export const RawMailboxServiceDefinition = {
  ...MailboxServiceDefinition,
  methods: {
    ...MailboxServiceDefinition.methods,
    subscribeMailbox: { ...MailboxServiceDefinition.methods.subscribeMailbox, responseType: rawMessageType },
    readMailbox: { ...MailboxServiceDefinition.methods.readMailbox, responseType: rawPageType },
  },
} as const;
