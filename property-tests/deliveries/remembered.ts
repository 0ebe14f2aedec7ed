type Sign = (message: Uint8Array, secretKey: Uint8Array, auxRand?: Uint8Array) => Uint8Array;

/** A deterministic signer that is asked once for equal arguments. For test keys: it remembers them. */
export function remembered(sign: Sign): Sign {
  const signatures = new Map<string, Uint8Array>();
  return (message, secretKey, auxRand) => {
    const name = Buffer.concat([message, secretKey, auxRand ?? new Uint8Array()]).toString("base64");
    const signature = signatures.get(name) ?? sign(message, secretKey, auxRand);
    if (auxRand !== undefined) signatures.set(name, signature);
    return Uint8Array.from(signature);
  };
}
