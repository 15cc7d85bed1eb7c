/* Reads a fetch body as server-sent events; a browser's EventSource cannot send a token in a header. */

/**
 * Call `act(name, data)` for each event of the stream, until it ends.
 * @param {ReadableStream<Uint8Array>} stream
 * @param {(name: string, data: any) => void} act
 */
export async function readEvents(stream, act) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) one(block, act);
  }
}

function one(block, act) {
  let name = "message";
  let data = "";
  for (const line of block.split("\n")) {
    if (line.startsWith("event: ")) name = line.slice(7);
    if (line.startsWith("data: ")) data += line.slice(6);
  }
  if (data) act(name, JSON.parse(data));
}
