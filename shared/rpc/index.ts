export type { Context, NodeApi, PeerContext } from './nodeApi.js';
export { type AppRouter, appRouter, type DirectoryRouter, directoryRouter } from './router.js';
export { transformer } from './transformer.js';
