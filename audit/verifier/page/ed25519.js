// -- Ed25519: the browser's, or by hand where it has none ------------------------------------------
const P = 2n ** 255n - 19n, ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
const mod = (a) => ((a % P) + P) % P;
const power = (base, exponent) => {
  let found = 1n;
  for (base = mod(base); exponent; exponent >>= 1n, base = mod(base * base)) if (exponent & 1n) found = mod(found * base);
  return found;
};
const D = mod(-121665n * power(121666n, P - 2n)), ROOT = power(2n, (P - 1n) / 4n);
const added = (p, q) => {
  const a = mod((p[1] - p[0]) * (q[1] - q[0])), b = mod((p[1] + p[0]) * (q[1] + q[0]));
  const c = mod(2n * p[3] * q[3] * D), d = mod(2n * p[2] * q[2]);
  const e = b - a, f = d - c, g = d + c, h = b + a;
  return [mod(e * f), mod(g * h), mod(f * g), mod(e * h)];
};
const times = (factor, point) => {
  let found = [0n, 1n, 1n, 0n];
  for (; factor; factor >>= 1n, point = added(point, point)) if (factor & 1n) found = added(found, point);
  return found;
};
const little = (bytes) => BigInt("0x" + hexOf(Uint8Array.from(bytes).reverse()));
const pointOf = (bytes) => {
  const number = little(bytes), y = number & ((1n << 255n) - 1n), sign = number >> 255n;
  if (y >= P) return null;
  const square = mod((y * y - 1n) * power(D * y * y + 1n, P - 2n));
  let x = power(square, (P + 3n) / 8n);
  if (mod(x * x - square)) x = mod(x * ROOT);
  if (mod(x * x - square) || (x === 0n && sign)) return null;
  if ((x & 1n) !== sign) x = P - x;
  return [x, y, 1n, mod(x * y)];
};
const BASE_Y = mod(4n * power(5n, P - 2n));
const BASE = pointOf(unhex(BASE_Y.toString(16).padStart(64, "0")).reverse());
const byHand = async (key, signature, message) => {
  const a = pointOf(key), r = pointOf(signature.slice(0, 32)), s = little(signature.slice(32));
  if (!a || !r || s >= ORDER) return false;
  const h = little(await hash("SHA-512", signature.slice(0, 32), key, message)) % ORDER;
  const left = times(s, BASE), right = added(r, times(h, a));
  return !mod(left[0] * right[2] - right[0] * left[2]) && !mod(left[1] * right[2] - right[1] * left[2]);
};
const signatureHolds = async (key, signature, message) => {
  if (key.length !== 32 || signature.length !== 64) return false;
  let ready;
  try {
    ready = await crypto.subtle.importKey("raw", key, { name: "Ed25519" }, false, ["verify"]);
  } catch {
    return byHand(key, signature, message);
  }
  return crypto.subtle.verify({ name: "Ed25519" }, ready, signature, message);
};
