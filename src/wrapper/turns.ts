// The turns of the event loop.

/** Resolves when the event loop has taken in what is there now, signals among it. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
