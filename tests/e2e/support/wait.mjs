/** Resolves with what `look` gives as soon as it gives something; asks again until `deadlineMs` is over. */
export async function until(what, look, deadlineMs = 15_000) {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (performance.now() > end) throw new Error(`in ${deadlineMs} ms there was no ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Reads what a process prints until `pattern` is in it. */
export function untilPrinted(child, pattern, what, deadlineMs = 20_000) {
  const stream = child.stdout;
  return new Promise((resolve, reject) => {
    let text = "";
    const fail = (problem) => finish(new Error(`${what} ${problem} ${pattern}; it printed:\n${text}${child.complaints}`));
    const timer = setTimeout(() => fail(`did not print in ${deadlineMs} ms`), deadlineMs);
    const onData = (chunk) => {
      text += chunk;
      const match = pattern.exec(text);
      if (match) finish(null, { match, text });
    };
    const onEnd = () => fail("ended before it printed");
    const finish = (error, found) => {
      clearTimeout(timer);
      stream.off("data", onData);
      stream.off("end", onEnd);
      stream.resume();
      if (error) reject(error);
      else resolve(found);
    };
    stream.setEncoding("utf8");
    stream.on("data", onData);
    stream.on("end", onEnd);
  });
}
