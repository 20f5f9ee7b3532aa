// What the launcher (bin/procrun.js) does for the command line.

export interface Host {
  /** Keeps V8's compiled code for later starts, if that has not been done. To be called after a run, before the end. */
  keepCompiledCode(): void;
}
