// -- signed notes, checkpoints, keys ---------------------------------------------------------------
const keyOf = async (line) => {
  const [name, id, ...rest] = line.trim().split("+");
  const raw = unbase64(rest.join("+"));
  if (raw.length !== 33 || ![SIGNS, COSIGNS].includes(raw[0])) throw new Wrong("is no Ed25519 verifier key");
  const found = hexOf((await sha256(utf8.encode(name + "\n"), raw)).slice(0, 4));
  if (found !== id) throw new Wrong("has a key id that does not belong to its name and key");
  return { name, id, kind: raw[0], key: raw.slice(1), line: line.trim() };
};
const checkpointOf = async (note, keys) => {
  const cut = note.lastIndexOf("\n\n"), body = note.slice(0, cut + 1), lines = note.slice(cut + 2);
  const [origin, size, root] = body.split("\n");
  if (cut < 0 || !lines.endsWith("\n") || root === undefined) throw new Wrong("is no signed checkpoint");
  if (!/^(0|[1-9][0-9]{0,14})$/.test(size) || unbase64(root).length !== 32) throw new Wrong("has no size and root");
  const found = { origin, size: Number(size), root: unbase64(root), signers: [], times: new Map() };
  for (const line of lines.slice(0, -1).split("\n")) {
    const [dash, name, encoded = ""] = line.split(" "), raw = unbase64(encoded);
    if (dash !== "\u2014" || raw.length < 5) throw new Wrong("has a line that is no signature");
    for (const key of keys) {
      if (key.name !== name || key.id !== hexOf(raw.slice(0, 4))) continue;
      let signature = raw.slice(4), said = body;
      if (key.kind === COSIGNS) {
        const time = signature.slice(0, 8).reduce((sum, one) => sum * 256n + BigInt(one), 0n);
        signature = signature.slice(8);
        said = `cosignature/v1\ntime ${time}\n${body}`;
        found.times.set(key.name, time);
      }
      if (!(await signatureHolds(key.key, signature, utf8.encode(said)))) throw new Wrong(`carries a wrong signature of ${key.name}, key ${key.id}`);
      if (!found.signers.some((one) => one.line === key.line)) found.signers.push(key);
    }
  }
  return found;
};
