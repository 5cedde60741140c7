import { createLogUpdate } from 'log-update';
import type { Progress } from './campaign.js';

/** How often a line is printed where there is no terminal to draw on. */
const EVERY_MS = 5_000;

/** Shows how far a campaign is, on standard error. */
export interface ProgressDisplay {
  show(progress: Progress): void;
  end(): void;
}

/** One line that is drawn again on a terminal; elsewhere a line every few seconds. */
export function progressDisplay(): ProgressDisplay {
  const startedAt = performance.now();
  const seconds = (): number => (performance.now() - startedAt) / 1000;
  if (process.stderr.isTTY) {
    const draw = createLogUpdate(process.stderr);
    return { show: (progress) => draw(inWords(progress, seconds())), end: () => draw.clear() };
  }
  let toldAt = startedAt;
  return {
    show(progress) {
      const now = performance.now();
      if (now - toldAt < EVERY_MS) return;
      toldAt = now;
      process.stderr.write(`${inWords(progress, seconds())}\n`);
    },
    end: () => {},
  };
}

function inWords({ runs, ofRuns, failures, virtualMs }: Progress, seconds: number): string {
  const hours = (virtualMs / 3_600_000).toFixed(1);
  const failed = failures === 0 ? 'nothing broke' : `${failures} failed`;
  return `${seconds.toFixed(0).padStart(5)} s  ${runs} of ${ofRuns} runs, ${hours} virtual hours, ${failed}`;
}
