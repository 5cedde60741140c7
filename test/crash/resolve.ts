import type { ResolveHook } from 'node:module';

const WATCHED = new URL('./watchedLmdbKv.js', import.meta.url).href;

/** Whoever asks for the durable store gets the one with write points; that one alone gets the real one. */
export const resolve: ResolveHook = async (specifier, context, next) => {
  const found = await next(specifier, context);
  return found.url.endsWith('/server/store/lmdbKv.js') && context.parentURL !== WATCHED
    ? { url: WATCHED, shortCircuit: true }
    : found;
};
