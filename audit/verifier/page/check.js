// -- the check --------------------------------------------------------------------------------------
class Check {
  constructor(zip, given) {
    Object.assign(this, { zip, given, keys: [...given], files: new Map(), problems: [], missing: [], signed: [], entries: [],
      opened: 0, hidden: 0, witnesses: new Set(), trusted: true, head: null, ranges: [], namedTo: 0, towers: new Towers() });
  }
  async run() {
    await this.step("manifest.json", () => this.look());
    if (this.problems.length) return FAILED;
    if (this.missing.length) return INCOMPLETE;
    return this.trusted && this.witnesses.size ? WITNESSED : SELF_ATTESTED;
  }
  wrong(field, why, index) {
    const said = `${index === undefined ? "" : `#${index} `}${field}: ${why}`;
    if (!this.problems.includes(said) && this.problems.length < 100) this.problems.push(said);
  }
  async step(field, act, index) {
    try {
      await act();
    } catch (error) {
      if (error instanceof Missing) { if (!this.missing.includes(error.message)) this.missing.push(error.message); }
      else this.wrong(field, error instanceof Wrong ? error.message : "has a shape that cannot be read", index);
    }
  }
  async read(name, most = MOST) {
    const raw = await this.zip.read(name, most);
    if (this.files.get(name) !== hexOf(await sha256(raw))) this.wrong(name, "is not the file that the manifest names");
    return raw;
  }
  async look() {
    const manifest = JSON.parse(textOf(await this.zip.read("manifest.json", MOST)));
    if (manifest.format !== FORMAT) throw new Wrong(`has another format than ${FORMAT}`);
    this.files = new Map(Object.entries(manifest.files));
    await this.lookAtNames();
    for (const line of textOf(await this.read("keys")).split("\n").filter(Boolean)) await this.step("keys", async () => this.keys.push(await keyOf(line)));
    await this.step("checkpoint", () => this.lookAtHead(manifest));
    if (!this.head) return;
    this.ranges = manifest.entries.map((one) => [...one]).reverse();
    await this.step("tree", () => this.lookAtTree(manifest.tree));
    await this.step("meta", () => this.lookAtMeta());
    for (const [first, end] of manifest.withheld) this.missing.push(`entries ${first} to ${end - 1}, which are withheld`);
  }
  async lookAtNames() {
    for (const name of this.zip.twice) this.wrong(name, "is in the bundle twice");
    for (const name of this.zip.members.keys()) if (!this.files.has(name) && name !== "manifest.json") this.wrong(name, "is in the bundle and not in its manifest");
    for (const name of this.files.keys()) {
      if (!NAME.test(name)) throw new Wrong(`names ${name}, which belongs in no bundle`);
      if (!this.zip.members.has(name)) this.missing.push(name);
      else if (!/^(tile|blobs)\//.test(name)) await this.step(name, () => this.read(name));
    }
  }
  async lookAtHead(manifest) {
    const head = await this.signedBy(textOf(await this.read("checkpoint")));
    if (head.origin !== manifest.origin || head.size !== manifest.size) throw new Wrong("is of another log or size than the manifest says");
    this.head = head;
  }
  async signedBy(note) {
    const head = await checkpointOf(note, this.keys);
    const signers = head.signers.filter((key) => key.name === head.origin && key.kind === SIGNS);
    if (!signers.length) throw new Wrong(`no known key of ${head.origin} signed it`);
    const mine = signers.filter((key) => this.given.some((one) => one.line === key.line));
    if (!mine.length && this.given.some((key) => key.name === head.origin)) throw new Wrong(`another key than the given one signed for ${head.origin}`);
    this.trusted = this.trusted && mine.length > 0;
    this.signed.push(`${head.origin} at size ${head.size}: key ${(mine[0] || signers[0]).id}, ${mine.length ? "which you gave" : "which came with the bundle"}`);
    return head;
  }
  async lookAtTree(parts) {
    for (const part of parts) {
      const { from: begin, to: end } = part;
      if (begin !== this.towers.size || !(begin < end && end <= this.head.size)) throw new Wrong(`its parts do not join at ${this.towers.size}`);
      if (part.hashes) {
        const levels = levelsBetween(begin, end);
        if (levels.length !== part.hashes.length || !part.hashes.every((one) => HASH.test(one))) throw new Wrong(`the gap from ${begin} to ${end} has other hashes than it needs`);
        for (const [i, level] of levels.entries()) await this.towers.push(level, unhex(part.hashes[i]));
      } else for (let first = begin; first < end; first += WIDTH) await this.tile(first, Math.min(WIDTH, end - first));
    }
    if (this.ranges.length) this.wrong("entry", "is named in the manifest and stands in no tile", this.ranges.at(-1)[0]);
    if (this.towers.size !== this.head.size) throw new Wrong(`its parts end at ${this.towers.size} and not at ${this.head.size}`);
    if (!same(await this.towers.root(), this.head.root)) throw new Wrong("its hashes lead to another root than the one that was signed");
  }
  async tile(first, width) {
    const place = numberPath(Math.floor(first / WIDTH)) + (width === WIDTH ? "" : `.p/${width}`);
    const raw = await this.read(`tile/0/${place}`, WIDTH * 32);
    if (first % WIDTH || raw.length !== width * 32) throw new Wrong(`tile/0/${place} does not hold ${width} hashes`);
    const hashes = Array.from({ length: width }, (_, i) => raw.slice(i * 32, i * 32 + 32));
    await this.towers.pushLeaves(hashes);
    const asked = this.asked(first, first + width);
    this.hidden += width - asked.size;
    if (asked.size) await this.step(`tile/entries/${place}`, () => this.bundle(place, first, hashes, asked));
  }
  asked(begin, end) {
    const found = new Set();
    while (this.ranges.length && this.ranges.at(-1)[0] < end) {
      const [first, last] = this.ranges.pop();
      if (!(Math.max(begin, this.namedTo) <= first && first < last)) throw new Wrong(`the manifest does not list entry ${first} in its place`);
      for (let index = first; index < Math.min(last, end); index += 1) found.add(index);
      if (last > end) this.ranges.push([end, last]);
      this.namedTo = Math.min(last, end);
    }
    return found;
  }
  async bundle(place, first, hashes, asked) {
    const raw = await this.read(`tile/entries/${place}`, WIDTH * 65537);
    let at = 0;
    for (const [i, leafHash] of hashes.entries()) {
      const index = first + i, length = (raw[at] << 8) | raw[at + 1], leaf = raw.slice(at + 2, at + 2 + length);
      at += 2 + length;
      if (!(at <= raw.length)) throw new Wrong(`ends within entry ${index}`);
      if ((length > 0) !== asked.has(index)) this.wrong("entry", `${length ? "is here, unnamed by" : "is left out, against"} the manifest`, index);
      else if (length) await this.step("entry", () => this.entry(index, leaf, leafHash), index);
    }
    if (at !== raw.length) throw new Wrong("goes on after its last entry");
  }
  async entry(index, leaf, leafHash) {
    if (!same(await sha256([0], leaf), leafHash)) throw new Wrong("its bytes do not hash to its leaf in the tree");
    const text = textOf(leaf.slice(28)), body = JSON.parse(text);
    if (hexOf(leaf.slice(0, 4)) !== "53420001" || body.uid.replaceAll("-", "") !== hexOf(leaf.slice(4, 20))) throw new Wrong("its frame and its envelope name two events");
    if (body.tenant.replaceAll("-", "") !== this.head.origin.split("/t/").at(-1)) throw new Wrong("it is of another organisation than the log");
    for (const part of body.blobs || []) {
      if (hexOf(await sha256(await this.read(`blobs/${part.digest}`))) !== part.digest) throw new Wrong("a part that is kept beside it is not what was recorded");
    }
    this.opened += 1;
    if (this.entries.length < SHOWN) this.entries.push({ index, text, body, at: new DataView(leaf.buffer).getBigInt64(20) });
  }
  async lookAtMeta() {
    const leaf = await this.read("meta/leaf"), text = textOf(await this.read("meta/proof.tlog-proof"));
    const cut = text.indexOf("\n\n"), above = await this.signedBy(text.slice(cut + 2)), said = JSON.parse(textOf(leaf));
    if (above.origin !== `${this.head.origin.slice(0, this.head.origin.lastIndexOf("/t/"))}/meta`) throw new Wrong("the checkpoint is of another deployment than the log");
    if (said.log !== this.head.origin) throw new Wrong("the leaf is of another log");
    const [first, place, ...path] = text.slice(0, cut).split("\n").filter((line) => !line.startsWith("extra "));
    if (first !== PROOF || !/^index (0|[1-9][0-9]{0,14})$/.test(place)) throw new Wrong("the proof is no C2SP tlog-proof");
    if (!(await includes(Number(place.slice(6)), above.size, above.root, await sha256([0], leaf), path.map(unbase64)))) throw new Wrong("the leaf is not in the tree that was signed");
    const steps = textOf(await this.read("meta/consistency")).split("\n").filter(Boolean).map(unbase64);
    if (!HASH.test(said.root) || !(await extendsTo(this.head.size, this.head.root, said.size, unhex(said.root), steps))) throw new Wrong(`the log that it knows at size ${said.size} does not begin with this one`);
    for (const key of above.signers) {
      if (key.kind !== COSIGNS || !this.given.some((one) => one.line === key.line)) continue;
      this.witnesses.add(hexOf(key.key));
      this.signed.push(`Witness ${key.name} saw it at ${moment(above.times.get(key.name) * 1000000n)}`);
    }
  }
}
