// -- the zip ----------------------------------------------------------------------------------------
class Zip {
  constructor(buffer) {
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
    this.members = new Map();
    this.twice = [];
    let end = this.bytes.length - 22;
    while (end >= 0 && end > this.bytes.length - 65558 && this.view.getUint32(end, true) !== 0x06054b50) end -= 1;
    if (end < 0 || this.view.getUint32(end, true) !== 0x06054b50) throw new Wrong("cannot be read, it is no zip");
    const count = this.view.getUint16(end + 10, true);
    let at = this.view.getUint32(end + 16, true);
    if (count === 0xffff || at === 0xffffffff) throw new Wrong("is too large for a browser; use verify.py");
    for (let i = 0; i < count; i += 1) at = this.member(at);
  }
  member(at) {
    const v = this.view;
    if (v.getUint32(at, true) !== 0x02014b50) throw new Wrong("is damaged where the zip lists its files");
    const lengths = [28, 30, 32].map((place) => v.getUint16(at + place, true));
    const name = textOf(this.bytes.subarray(at + 46, at + 46 + lengths[0]));
    if (this.members.has(name)) this.twice.push(name);
    this.members.set(name, {
      method: v.getUint16(at + 10, true), packed: v.getUint32(at + 20, true), size: v.getUint32(at + 24, true), at: v.getUint32(at + 42, true),
    });
    return at + 46 + lengths[0] + lengths[1] + lengths[2];
  }
  async read(name, most) {
    const found = this.members.get(name);
    if (!found) throw new Missing(name);
    if (this.view.getUint32(found.at, true) !== 0x04034b50) throw new Wrong("is damaged in the zip");
    const start = found.at + 30 + this.view.getUint16(found.at + 26, true) + this.view.getUint16(found.at + 28, true);
    const raw = this.bytes.slice(start, start + found.packed);
    if (found.method === 0 && raw.length <= most) return raw;
    if (found.method !== 8) throw new Wrong(found.method ? "is packed in a way that this page does not know" : `is larger than ${most} bytes`);
    const reader = new Blob([raw]).stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
    const parts = [];
    for (let sum = 0, one = await reader.read(); !one.done; one = await reader.read()) {
      parts.push(one.value);
      if ((sum += one.value.length) > most) { await reader.cancel(); throw new Wrong(`is larger than ${most} bytes`); }
    }
    return joined(...parts);
  }
}
const numberPath = (number) => {
  const elements = [String(number % 1000).padStart(3, "0")];
  while ((number = Math.floor(number / 1000))) elements.push("x" + String(number % 1000).padStart(3, "0"));
  return elements.reverse().join("/");
};
