// -- RFC 6962 ---------------------------------------------------------------------------------------
class Towers {
  constructor() { this.size = 0; this.stack = []; }
  async push(level, right) {
    this.size += 2 ** level;
    while (this.stack.length && this.stack.at(-1)[0] === level) { right = await node(this.stack.pop()[1], right); level += 1; }
    this.stack.push([level, right]);
  }
  async pushLeaves(leaves) {
    if (leaves.length !== WIDTH) { for (const leaf of leaves) await this.push(0, leaf); return; }
    while (leaves.length > 1) leaves = await Promise.all(leaves.filter((_, i) => i % 2 === 0).map((left, i) => node(left, leaves[2 * i + 1])));
    await this.push(8, leaves[0]);
  }
  async root() {
    const rest = this.stack.map((one) => one[1]);
    let found = rest.pop() || (await sha256());
    while (rest.length) found = await node(rest.pop(), found);
    return found;
  }
}
const levelsBetween = (begin, end) => {
  const levels = [];
  while (begin < end) {
    let level = 0;
    while (begin % 2 ** (level + 1) === 0 && begin + 2 ** (level + 1) <= end) level += 1;
    levels.push(level);
    begin += 2 ** level;
  }
  return levels;
};
const climbed = async (at, last, start, path) => {
  let old = start, whole = start;
  for (const step of path) {
    if (last === 0n) return null;
    if (at & 1n || at === last) {
      [old, whole] = [await node(step, old), await node(step, whole)];
      while (!(at & 1n) && at) { at >>= 1n; last >>= 1n; }
    } else whole = await node(whole, step);
    at >>= 1n;
    last >>= 1n;
  }
  return last === 0n ? [old, whole] : null;
};
const includes = async (index, size, root, leaf, path) => {
  const found = index >= 0 && index < size ? await climbed(BigInt(index), BigInt(size - 1), leaf, path) : null;
  return found !== null && same(found[1], root);
};
const extendsTo = async (old, oldRoot, size, root, path) => {
  if (old === size) return !path.length && same(oldRoot, root);
  let at = BigInt(old - 1), last = BigInt(size - 1);
  const steps = BigInt(old) & at ? path : [oldRoot, ...path];
  if (!(old > 0 && old < size) || !steps.length) return false;
  while (at & 1n) { at >>= 1n; last >>= 1n; }
  const found = await climbed(at, last, steps[0], steps.slice(1));
  return found !== null && same(found[0], oldRoot) && same(found[1], root);
};
