// Parts of Node that @types/node does not describe, for the JavaScript that tsconfig.scripts.json checks.
import 'node:child_process';

declare module 'node:child_process' {
  interface ChildProcess {
    /** Internal: all of `spawn`, `fork` and `execFile` go through it. */
    spawn(options: any): number;
  }
}

declare global {
  namespace NodeJS {
    interface Process {
      /** Since Node 22.15 and 23.11. */
      execve?: (file: string, args: readonly string[], env: NodeJS.ProcessEnv) => never;
    }
  }
}
