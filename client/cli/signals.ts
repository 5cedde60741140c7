/** What asks a process to end: Ctrl-C, a supervisor, a terminal that closes. */
export const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
