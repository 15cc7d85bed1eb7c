// -- bytes ---------------------------------------------------------------------------------------
const utf8 = new TextEncoder();
const textOf = (bytes) => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
const hexOf = (bytes) => Array.from(bytes, (one) => one.toString(16).padStart(2, "0")).join("");
const unhex = (text) => Uint8Array.from(text.match(/../g) || [], (two) => parseInt(two, 16));
const unbase64 = (text) => {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) throw new Wrong("is not base64");
  return Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
};
const joined = (...parts) => {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) { all.set(part, at); at += part.length; }
  return all;
};
const same = (one, two) => one.length === two.length && one.every((value, i) => value === two[i]);
const hash = async (kind, ...parts) => new Uint8Array(await crypto.subtle.digest(kind, joined(...parts)));
const sha256 = (...parts) => hash("SHA-256", ...parts);
const node = (left, right) => sha256([1], left, right);
