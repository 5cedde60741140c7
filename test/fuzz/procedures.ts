import * as z from 'zod';
import { appRouter } from '../../shared/rpc/router.js';

/** Where tRPC keeps what its types do not show: the kind of a procedure, and the schemas of its inputs. */
const definition = z.object({
  _def: z.object({
    type: z.enum(['query', 'mutation', 'subscription']),
    inputs: z.tuple([z.instanceof(z.ZodType)]),
  }),
});
const callable = z.custom<object>((value) => typeof value === 'function');

/** A procedure as the router has it. */
export interface Procedure {
  readonly path: string;
  readonly type: 'query' | 'mutation' | 'subscription';
  readonly input: z.ZodType;
}

/** Every procedure of the contract, from the router itself: one that is added there is fuzzed here. */
export function allProcedures(): Procedure[] {
  const procedures: Readonly<Record<string, unknown>> = appRouter._def.procedures;
  return Object.entries(procedures).map(([path, procedure]) => {
    const { type, inputs } = definition.parse({ ...callable.parse(procedure) })._def;
    return { path, type, input: inputs[0] };
  });
}
