// Waits for turns of the event loop.

/** Resolves when the event loop has handled all that is pending now, signals included. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
