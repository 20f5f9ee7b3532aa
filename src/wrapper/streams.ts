// Keeps the standard streams untouched while execa is loaded and used. The command inherits them as they are, and others
// share them.

const names = ['stdin', 'stdout', 'stderr'] as const;

/**
 * Node opens `process.stdin` and its kin when they are first looked at, and sets O_NONBLOCK on pipes and sockets then. That
 * flag belongs to the open file description, which we share with whoever else was given it: another command of the same
 * pipeline would fail with EAGAIN until libuv clears the flag in our child. execa looks at all three as it is loaded, and at
 * each spawn with more than three descriptors, only to recognise them. So there are stand-ins until what is returned is called.
 */
function putStandIns(): () => void {
  const originals = names.map((name) => [name, Object.getOwnPropertyDescriptor(process, name)] as const);
  for (const name of names) Object.defineProperty(process, name, { value: {}, configurable: true });
  return () => {
    for (const [name, descriptor] of originals) {
      if (descriptor) Object.defineProperty(process, name, descriptor);
    }
  };
}

/** For the time of a call. */
export function withStreamsUntouched<T>(work: () => T): T {
  const restore = putStandIns();
  try {
    return work();
  } finally {
    restore();
  }
}

/** Until a module that imports execa, however indirectly, is loaded: `loadUntouched(() => import('./it.ts'))`. */
export async function loadUntouched<T>(load: () => Promise<T>): Promise<T> {
  const restore = putStandIns();
  try {
    return await load();
  } finally {
    restore();
  }
}
