import { LRUCache } from 'lru-cache';
import type { Header } from '../../shared/model/header.js';
import type { Template } from './buildTemplate.js';

/** Templates kept for each caller, and callers: nobody can push out what another one works on by asking often. */
const KEPT_EACH = 16;
const KEPT_CALLERS = 64;

/** A template under the name by which its solution is submitted. */
export interface NamedTemplate extends Template {
  readonly id: string;
}

/** A template, and for whom it was made: where a caller's requests come from. */
export interface Work {
  readonly id: string;
  readonly caller: string;
}

/**
 * The templates whose solutions are taken: the last 16 of each of the last 64 callers, as long as they build on the tip or
 * beside it. What they share is held once, see `PagedList`.
 */
export class KeptTemplates {
  readonly #byCaller = new LRUCache<string, LRUCache<string, NamedTemplate>>({ max: KEPT_CALLERS });

  get({ id, caller }: Work): NamedTemplate | undefined {
    return this.#byCaller.get(caller)?.get(id);
  }

  keep(template: NamedTemplate, caller: string): void {
    const own = this.#byCaller.get(caller) ?? new LRUCache<string, NamedTemplate>({ max: KEPT_EACH });
    this.#byCaller.set(caller, own);
    own.set(template.id, template);
  }

  /** Forgets what a new tip has left behind: such blocks would be of no use, and their transactions take memory. */
  tipMoved({ hash, previous }: Pick<Header, 'hash' | 'previous'>): void {
    for (const own of this.#byCaller.values())
      for (const [id, { header }] of [...own.entries()])
        if (header.previous !== hash && header.previous !== previous) own.delete(id);
  }
}
