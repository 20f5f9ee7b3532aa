// What the launcher (bin/procrun.js) does for the command line.

export interface Host {
  /** From now on memory counts for more than time. To be called when the start is over. */
  saveMemory(): void;
  /** Keeps V8's compiled code for later starts, if that has not been done. To be called after a run, before the end. */
  keepCompiledCode(): void;
}
