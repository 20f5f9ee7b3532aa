// The services that the launcher (bin/procrun.js) gives to the command line.

export interface Host {
  /** What procrun was given and Node hides: see ../os/inherited.ts. Undefined: not known. */
  readonly inherited: string | undefined;
  /** Makes V8 prefer low memory to speed. Call it when the start is over. */
  saveMemory(): void;
  /** Writes V8's code cache for later starts, unless it exists. Call it after a run, just before the exit. */
  keepCompiledCode(): void;
}
