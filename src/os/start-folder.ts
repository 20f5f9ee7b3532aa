// Leaves the folder in which procrun was started.

/**
 * A working folder is busy: it cannot be unmounted, and a removed one keeps its space. So a long run works in `/`. Call this when no
 * relative path of the user's is needed any more.
 */
export function leaveStartFolder(): void {
  process.chdir('/');
}
