/** The part of `fs-native-extensions` that we use: the operating system's own file locks. */
declare module 'fs-native-extensions' {
  /** Whether the exclusive lock on an open file was granted. It is given back when the descriptor closes. */
  export function tryLock(fd: number): boolean;
}
