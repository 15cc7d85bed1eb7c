const FORMAT = "signalbox-evidence/1", PROOF = "c2sp.org/tlog-proof@v1";
const WITNESSED = 0, FAILED = 1, SELF_ATTESTED = 2, INCOMPLETE = 3;
const SIGNS = 1, COSIGNS = 4, WIDTH = 256, SHOWN = 200, MOST = 1 << 28;
const NAME = /^(README\.txt|checkpoint|keys|verify\.(py|html)|meta\/(leaf|proof\.tlog-proof|consistency)|blobs\/[0-9a-f]{64}|tile\/(0|entries)\/(x\d{3}\/)*\d{3}(\.p\/\d{1,3})?)$/;
const HASH = /^[0-9a-f]{64}$/;
class Wrong extends Error {}
class Missing extends Error {}
