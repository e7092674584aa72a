// Server-sent events from a response: what EventSource does, but it tells nobody the status of a refusal, and takes no id
// to begin with.

/** Yields {type, id, data} of each event of a body; calls `alive` at whatever is heard. */
export async function* events(body, alive) {
  let fields = {};
  for await (const line of lines(body, alive)) {
    if (line) {
      const [, name, value] = /^([^:]*):? ?(.*)$/.exec(line);
      fields[name] = value;
    } else {
      if (fields.data !== undefined) {
        yield { type: fields.event ?? "message", id: fields.id, data: fields.data };
      }
      fields = {};
    }
  }
}

async function* lines(body, alive) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) {
      return;
    }
    alive();
    const parts = (rest + value).split("\n");
    rest = parts.pop();
    yield* parts;
  }
}
