/** What asks a process to end: Ctrl-C, a supervisor, a terminal that closes. */
const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Runs an action when the process is asked to end; a second asking ends it at once. Answers how to take that back. */
export function onStopSignal(action: () => void): () => void {
  const forget = (): void => {
    for (const signal of STOP_SIGNALS) process.off(signal, heard);
  };
  const heard = (): void => {
    // Not before all have heard of it: what restores the cursor of a terminal would take itself for the last that listens,
    // and raise the signal again, which ends the process amid its end.
    setImmediate(forget);
    action();
  };
  for (const signal of STOP_SIGNALS) process.on(signal, heard);
  return forget;
}
